"""Repairing in the browser: all that failed for the same thing, one try without writing, the record that says why."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from syncengine.engine.dry_replays import Tried
from syncengine.models import Record
from tenants.models import FieldMapping, Integration, Organization
from tests import factories
from tests.browser.test_pages import SIZES, assert_fits, integration, root, signed_in

__all__ = ["integration", "root", "signed_in"]

CAUSE = "problems: G/L account 4010 is frozen in SAP."
PROBLEM = {"path": "codingRows[0].accountCode", "message": "G/L account 4010 is frozen in SAP.", "hint": "Thaw it."}


@pytest.fixture
def failed(integration: Integration) -> list[Record]:
    """Twelve invoices that failed for one account, mapped before today's mapping was saved."""
    FieldMapping.objects.create(integration=integration, flow="invoices", version=2, rules=[], lookups={})
    return [
        factories.invoice(
            integration, title=f"RE-{4700 + number} Nordic Paper Oy", status="failed", stage="acknowledged",
            error_code="problems", error_message=PROBLEM["message"], problems=[PROBLEM], cause=CAUSE,
            amount=Decimal("310.25"), currency="EUR" if number % 3 else "USD", source={"invoiceId": str(number)},
            target_keys={"DocEntry": 8, "DocNum": 4711} if number == 11 else {},
        )
        for number in range(12)
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_all_with_one_cause_are_replayed_after_their_sums_were_shown(
    page: Page, root: str, failed: list[Record], complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    organization = root.split("integrations/", maxsplit=1)[0]
    page.goto(f"{organization}records/{failed[-1].pk}/")
    expect(page.get_by_text("DocEntry")).to_be_visible()
    page.get_by_role("link", name="All 12 records that failed for this").click()
    assert_fits(page)
    shot(f"repair-list-{size}")
    page.get_by_role("button", name="Replay all with this cause").click()
    expect(page.get_by_role("heading", name="Replay 12 records?")).to_be_visible()
    expect(page.get_by_text("2,482.00 EUR")).to_be_visible()
    assert_fits(page)
    shot(f"repair-confirm-{size}")
    page.get_by_role("button", name="Replay 12").click()
    expect(page.get_by_text("12 records are on their way again.")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_a_try_is_shown_beside_the_record_without_leaving_it(
    page: Page,
    root: str,
    signed_in: Organization,
    failed: list[Record],
    complaints: list[str],
    shot: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    size: str,
) -> None:
    change = {"path": "DocumentLines[0].AccountCode", "old": "4010", "new": "4011"}
    target = {"CardCode": "V20000", "DocumentLines": [{"AccountCode": "4011", "LineTotal": Decimal("310.25")}]}
    tried = Tried("post", "It would be posted to SAP as PurchaseInvoices.", [], {}, target, [change], 2)
    monkeypatch.setattr("syncengine.engine.dry_replays.try_replay", lambda record, mapping: tried)
    page.set_viewport_size(SIZES[size])
    page.goto(f"{root.split('integrations/', maxsplit=1)[0]}records/{failed[-1].pk}/")
    shot(f"repair-record-{size}")
    page.get_by_role("button", name="Try without writing").click()
    expect(page.get_by_text("It would be posted to SAP as PurchaseInvoices.")).to_be_visible()
    expect(page.get_by_text("Nothing was written anywhere.")).to_be_visible()
    assert_fits(page)
    shot(f"repair-tried-{size}")
    assert complaints == []
