"""Fairness: whoever has much to do gives way to the others after a batch or a page."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.engine import due, execution, inbox, pending, replay, turns
from syncengine.engine.work import Deadline
from syncengine.flows import reading
from syncengine.models import InboxNotification, Record, Run
from tests import factories
from tests.engine.world import PERSON, World, connect, no_sweep


@pytest.fixture
def neighbour(world: World) -> World:
    """Another customer on the same worker."""
    integration = factories.IntegrationFactory(name="Sweden")
    connect(integration, world.sandboxes)
    no_sweep()
    return World(integration, world.sandboxes)


def go() -> Deadline:
    return Deadline(20)


def order_again(world: World, seconds_ago: float = 0.0) -> None:
    """Every project of the customer is to be sent again, since that long."""
    for record in world.records("projects"):
        replay.resend(record, PERSON, "all of them")
    since = timezone.now() - timedelta(seconds=seconds_ago)
    Record.objects.filter(integration=world.integration, flow="projects").update(next_attempt_at=since)


def _notification(world: World, seconds_ago: float = 0.0) -> InboxNotification:
    """Of a document that Basware does not show."""
    since = timezone.now() - timedelta(seconds=seconds_ago)
    body = json.dumps({"taskId": "t", "taskStatus": "Open", "taskType": "AccountingDocuments", "documentId": "nowhere"})
    return factories.NotificationFactory(
        integration=world.integration, body=body, next_attempt_at=since, processed_at=None
    )


def left(world: World) -> int:
    return Record.objects.filter(integration=world.integration, flow="projects", status="pending").count()


def test_many_queued_records_delay_those_of_another_by_one_batch(world: World, neighbour: World, monkeypatch):
    for one in (world, neighbour):
        one.run("projects")
        one.quiet()
    monkeypatch.setattr(pending, "MOST_AT_ONCE", 4)
    order_again(world, seconds_ago=60)
    order_again(neighbour)
    before = left(world)
    for _ in range(2):
        assert pending.work_on_due(go())
    assert (before - left(world), left(neighbour)) == (4, before - 4)


def test_a_long_run_gives_way_to_another_customer_after_a_page(world: World, neighbour: World, monkeypatch):
    monkeypatch.setattr(reading, "RECORDS_A_PAGE", 20)
    world.run("payment_terms")
    long_one, short_one = world.ask("vendors"), neighbour.ask("payment_terms")
    Run.objects.filter(pk=short_one.pk).update(created_at=timezone.now() - timedelta(seconds=5))
    turns.take(neighbour.integration)
    assert execution.execute_due(go())
    assert world.again(long_one).read == 20
    assert not world.again(long_one).all_sent
    assert execution.execute_due(go())
    assert neighbour.again(short_one).all_sent
    ended = world.finish(long_one)
    assert (ended.status, ended.resumes) == ("succeeded", 0)
    assert ended.read == ended.sent == len(world.records("vendors"))


def test_a_run_gives_way_to_the_notifications_of_its_own_customer(world: World, monkeypatch):
    monkeypatch.setattr(reading, "RECORDS_A_PAGE", 20)
    run = world.ask("vendors")
    _notification(world, seconds_ago=5)
    assert execution.execute_due(go())
    assert not world.again(run).all_sent
    assert world.finish(run).read == 300
    assert not InboxNotification.objects.filter(processed_at=None, attempts=0).exists()


def test_a_run_that_nobody_waits_for_is_not_interrupted(world: World, neighbour: World, monkeypatch):
    monkeypatch.setattr(reading, "RECORDS_A_PAGE", 20)
    monkeypatch.setattr(execution, "PATIENCE", timedelta(minutes=1))
    run = world.ask("vendors")
    neighbour.ask("payment_terms")  # a moment ago: another worker may be about to take it
    turns.take(neighbour.integration)
    assert execution.execute_due(go())
    assert world.again(run).all_sent


def test_notifications_are_looked_at_in_turn(world: World, neighbour: World, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_AT_ONCE", 2)
    for _ in range(5):
        _notification(world, seconds_ago=300)
    theirs = _notification(neighbour)
    for _ in range(2):
        assert inbox.work_on_due(go())
    theirs.refresh_from_db()
    assert theirs.processed_at or theirs.attempts


def test_what_never_runs_dry_keeps_nothing_else_from_its_turn(db, monkeypatch):
    ends = go()
    done = []

    def endless(_deadline: Deadline) -> bool:
        done.append("endless")
        return True

    def last(deadline: Deadline) -> bool:
        done.append("last")
        monkeypatch.setattr(Deadline, "passed", True)
        return False

    monkeypatch.setattr(due, "UNITS", (endless, last))
    due.work_off(ends)
    assert done == ["endless", "last"]


def test_the_line_is_one_question_with_the_longest_waiting_first(db, django_assert_num_queries):
    now = timezone.now()
    first, second, third = factories.IntegrationFactory.create_batch(3)
    for integration in (first, second, third):
        factories.RecordFactory.create_batch(3, integration=integration, status="pending", next_attempt_at=now)
    turns.take(second)
    turns.take(first)
    with django_assert_num_queries(1):
        line = turns.line(Record.objects.filter(pending.due_records(timezone.now())))
    assert line == [third, second, first]
