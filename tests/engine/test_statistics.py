"""Figures: counted by the worker from what happened, in the organization's days, each currency for itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.views.flow_rows import flow_rows
from syncengine.audit import record_event
from syncengine.engine import locks, statistics
from syncengine.engine.statistics import attention, percentile, refresh, statistics_of
from syncengine.engine.work import Deadline
from syncengine.models import DayFigures, Figures, PostedDocument, Record
from tests import factories

# Two hours before midnight in Helsinki, which is an hour of the next day in UTC+3.
EVENING = datetime(2026, 5, 4, 19, 0, tzinfo=UTC)


@pytest.fixture
def integration(db):
    organization = factories.OrganizationFactory(time_zone="Europe/Helsinki")
    return factories.IntegrationFactory(organization=organization)


@pytest.fixture
def clock(time_machine):
    """Stands still until it is moved."""
    time_machine.move_to(EVENING, tick=False)
    return time_machine


def happened(integration, action, at, times=1):
    for _ in range(times):
        factories.AuditEventFactory(
            organization=integration.organization, integration=integration, action=action, created_at=at
        )


def posted(integration, approved_at, seconds, **fields):
    """An invoice that was posted so long after its approval."""
    record = factories.invoice(integration, offered_at=approved_at)
    document = PostedDocument.objects.create(
        integration=integration,
        record=record,
        company="sap/SBO",
        entity_set="PurchaseInvoices",
        doc_entry=record.pk,
        doc_num=record.pk,
        invoice_id=record.key,
        card_code="V1",
        num_at_card="4711",
        **fields,
    )
    PostedDocument.objects.filter(pk=document.pk).update(created_at=approved_at + timedelta(seconds=seconds))


def day_of(integration, day):
    today = max(day, timezone.now().date())
    return next(one for one in statistics_of(integration, today).days if one.day == day)


def test_outcomes_are_counted_by_the_days_of_the_organization(integration, clock):
    clock.move_to(datetime(2026, 5, 6, 9, 0, tzinfo=UTC))
    happened(integration, "record.confirmed", EVENING, 2)
    happened(integration, "record.done", EVENING)
    happened(integration, "record.failed", EVENING + timedelta(hours=3))
    happened(integration, "record.replayed", EVENING)
    refresh(integration)
    assert (day_of(integration, date(2026, 5, 4)).done, day_of(integration, date(2026, 5, 4)).failed) == (3, 0)
    assert (day_of(integration, date(2026, 5, 5)).done, day_of(integration, date(2026, 5, 5)).failed) == (0, 1)


def test_another_integration_s_records_are_not_counted(integration, clock):
    clock.move_to(EVENING)
    happened(factories.IntegrationFactory(organization=integration.organization), "record.done", EVENING)
    refresh(integration)
    assert not DayFigures.objects.exists()


def test_counting_again_changes_nothing_and_adds_what_came_since(integration, clock):
    clock.move_to(EVENING)
    happened(integration, "record.done", EVENING)
    refresh(integration)
    refresh(integration)
    assert day_of(integration, date(2026, 5, 4)).done == 1
    happened(integration, "record.done", EVENING)
    refresh(integration)
    assert day_of(integration, date(2026, 5, 4)).done == 2


def test_what_was_written_around_midnight_is_counted_after_it(integration, clock):
    midnight = datetime(2026, 5, 4, 21, 0, tzinfo=UTC)
    clock.move_to(midnight + timedelta(minutes=5))
    refresh(integration)
    happened(integration, "record.done", midnight - timedelta(seconds=1))  # its transaction ended late
    clock.move_to(midnight + timedelta(minutes=6))
    refresh(integration)
    assert day_of(integration, date(2026, 5, 4)).done == 1


def test_days_without_anything_are_there_and_empty(integration):
    days = statistics_of(integration, date(2026, 5, 4)).days
    assert [days[0].day, days[-1].day, len(days)] == [date(2026, 4, 5), date(2026, 5, 4), 30]
    assert not any(day.done or day.failed or day.posted for day in days)


def test_the_time_from_approval_to_posting_has_its_median_and_its_slow_end(integration, clock):
    clock.move_to(EVENING + timedelta(hours=1))
    for seconds in range(10, 110, 10):
        posted(integration, EVENING, seconds)
    refresh(integration)
    day = day_of(integration, date(2026, 5, 4))
    assert (day.posted, day.median_seconds, day.slow_seconds) == (10, 50.0, 100.0)


def test_documents_that_were_there_before_and_invoices_without_approval_have_no_time(integration, clock):
    clock.move_to(EVENING + timedelta(hours=1))
    posted(integration, EVENING, 60, adopted=True)
    posted(integration, EVENING, 60)
    Record.objects.filter(pk=Record.objects.last().pk).update(offered_at=None)
    refresh(integration)
    assert day_of(integration, date(2026, 5, 4)).median_seconds is None


@pytest.mark.parametrize(
    ("values", "share", "found"), [([7], 0.5, 7), ([7], 0.95, 7), ([1, 2], 0.5, 1), ([3, 1, 2], 0.95, 3)]
)
def test_a_percentile_is_a_value_that_really_was(values, share, found):
    assert percentile(values, share) == found


def test_invoices_by_stage_keep_each_currency_for_itself(integration):
    factories.invoice(integration, stage="checked", amount=Decimal("100.10"), status="failed")
    factories.invoice(integration, stage="checked", amount=Decimal("0.20"))
    factories.invoice(integration, stage="checked", amount=Decimal(5000), currency="SEK")
    factories.invoice(integration, stage="checked", amount=None, currency="")
    factories.invoice(integration, stage="posted", status="ignored")
    factories.RecordFactory(integration=integration, stage="checked")
    refresh(integration)
    stages = {one.stage: one for one in statistics_of(integration, date(2026, 5, 4)).stages}
    assert list(stages) == ["received", "acknowledged", "checked", "posted", "confirmed", "paid"]
    assert (stages["checked"].count, stages["checked"].failed) == (4, 1)
    assert stages["checked"].amounts == [("SEK", Decimal("5000.000000")), ("EUR", Decimal("100.300000"))]
    assert stages["posted"].count == 0


def test_before_anything_was_counted_the_figures_say_so(integration):
    found = statistics_of(integration, date(2026, 5, 4))
    assert found.counted_at is None
    assert {one.count for one in found.stages} == {0}


def test_reading_the_figures_asks_twice_however_much_there_is(integration):
    refresh(integration)
    with CaptureQueriesContext(connection) as asked:
        statistics_of(integration, timezone.now().date())
    assert len(asked) == 2


def test_every_integration_is_counted_once_a_minute_by_whoever_comes_first(integration, clock):
    assert statistics.is_due(timezone.now())
    assert statistics.count_due(Deadline(1)) is True
    assert Figures.objects.get(integration=integration).counted_at == timezone.now()
    assert statistics.count_due(Deadline(1)) is False
    clock.move_to(timezone.now() + timedelta(seconds=61), tick=False)
    assert statistics.is_due(timezone.now())


def test_the_lock_of_the_count_is_not_another_s(integration):
    assert locks.taken_for("notices", seconds=60)
    assert statistics.count_due(Deadline(1)) is True


def failed(integration, cause, days_old=0, **fields):
    record = factories.FailedRecordFactory(integration=integration, cause=cause, **fields)
    Record.objects.filter(pk=record.pk).update(created_at=timezone.now() - timedelta(days=days_old))
    return record


def test_what_needs_a_person_comes_by_money_and_then_by_age(integration):
    failed(integration, "young", 1)
    failed(integration, "old", 9)
    failed(integration, "little", amount=Decimal(10), currency="EUR")
    for _ in range(2):
        failed(integration, "much", amount=Decimal(400), currency="EUR")
    assert [group.cause for group in attention(integration, 8)] == ["much", "little", "old", "young"]


def test_a_group_names_its_amounts_by_currency_its_age_and_its_newest_record(integration):
    failed(integration, "closed", 5, amount=Decimal(10), currency="SEK")
    failed(integration, "closed", 1, amount=Decimal(7), currency="EUR")
    newest = failed(integration, "closed", 2, amount=Decimal("0.5"), currency="EUR", error_message="Account 4010.")
    [group] = attention(integration, 8)
    assert (group.count, group.code, group.flow) == (3, "mapping", "vendors")
    assert group.amounts == [("SEK", Decimal(10)), ("EUR", Decimal("7.5"))]
    assert timezone.now() - group.oldest_at >= timedelta(days=5)
    assert (group.sample, group.sample.error_message) == (newest, "Account 4010.")


def test_only_so_many_groups_are_shown(integration):
    for number in range(4):
        failed(integration, f"cause {number}")
    assert len(attention(integration, 3)) == 3


def test_what_the_engine_tells_is_what_is_counted(integration):
    record = factories.RecordFactory(integration=integration)
    record_event(integration.organization, "system", "record.done", integration=integration, record=record)
    refresh(integration)
    today = timezone.now().astimezone(integration.organization.zone).date()
    assert day_of(integration, today).done == 1


LARGE = ("syncengine_record", "syncengine_audit_event", "syncengine_posteddocument", "syncengine_run")


def plans(asked):
    """How SQLite goes about each question that was asked."""
    for query in asked:
        if query["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                yield from (row[-1] for row in cursor.fetchall())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans tables that are as small as a test's")
@pytest.mark.parametrize("question", [refresh, lambda integration: attention(integration, 8), flow_rows])
def test_no_question_scans_a_large_table(integration, question):
    with CaptureQueriesContext(connection) as asked:
        question(integration)
    steps = list(plans(asked))
    assert [step for step in steps if "INDEX" in step]
    assert not [step for step in steps if step.startswith("SCAN") and any(table in step for table in LARGE)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL spills what it puts in order to files")
def test_the_day_s_events_are_counted_without_putting_them_in_order(integration):
    with CaptureQueriesContext(connection) as asked:
        refresh(integration)
    of_events = [query for query in asked if "audit_event" in query["sql"]]
    assert of_events
    assert not [step for step in plans(of_events) if "TEMP B-TREE" in step]


def test_others_can_write_while_it_is_counted(transactional_db, integration):
    in_transaction = []

    def note(execute, sql, *arguments):
        if "COUNT(" in sql:
            in_transaction.append(connection.in_atomic_block)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        refresh(integration)
    assert in_transaction
    assert not any(in_transaction)
