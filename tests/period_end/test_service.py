"""Both real sandboxes: what is read for a period, what is remembered of it, and when its books close."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import timezone

from syncengine.models import AuditEvent, PeriodEnd
from syncengine.period_end import service
from syncengine.period_end.core import holding, periods_of
from tests import factories
from tests.reconciliation.books import day_of

ANNA = "anna@nordic-paper.example.com"


@pytest.fixture
def day(books) -> date:
    """A day in the period of the first invoice."""
    return day_of(books.invoices[0])


def answers(row):
    return {one["name"]: one["ok"] for one in row.report["checks"]}


def test_a_period_is_read_remembered_and_told(books, day):
    row = service.read(books.world.integration, day, ANNA)
    kept = PeriodEnd.objects.get()
    assert kept.first <= day <= kept.last
    assert kept.report == row.report
    assert (kept.read_by, kept.read_at is not None) == (ANNA, True)
    assert kept.report["invoices"] >= 1
    assert answers(kept)["missing"] is True
    assert all(not one["difference"] for one in kept.report["totals"])
    assert AuditEvent.objects.get(action="period.read").actor == ANNA


def test_read_again_the_period_has_one_row_with_the_news(books, day):
    service.read(books.world.integration, day, ANNA)
    books.drop(0)
    row = service.read(books.world.integration, day, ANNA)
    assert PeriodEnd.objects.count() == 1
    assert answers(row)["missing"] is False
    assert answers(row)["totals"] is False
    assert row.report["green"] is False
    assert any(isinstance(one["difference"], Decimal) and one["difference"] for one in row.report["totals"])


def test_the_calls_are_those_of_a_reconciliation_and_one_for_each_fiscal_year(books, day):
    books.world.sandboxes.sap.requests.clear()
    service.read(books.world.integration, day, ANNA)
    counts = books.world.sandboxes.sap.requests.counts()
    assert sum(counts.values()) < 30
    assert 1 <= sum(count for name, count in counts.items() if "GetFinancePeriods" in name) <= 4


def test_a_day_without_a_period_is_said_to_whoever_asks(books):
    with pytest.raises(service.NoSuchPeriod, match="no posting period for 1 January 2050"):
        service.read(books.world.integration, date(2050, 1, 1), ANNA)
    assert not PeriodEnd.objects.exists()


def test_what_is_open_here_is_in_the_reading(books, day):
    factories.RecordFactory(
        integration=books.world.integration,
        flow="invoices",
        status="failed",
        stage="received",
        currency="EUR",
        amount=Decimal("10.10"),
        source={"voucherDate": day.isoformat()},
    )
    row = service.read(books.world.integration, day, ANNA)
    assert answers(row)["failed"] is False
    assert row.report["stages"] == [
        {"stage": "received", "count": 1, "failed": 1, "amounts": {"EUR": Decimal("10.10")}}
    ]
    assert [one["count"] for one in row.report["landings"]] == [1]


def test_sap_s_own_periods_are_those_of_the_contract(world):
    from syncengine.engine.connections import systems
    from syncengine.posting.lookups import SapFacts

    with systems(world.integration) as both:
        periods = periods_of(SapFacts(both.sap, timezone.now).periods())
    today = timezone.now().date()
    assert holding(periods, today).is_open
    assert not periods[0].is_open
    assert all(one.last + timedelta(days=1) == two.first for one, two in pairwise(periods))


@pytest.fixture
def ends(db):
    """April and May of one integration."""
    integration = factories.IntegrationFactory()
    days = [(date(2026, 4, 1), date(2026, 4, 30)), (date(2026, 5, 1), date(2026, 5, 31))]
    return [PeriodEnd.objects.create(integration=integration, first=first, last=last) for first, last in days]


def test_the_cutoff_is_the_usual_one_until_somebody_chooses(ends):
    april, may = ends
    assert service.cutoff_of(may) == (date(2026, 6, 5), False)
    service.choose_cutoff(april, date(2026, 5, 3), ANNA)
    assert service.cutoff_of(april) == (date(2026, 5, 3), True)
    assert service.cutoff_of(may) == (date(2026, 6, 3), False)
    service.choose_cutoff(april, None, ANNA)
    assert service.cutoff_of(april) == (date(2026, 5, 5), False)
    assert AuditEvent.objects.filter(action="period.cutoff_chosen").count() == 2


def test_only_runs_in_earnest_that_came_through_have_looked(ends):
    integration, now = ends[0].integration, timezone.now()
    assert service.surroundings(integration, now).looked_at is None
    common = {"integration": integration, "flow": "invoices", "started_at": now, "finished_at": now}
    factories.RunFactory(**common, status="failed")
    factories.RunFactory(**common, status="succeeded", mode="dry_run")
    assert service.surroundings(integration, now).looked_at is None
    factories.RunFactory(**common, status="succeeded")
    assert service.surroundings(integration, now).looked_at == now
