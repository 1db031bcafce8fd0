"""The overview, a run and a schedule as people see them, with a month of work behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from syncengine.engine import flow_states
from syncengine.models import DayFigures, Figures, FlowState, Record, Run
from tenants.models import Integration
from tests import factories
from tests.browser.test_pages import assert_fits, integration, root, signed_in

__all__ = ["integration", "root", "signed_in"]

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 780}}
FLOWS = ("gl_accounts", "cost_centers", "tax_codes", "payment_terms", "projects", "purchase_orders", "invoices")


@pytest.fixture
def month(integration: Integration) -> Integration:
    """Thirty days of figures, a run of each flow, failures with money."""
    now = timezone.now()
    for back in range(30):
        busy = 40 + (back * 37) % 90
        DayFigures.objects.create(
            integration=integration,
            day=(now - timedelta(days=back)).date(),
            done=0 if back % 7 in (3, 4) else busy,
            failed=back % 5 if back % 7 not in (3, 4) else 0,
            posted=0 if back % 7 in (3, 4) else busy // 3,
            median_seconds=None if back % 7 in (3, 4) else 60.0 + busy,
            slow_seconds=None if back % 7 in (3, 4) else 200.0 + busy * 5,
        )
    stages = [
        ("received", 4, 0, "8120.5"),
        ("checked", 12, 9, "81204"),
        ("posted", 31, 0, "220400.1"),
        ("paid", 640, 0, "4120999.99"),
    ]
    rows = [{"stage": s, "currency": "EUR", "count": c, "failed": f, "amount": Decimal(a)} for s, c, f, a in stages]
    rows.append({"stage": "checked", "currency": "SEK", "count": 3, "failed": 1, "amount": Decimal(12000)})
    Figures.objects.create(integration=integration, stages=rows, counted_at=now)
    for hours, flow in enumerate(FLOWS):
        ran(integration, flow, now - timedelta(hours=hours * 5, minutes=4))
    for number in range(9):
        factories.invoice(
            integration, title=f"Nordic Paper RE-90{number}", status="failed", stage="checked", amount=Decimal(9022),
            error_code="problems", cause="problems: G/L account 4010 is closed in SAP.",
            error_message="G/L account 4010 is closed in SAP.", error_hint="Open the account, or choose another.",
        )  # fmt: skip
    Record.objects.filter(cause__startswith="problems").update(created_at=now - timedelta(days=3))
    return integration


def ran(integration: Integration, flow: str, at: Any, **fields: Any) -> Run:
    """The flow's last run, which ended then."""
    flow_states.states(integration)
    given: dict[str, Any] = {"status": "succeeded", "read": 120, "sent": 4, "confirmed": 4}
    given |= {"started_at": at - timedelta(minutes=2)}
    given |= {"finished_at": at, **fields}
    run: Run = factories.RunFactory(integration=integration, flow=flow, **given)
    FlowState.objects.filter(integration=integration, flow=flow).update(last_run=run)
    return run


@pytest.mark.parametrize("size", SIZES)
def test_the_overview_fits_and_shows_a_month(
    page: Page, root: str, month: Integration, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(root)
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    assert_fits(page)
    shot(f"overview-{size}")
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_before_anything_has_happened_every_part_says_so(
    page: Page, root: str, integration: Integration, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    integration.connections.all().delete()
    Run.objects.all().delete()
    Record.objects.all().delete()
    page.set_viewport_size(SIZES[size])
    page.goto(root)
    for words in ("Neither system is connected yet", "No run yet", "No invoice has come yet"):
        expect(page.get_by_text(words)).to_be_visible()
    assert_fits(page)
    shot(f"overview-empty-{size}")
    assert complaints == []


def test_a_click_anywhere_on_a_row_of_the_picture_leads_to_the_flow(page: Page, root: str, month: Integration) -> None:
    page.goto(root)
    page.locator(".picture-flow", has_text="Vendors").click(position={"x": 220, "y": 20})
    expect(page.get_by_role("heading", name="Vendors")).to_be_visible()


def test_the_picture_stays_where_it_is_while_it_renews_itself(page: Page, root: str, month: Integration) -> None:
    page.goto(root)
    below = page.get_by_role("heading", name="The last 30 days")
    before = below.bounding_box()
    ran(month, "vendors", timezone.now(), status="running")
    factories.FailedRecordFactory.create_batch(3, integration=month, error_code="import_failed")
    with page.expect_response(lambda answer: answer.url.endswith("/live/")):
        pass  # it asks by itself
    expect(page.locator(".picture-flow", has_text="Vendors").get_by_text("Running", exact=True)).to_be_visible()
    assert below.bounding_box() == before


def test_an_overview_that_cannot_be_renewed_says_so_and_takes_it_back(page: Page, root: str) -> None:
    page.goto(root)
    note = page.get_by_text("The portal does not answer just now")
    expect(note).to_be_hidden()
    page.route("**/live/", lambda route: route.abort())
    expect(note).to_be_visible(timeout=10_000)
    page.unroute("**/live/")
    expect(note).to_be_hidden(timeout=10_000)


def test_a_plot_is_a_table_for_whoever_prefers_one(page: Page, root: str, month: Integration) -> None:
    page.goto(root)
    page.locator("summary", has_text="As a table").first.click()
    expect(page.get_by_role("region", name="Records done and failed as a table")).to_be_visible()


@pytest.fixture
def runs(month: Integration) -> dict[str, Run]:
    """One of each kind that has something of its own to show."""
    now = timezone.now()
    counts = {"read": 1240, "expected": 5000, "sent": 310, "confirmed": 290, "failed": 6, "created": 12, "updated": 298}
    taken_up = {"resumes": 1, "cursor": {"resumed": "resumed after V00512"}}
    begun = {"status": "running", "started_at": now - timedelta(seconds=40), "finished_at": None}
    under_way = ran(month, "vendors", now, **counts, **taken_up, **begun)
    held = ran(
        month, "projects", now, status="partial", error_code="closing_needs_approval", closings_held=64, mode="full"
    )
    given = {"integration": month, "flow": "projects", "status": "done", "confirmed_fingerprint": "f"}
    for number in range(64):
        factories.RecordFactory(**given, key=f"P{number:03}", title=f"P{number:03} Mill Kemi {number}")
    result = {"counts": {"unchanged": 110, "change": 9, "fail": 1}, "totals": {"change": {"EUR": "81204.10"}}}
    dry = ran(month, "tax_codes", now, mode="dry_run", result=result)
    return {"under-way": under_way, "held": held, "dry": dry}


@pytest.mark.parametrize("size", SIZES)
def test_runs_and_schedules_fit(
    page: Page, root: str, runs: dict[str, Run], complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    base = root.split("integrations/", maxsplit=1)[0]
    paths = {f"run-{name}": f"{base}runs/{run.pk}/" for name, run in runs.items()}
    paths |= {"flows-all": f"{root}flows/", "runs-all": f"{root}runs/"}
    for name, path in paths.items():
        page.goto(path)
        expect(page.locator("main h1")).to_be_visible()
        assert_fits(page)
        shot(f"{name}-{size}")
    page.goto(f"{root}flows/vendors/")
    page.locator("#id_full_schedule").fill("* * * * *")
    expect(page.get_by_text("Think twice")).to_be_visible()
    assert_fits(page)
    shot(f"schedule-{size}")
    assert complaints == []


def test_a_run_is_stopped_only_after_a_second_yes(page: Page, root: str, runs: dict[str, Run]) -> None:
    base = root.split("integrations/", maxsplit=1)[0]
    page.goto(f"{base}runs/{runs['under-way'].pk}/")
    page.locator("summary", has_text="Stop …").click()
    expect(page.get_by_text("Nothing more is read or sent")).to_be_visible()
    page.get_by_role("button", name="Yes, stop this run").click()
    expect(page.get_by_text("The run stops after the page that is in flight.")).to_be_visible()
    assert Run.objects.get(pk=runs["under-way"].pk).cancel_requested
