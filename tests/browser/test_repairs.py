"""The fix-it inbox in the browser: a closed account, another one chosen from SAP, previewed, replayed, posted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from syncengine.models import Record, Repair
from syncengine.repairs import choices, effects
from syncengine.repairs.choices import Choice
from syncengine.sandbox.launch import Sandboxes
from tenants.models import Integration, Organization
from tests import factories
from tests.browser.test_pages import assert_fits, integration, root, signed_in
from tests.engine import world as worlds
from tests.engine.test_repair import documents, work_on
from tests.engine.world import World

__all__ = ["integration", "root", "signed_in"]

SIZES = {"1440": {"width": 1440, "height": 900}, "360": {"width": 360, "height": 780}}
SOON = 20_000
CLOSED = "problems: G/L account 4010 is frozen in SAP."
ACCOUNT, OTHER = "5006", "6701"


@pytest.fixture
def causes(integration: Integration) -> None:
    """An inbox of an ordinary Monday."""
    now = timezone.now()

    def make(count: int, why: str, amount: str, **fields: object) -> None:
        for number in range(count):
            given = {
                "status": "failed", "error_code": why.partition(":")[0], "cause": why, "failed_for": why,
                "failed_at": now - timedelta(minutes=7 * number), "amount": Decimal(amount) + number,
                "currency": "EUR", "title": f"RE-{4700 + number} Nordic Paper Oy", "stage": "acknowledged", **fields,
            }  # fmt: skip
            factories.invoice(integration, **given)

    make(37, CLOSED, "2176.65")
    make(3, "problems: The posting period of 2026-10-31 is locked in SAP.", "8400.00")
    make(2, "problems: Tax code I99 does not exist in SAP.", "310.25", currency="USD")
    make(1, "needs_decision: Something in SAP looks like this invoice.", "99.90", decisions=["adopt", "post"])
    make(4, "unavailable: SAP does not answer.", "12", status="waiting", failed_for="")
    make(5, "problems: Cost center 120 is not active in SAP.", "55", status="done", cause="", mended_at=now)
    Repair.objects.create(
        integration=integration, flow="invoices", cause="problems: Tax code I99 does not exist in SAP.",
        assignee=factories.member(integration.organization, "operator", email="kaisa.virtanen@nordic.example.com"),
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_the_inbox_and_a_cause_fit_and_stay_quiet(
    page: Page,
    root: str,
    causes: None,
    complaints: list[str],
    shot: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    size: str,
) -> None:
    found = [Choice("4011", "Goods purchased, EU"), Choice("4012", "Goods purchased, import, with a rather long name")]
    monkeypatch.setattr(choices, "search", lambda integration, table, text: found)
    tried = effects.Effect(37, 37)
    tried.good["posted"], tried.bad["still fail"] = 34, 3
    tried.why["Vendor V20000 is frozen in SAP."] = 3
    tried.sums["EUR"] = Decimal("74675.20")
    tried.examples = [(Record.objects.filter(failed_for=CLOSED).first().pk, "RE-4700 Nordic Paper Oy", "frozen")]
    monkeypatch.setattr(effects, "try_out", lambda integration, group, mapping: tried)
    page.set_viewport_size(SIZES[size])
    for state in ("open", "retrying", "snoozed", "resolved"):
        page.goto(f"{root}repairs/?state={state}")
        expect(page.get_by_role("heading", name="Fix-it inbox")).to_be_visible()
        assert_fits(page)
        shot(f"repairs-{state}-{size}")
    page.goto(f"{root}repairs/")
    page.get_by_role("link", name="Account 4010 is closed in SAP").click()
    page.get_by_label("4011").check()
    page.get_by_role("button", name="Preview the effect").click()
    expect(page.get_by_text("34 would be posted, 3 would still fail.")).to_be_visible()
    assert_fits(page)
    shot(f"repairs-cause-{size}")
    page.get_by_label("Note").fill("The controller knows.")
    page.get_by_role("button", name="Add the note").click()
    page.get_by_role("button", name="Replay as they are").click()
    expect(page.get_by_text("0 of 37 came through")).to_be_visible()
    assert_fits(page)
    shot(f"repairs-retrying-cause-{size}")
    cause = {"flow": "invoices", "cause": "needs_decision: Something in SAP looks like this invoice."}
    page.goto(f"{root}repairs/cause/?{urlencode(cause)}")
    assert_fits(page)
    shot(f"repairs-decide-{size}")
    assert complaints == []


@pytest.fixture
def real(site: str, sandboxes: Sandboxes, context: BrowserContext) -> tuple[World, str]:
    """An organization connected to both sandboxes, its owner signed in."""
    organization: Organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    made = factories.IntegrationFactory(organization=organization, name="Finland")
    worlds.connect(made, sandboxes)
    worlds.no_sweep()
    signed_in.__wrapped__(context, site, made)
    return World(made, sandboxes), f"{site}/o/{organization.slug}/integrations/{made.pk}/"


def test_a_closed_account_is_mended_in_place_until_everything_is_posted(
    page: Page, real: tuple[World, str], complaints: list[str], shot: Callable[[str], None]
) -> None:
    world, root = real
    world.change("ChartOfAccounts", ACCOUNT, FrozenFor="tYES")
    for key, document in documents(world).items():
        if ACCOUNT in {row.get("accountCode") for row in document.get("codingRows", ())}:
            work_on(world, key)
    cause = f"problems: G/L account {ACCOUNT} is frozen in SAP."
    count = Record.objects.filter(failed_for=cause).count()
    assert count > 1

    page.set_viewport_size(SIZES["1440"])
    page.goto(f"{root}repairs/")
    page.get_by_role("link", name=f"Account {ACCOUNT} is closed in SAP").click()
    page.get_by_label("becomes which account?").fill(OTHER)
    choice = page.get_by_role("radio", name=OTHER)
    expect(page.get_by_role("radio")).to_have_count(1, timeout=SOON)
    choice.check()
    page.get_by_role("button", name="Preview the effect").click()
    expect(page.get_by_text(f"{count} would be posted.")).to_be_visible(timeout=SOON)
    shot("repairs-real-preview")
    page.get_by_role("button", name=f"Translate and replay {count}").click()
    expect(page.get_by_text(f"{count} invoices on their way again, as one act.")).to_be_visible(timeout=SOON)
    world.work()
    expect(page.get_by_text(f"{count} of {count} came through")).to_be_visible(timeout=SOON)
    page.goto(f"{root}repairs/?state=resolved")
    expect(page.get_by_role("link", name=f"Account {ACCOUNT} is closed in SAP")).to_be_visible()
    page.get_by_role("link", name=f"Account {ACCOUNT} is closed in SAP").click()
    expect(page.get_by_text("Nothing of it is open any more.")).to_be_visible()
    expect(page.get_by_text(f"{ACCOUNT} → {OTHER} in accounts, version 1 of the mapping").first).to_be_visible()
    shot("repairs-real-resolved")
    page.goto(f"{root}repairs/")
    expect(page.get_by_text("Nothing needs you")).to_be_visible()
    assert complaints == []
