"""The search box from the keyboard, and what it leads to, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tenants.models import Integration
from tests import factories
from tests.browser.test_pages import SIZES, assert_fits, integration, root, signed_in

__all__ = ["integration", "root", "signed_in"]


@pytest.mark.parametrize("size", SIZES)
def test_an_invoice_is_found_from_the_keyboard_and_its_page_tells_all(
    page: Page, root: str, integration: Integration, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    target = {"DocTotal": Decimal("1240.50"), "CardCode": "V20000", "Comments": "made here"}
    record = factories.invoice(
        integration, key="8f3a", title="RE-4712 Nordic Paper Oy", reference="RE-4712", party="V20000", stage="posted",
        status="done", source={"grossSum": Decimal("1240.50"), "supplierCode": "V20000"}, target=target,
    )  # fmt: skip
    attempt = factories.AttemptFactory(integration=integration, record=record, kind="post", state="done")
    factories.CallFactory(
        integration=integration, record=record, attempt=attempt, response_body='{"DocTotal": 1240.51}', system="sap_b1"
    )
    factories.RecordFactory(integration=integration, key="V20000", title="V20000 Nordic Paper Oy", status="done")
    factories.invoice(integration, reference="RE-4712", title="RE-4712 its twin")
    page.set_viewport_size({"width": 1440, "height": 900} if size == "desk" else SIZES[size])
    page.goto(f"{root}records/?status=failed")
    page.keyboard.press("/")
    page.keyboard.type("re-4712")
    expect(page.locator(".suggested a")).to_have_count(2)
    assert_fits(page)
    shot(f"search-suggestions-{size}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where is my invoice?")).to_be_visible()
    assert_fits(page)
    shot(f"search-found-{size}")
    page.get_by_role("link", name="RE-4712 Nordic Paper Oy").click()
    expect(page.get_by_role("heading", name="Field by field")).to_be_visible()
    expect(page.get_by_text("Same number")).to_be_visible()
    assert_fits(page)
    shot(f"search-record-{size}")
    assert complaints == []
