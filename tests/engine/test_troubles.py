"""Failed records by cause: added up at once, or by the worker where there are too many."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from syncengine.engine import troubles
from syncengine.engine.statistics import attention, refresh
from syncengine.models import Repair, Troubles
from syncengine.repairs import groups
from tests import factories

CAUSE = "problems: G/L account 4010 is closed in SAP."


@pytest.fixture
def few_are_many(monkeypatch):
    monkeypatch.setattr(troubles, "MANY", 3)


def fail(integration, count, cause=CAUSE, **fields):
    given = {"status": "failed", "error_code": "problems", "cause": cause, "failed_for": cause, **fields}
    return [factories.invoice(integration, failed_at=timezone.now(), **given) for _ in range(count)]


def test_few_are_added_up_while_one_waits(integration):
    fail(integration, 2)
    troubles.remember(integration)
    assert not Troubles.objects.exists()
    assert troubles.answer(integration, "failed") == troubles.Counted([{"flow": "invoices", "count": 2}])


@pytest.mark.parametrize("question", ["troubled", "attention", "failed"])
def test_what_was_counted_reads_as_what_is_counted_at_once(integration, few_are_many, question):
    fail(integration, 4)
    fail(integration, 1, currency="SEK", amount=Decimal("0.10"))
    fail(integration, 1, flow="vendors", amount=None, currency="")
    live = troubles.answer(integration, question)
    troubles.remember(integration)
    known = troubles.answer(integration, question)
    assert live.at is None
    assert known.at is not None
    assert sorted(known.rows, key=str) == sorted(live.rows, key=str)
    assert [type(value) for row in known.rows for value in row.values()] == [
        type(value) for row in live.rows for value in row.values()
    ]


def test_the_worker_counts_with_the_other_figures(integration, few_are_many):
    fail(integration, 3)
    refresh(integration)
    assert Troubles.objects.get().integration == integration


def test_pages_show_what_was_counted(integration, few_are_many):
    fail(integration, 3)
    troubles.remember(integration)
    fail(integration, 1)
    found = groups.of_integration(integration)
    assert [group.open.count for group in found] == [3]
    assert found.counted_at == Troubles.objects.get().counted_at
    assert [group.count for group in attention(integration, 8)] == [3]


def test_a_cause_that_somebody_has_acted_on_is_counted_anew(integration, few_are_many):
    failed = fail(integration, 3)
    other = fail(integration, 2, cause="problems: other")
    troubles.remember(integration)
    for record in (failed[0], other[0]):
        record.status = "pending"
        record.save()
    Repair.objects.create(integration=integration, flow="invoices", cause=CAUSE, acted_at=timezone.now())
    found = {group.cause: (group.open.count, group.retrying.count) for group in groups.of_integration(integration)}
    assert found == {CAUSE: (2, 1), "problems: other": (2, 0)}


def test_however_many_were_acted_on_it_is_one_more_question(integration, few_are_many, django_assert_num_queries):
    causes = [f"problems: {number}" for number in range(5)]
    for cause in causes:
        fail(integration, 2, cause=cause)
    troubles.remember(integration)
    acted = {"integration": integration, "flow": "invoices", "acted_at": timezone.now()}
    Repair.objects.create(cause=causes[0], **acted)
    with CaptureQueriesContext(connection) as of_one:
        groups.of_integration(integration)
    for cause in causes[1:]:
        Repair.objects.create(cause=cause, **acted)
    with django_assert_num_queries(len(of_one)):
        assert len(groups.of_integration(integration)) == 5


def test_a_cause_by_itself_is_always_counted_at_once(integration, few_are_many):
    fail(integration, 3)
    troubles.remember(integration)
    fail(integration, 1)
    assert groups.one(integration, "invoices", CAUSE).open.count == 4


def test_without_a_worker_pages_count_for_themselves_again(integration, few_are_many):
    fail(integration, 3)
    troubles.remember(integration)
    fail(integration, 1)
    Troubles.objects.update(counted_at=timezone.now() - troubles.COUNTS_FOR - timedelta(seconds=1))
    assert [group.open.count for group in groups.of_integration(integration)] == [4]


def test_nothing_is_kept_once_there_are_few_again(integration, few_are_many):
    failed = fail(integration, 3)
    troubles.remember(integration)
    failed[0].delete()
    troubles.remember(integration)
    assert not Troubles.objects.exists()


def test_each_integration_has_its_own(integration, few_are_many):
    other = factories.IntegrationFactory(organization=integration.organization)
    fail(integration, 3)
    fail(other, 1)
    for one in (integration, other):
        troubles.remember(one)
    assert [group.open.count for group in groups.of_integration(other)] == [1]
