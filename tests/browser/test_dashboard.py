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
    given = {"status": "succeeded", "read": 120, "sent": 4, "confirmed": 4, "started_at": at - timedelta(minutes=2)}
    run: Run = factories.RunFactory(integration=integration, flow=flow, finished_at=at, **{**given, **fields})
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
