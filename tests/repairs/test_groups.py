"""What is open, retrying and resolved, counted from the records."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from syncengine.models import Record, Repair
from syncengine.repairs import groups
from syncengine.repairs.groups import State
from tests import factories
from tests.repairs.conftest import CLOSED

OTHER = "problems: Vendor V1 is frozen in SAP."


def of(integration, state, **options):
    found = groups.of_integration(integration, resolved=state == State.RESOLVED)
    return groups.listed(found, state, **options)


def test_records_of_one_cause_are_counted_with_their_money_by_currency(integration, failed):
    failed(3)
    failed(2, currency="USD", amount=Decimal("7"))
    (group,) = of(integration, State.OPEN)
    assert (group.flow, group.cause, group.open.count) == ("invoices", CLOSED, 5)
    assert group.open.sums == {"EUR": Decimal("300.30"), "USD": Decimal(14)}
    assert group.open.most == Decimal("300.30")


def test_the_most_money_comes_first_and_the_newest_when_asked_for(integration, failed):
    failed(1, failed_for=CLOSED, amount=Decimal(500))
    failed(1, failed_for=OTHER, amount=Decimal(50))
    Record.objects.filter(failed_for=CLOSED).update(failed_at=timezone.now() - timedelta(days=2))
    assert [group.cause for group in of(integration, State.OPEN)] == [CLOSED, OTHER]
    assert [group.cause for group in of(integration, State.OPEN, newest_first=True)] == [OTHER, CLOSED]


def test_records_without_an_amount_are_counted(integration, failed):
    failed(2, amount=None, currency="")
    (group,) = of(integration, State.OPEN)
    assert (group.open.count, group.open.sums, group.open.most) == (2, {}, 0)


@pytest.mark.parametrize("status", ["pending", "in_progress", "waiting"])
def test_what_failed_and_is_on_its_way_again_is_retrying_under_its_old_cause(integration, failed, status):
    failed(1)
    failed(2, status=status, cause="", error_code="")
    (group,) = of(integration, State.RETRYING)
    assert (group.cause, group.retrying.count, group.open.count) == (CLOSED, 2, 1)
    assert list(group.states()) == [State.OPEN, State.RETRYING]
    assert groups.records_of(integration, "invoices", CLOSED, "retrying").count() == 2


def test_what_waits_for_its_next_try_by_itself_is_retrying(integration, failed):
    waits = "unavailable: SAP does not answer."
    failed(2, "", cause=waits, status="waiting")
    (group,) = of(integration, State.RETRYING)
    assert (group.cause, group.retrying.count) == (waits, 2)
    assert groups.records_of(integration, "invoices", waits, "retrying").count() == 2
    assert of(integration, State.OPEN) == []


def test_a_cause_is_resolved_when_all_of_it_came_through_and_not_before(integration, failed):
    first, second = failed(2)
    Record.objects.filter(pk=first.pk).update(status="done", mended_at=timezone.now())
    assert of(integration, State.RESOLVED) == []
    Record.objects.filter(pk=second.pk).update(status="done", mended_at=timezone.now())
    (group,) = of(integration, State.RESOLVED)
    assert (group.resolved.count, group.resolved.sums) == (2, {"EUR": Decimal("200.20")})
    assert group.resolved.newest_at is not None
    assert of(integration, State.OPEN) == []


def test_what_was_resolved_long_ago_is_not_listed_any_more(integration, failed):
    failed(1, status="done", mended_at=timezone.now() - timedelta(days=groups.RESOLVED_DAYS + 1))
    assert of(integration, State.RESOLVED) == []


def test_a_snoozed_cause_is_listed_apart_until_its_day(integration, failed):
    failed(1)
    repair = Repair.objects.create(
        integration=integration, flow="invoices", cause=CLOSED, snoozed_until=timezone.now() + timedelta(days=1)
    )
    assert of(integration, State.OPEN) == []
    assert len(of(integration, State.SNOOZED)) == 1
    Repair.objects.filter(pk=repair.pk).update(snoozed_until=timezone.now() - timedelta(seconds=1))
    assert len(of(integration, State.OPEN)) == 1


def test_what_is_ignored_or_of_another_integration_is_not_listed(integration, failed):
    failed(1, status="ignored")
    factories.invoice(factories.IntegrationFactory(), status="failed", failed_for=CLOSED)
    assert groups.of_integration(integration, resolved=True) == []


def test_the_same_words_in_another_flow_are_another_cause(integration, failed):
    failed(1)
    failed(1, flow="payments")
    assert {group.flow for group in of(integration, State.OPEN)} == {"invoices", "payments"}


def test_one_cause_knows_all_its_parts(integration, failed):
    failed(1)
    failed(1, status="pending", cause="")
    failed(1, status="done", cause="", mended_at=timezone.now())
    group = groups.one(integration, "invoices", CLOSED)
    assert group is not None
    assert (group.open.count, group.retrying.count, group.resolved.count) == (1, 1, 1)
    assert groups.one(integration, "invoices", "problems: nobody ever") is None


def test_a_cause_that_somebody_spoke_of_stays_reachable_without_records(integration):
    Repair.objects.create(integration=integration, flow="invoices", cause=CLOSED)
    group = groups.one(integration, "invoices", CLOSED)
    assert group is not None
    assert list(group.states()) == []


def test_the_list_asks_a_constant_number_however_much_there_is(integration, failed):
    def asked():
        with CaptureQueriesContext(connection) as captured:
            groups.samples_of(of(integration, State.RESOLVED), State.RESOLVED)
        return len(captured)

    failed(1, status="done", mended_at=timezone.now())
    before = asked()
    for number in range(12):
        failed(3, failed_for=f"problems: {number}")
        failed(1, failed_for=f"problems: {number} over", status="done", mended_at=timezone.now())
    assert asked() == before <= 6


def test_open_records_are_counted_no_further_than_needed(integration, failed):
    failed(4)
    assert groups.failed_up_to(integration, 3) == 3
    assert groups.failed_up_to(integration, 10) == 4
