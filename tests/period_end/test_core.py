"""The month-end guard without any system: periods, where invoices land, totals, and every check."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from syncengine.connectors import jsonio
from syncengine.period_end.core import (
    FinancePeriod,
    Landing,
    OpenInvoice,
    Surroundings,
    as_document,
    checks,
    holding,
    landings,
    lands_on,
    periods_of,
    remembered,
    stages,
    totals,
    usual_cutoff,
)
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.payments import PaymentOutcome
from tests.reconciliation.builders import approved, payment, posted, report, row

APRIL = FinancePeriod("2026-04", date(2026, 4, 1), date(2026, 4, 30), is_open=False)
MAY = FinancePeriod("2026-05", date(2026, 5, 1), date(2026, 5, 31), is_open=True)
JUNE = FinancePeriod("2026-06", date(2026, 6, 1), date(2026, 6, 30), is_open=True)
YEAR = [APRIL, MAY, JUNE]
WELL = Surroundings(datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 6, 1, 6, tzinfo=UTC), is_running=True)


def invoice(**changed):
    given = {
        "stage": "received",
        "failed": False,
        "currency": "EUR",
        "amount": Decimal("10.50"),
        "day": date(2026, 5, 4),
    }
    return OpenInvoice(**{**given, **changed})


def answers(*invoices, found=None, period=MAY, around=WELL, periods=YEAR, next_open_day=False):
    asked = checks(period, periods, found or report(right()), invoices, around, next_open_day=next_open_day)
    return {one.name: one for one in asked}


def right(**changed):
    return row(**{"expected": Decimal("125.50"), "sap_currency": "EUR", **changed})


def open_ones(*args, **more):
    return [name for name, one in answers(*args, **more).items() if not one.ok]


def sap(name, first, last, status="ltUnlocked", **more):
    return {"PeriodName": name, "PostingDateFrom": first, "PostingDateTo": last, "PeriodStatus": status, **more}


def test_sap_s_periods_come_in_order_of_time_and_say_whether_they_are_open():
    rows = [
        sap("2026-05", "2026-05-01", "2026-05-31"),
        sap("2026-04", "2026-04-01T00:00:00Z", "2026-04-30T00:00:00Z", "ltLocked"),
        sap("", "2026-06-01", "2026-06-30", "ltPeriodClosing", PeriodCode="06"),
        {"PeriodName": "without dates"},
    ]
    assert [(one.name, one.is_open) for one in periods_of(rows)] == [
        ("2026-04", False),
        ("2026-05", True),
        ("06", False),
    ]


def test_of_two_periods_of_a_day_the_open_one_counts():
    adjusting = replace(APRIL, name="adjusting", is_open=True)
    assert holding([APRIL, adjusting], date(2026, 4, 30)) == adjusting
    assert holding(YEAR, date(2027, 1, 1)) is None


@pytest.mark.parametrize(
    ("day", "moves", "lands"),
    [
        (date(2026, 4, 20), False, date(2026, 4, 20)),
        (date(2026, 4, 20), True, date(2026, 5, 1)),
        (date(2026, 5, 20), True, date(2026, 5, 20)),
        (date(2027, 5, 20), True, date(2027, 5, 20)),
    ],
)
def test_a_posting_date_moves_only_out_of_a_locked_period_and_only_if_it_may(day, moves, lands):
    assert lands_on(day, YEAR, next_open_day=moves) == lands


def test_where_nothing_later_is_open_the_day_stays():
    assert lands_on(date(2026, 4, 20), [APRIL], next_open_day=True) == date(2026, 4, 20)


def test_what_is_not_in_sap_yet_is_counted_by_the_period_it_will_land_in():
    invoices = [
        invoice(),
        invoice(day=date(2026, 4, 30), currency="USD"),
        invoice(stage="posted"),
        invoice(day=date(2030, 1, 1)),
    ]
    assert landings(invoices, YEAR, next_open_day=True) == [
        Landing("2026-05", 2, 1, {"EUR": Decimal("10.50"), "USD": Decimal("10.50")}),
        Landing("", 1, 0, {"EUR": Decimal("10.50")}),
    ]


def test_what_is_in_flight_is_counted_by_stage_and_never_added_up_over_currencies():
    found = stages([invoice(), invoice(failed=True, currency="USD"), invoice(stage="posted")])
    assert found[0] == {
        "stage": "received",
        "count": 2,
        "failed": 1,
        "amounts": {"EUR": Decimal("10.50"), "USD": Decimal("10.50")},
    }
    assert found[1]["stage"] == "posted"


def test_totals_are_by_branch_and_currency_and_credit_notes_take_away():
    credit = approved(entity_set="PurchaseCreditNotes", gross=Decimal(25))
    taken_back = posted(entity_set="PurchaseCreditNotes", gross=Decimal(25), branch="1")
    rows = [
        right(branch="1", documents=(posted(branch="1"),)),
        right(branch="1", expected=credit.expected, documents=(taken_back,)),
        right(branch="2", outcome=Outcome.MISSING, documents=()),
    ]
    first, second = totals(rows)
    assert (first.branch, first.expected, first.posted, first.difference) == (
        "1",
        Decimal("100.50"),
        Decimal("100.50"),
        0,
    )
    assert (second.branch, second.difference, second.invoices) == ("2", Decimal("-125.50"), 1)


def test_a_document_in_another_branch_shows_in_both():
    found = totals([right(branch="1", documents=(posted(branch="2"),))])
    assert [(one.branch, one.difference) for one in found] == [("1", Decimal("-125.50")), ("2", Decimal("125.50"))]


def test_a_complete_period_has_a_green_light():
    assert open_ones() == []
    assert as_document(MAY, YEAR, "SBO · 1000", report(right()), [], WELL, next_open_day=False)["green"] is True


def test_amounts_are_exact_when_they_are_remembered():
    whole = report(right(expected=Decimal(100), documents=(posted(gross=Decimal(100)),)))
    found = as_document(MAY, YEAR, "SBO · 1000", whole, [invoice(amount=Decimal(7))], WELL, next_open_day=False)
    again = remembered(jsonio.loads(jsonio.dumps(found)))
    assert (again["totals"], again["stages"], again["landings"]) == (
        found["totals"],
        found["stages"],
        found["landings"],
    )
    assert all(isinstance(one["difference"], Decimal) for one in again["totals"])
    assert isinstance(again["landings"][0]["amounts"]["EUR"], Decimal)


@pytest.mark.parametrize(
    ("one", "wanting"),
    [
        (invoice(), ["under_way"]),
        (invoice(failed=True), ["failed"]),
        (invoice(stage="posted"), ["under_way"]),
        (invoice(day=date(2026, 6, 2)), []),
        (invoice(day=date(2026, 4, 20)), []),
    ],
)
def test_an_open_invoice_holds_the_period_it_lands_in(one, wanting):
    assert open_ones(one) == wanting


def test_an_invoice_moved_out_of_a_locked_period_holds_the_one_it_moves_into():
    late = invoice(day=date(2026, 4, 20))
    assert open_ones(late, next_open_day=True) == ["under_way"]
    assert open_ones(late, period=APRIL, next_open_day=True) == []


def test_a_locked_period_is_fine_unless_something_would_still_land_in_it():
    assert answers(period=APRIL)["period"].number == "locked"
    assert open_ones(period=APRIL) == []
    assert open_ones(invoice(day=date(2026, 4, 20)), period=APRIL) == ["period", "under_way"]


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Outcome.MISSING, "missing"),
        (Outcome.FAILED, "missing"),
        (Outcome.DUPLICATE, "duplicates"),
        (Outcome.TOTALS_DIFFER, "unaltered"),
        (Outcome.NOT_CONFIRMED, "confirmed"),
        (Outcome.NOT_APPROVED, "approved"),
    ],
)
def test_each_finding_of_the_reconciliation_is_a_check(outcome, name):
    found = answers(found=report(right(), right(outcome=outcome)))
    assert [one.name for one in found.values() if not one.ok] == [name]
    assert (found[name].number, found[name].link) == ("1", "reconciliation")


def test_totals_that_differ_say_by_how_much():
    found = answers(found=report(right(expected=Decimal("125.51"))))
    assert (found["totals"].ok, found["totals"].number) == (False, "-0.01 EUR")


def test_payments_must_be_known_to_basware():
    assert open_ones(found=report(right(), payments=(payment(), payment(PaymentOutcome.NOT_CONFIRMED)))) == ["payments"]


@pytest.mark.parametrize(
    ("looked_at", "now", "ok"),
    [
        (None, WELL.now, False),
        (datetime(2026, 5, 20, tzinfo=UTC), WELL.now, False),
        (datetime(2026, 5, 20, 1, tzinfo=UTC), datetime(2026, 5, 20, 12, tzinfo=UTC), True),
        (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC), True),
    ],
)
def test_somebody_must_have_asked_basware_since_the_end_or_lately(looked_at, now, ok):
    assert answers(around=Surroundings(now, looked_at, is_running=True))["looked"].ok is ok


def test_the_day_of_the_last_look_is_that_of_its_zone():
    helsinki = ZoneInfo("Europe/Helsinki")
    looked_at = datetime(2026, 5, 31, 21, 30, tzinfo=UTC).astimezone(helsinki)
    found = answers(around=Surroundings(datetime(2026, 9, 1, tzinfo=UTC), looked_at, is_running=True))["looked"]
    assert (found.ok, found.number) == (True, "2026-06-01 00:30 (Europe/Helsinki)")


def test_an_integration_that_is_off_is_no_green_light():
    assert open_ones(around=replace(WELL, is_running=False)) == ["running"]


def test_the_next_period_must_be_there_and_open():
    assert open_ones(periods=[MAY]) == ["next"]
    assert open_ones(periods=[MAY, replace(JUNE, is_open=False)]) == ["next"]


def test_the_usual_cutoff_lies_after_the_end():
    assert usual_cutoff(MAY.last) == date(2026, 6, 5)
