"""Working on notifications: a hint to look; the document's own status decides (contracts: Basware §16.3)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from syncengine.engine import inbox
from syncengine.engine.inbox import NOT_FOUND_DELAYS
from syncengine.engine.pauses import pause
from syncengine.engine.work import Deadline
from syncengine.models import Attempt, FlowState, InboxNotification, Record
from tenants.models import Connection
from tests import factories
from tests.engine.world import World, in_threads
from tests.factories import NOON

UNKNOWN = "0" * 32


def notify(integration, document_id: str, kind: str = "AccountingDocuments", task: str = "") -> InboxNotification:
    task = task or f"t-{InboxNotification.objects.count()}"
    now = timezone.now()
    body = {"taskId": task, "taskStatus": "New", "taskType": kind, "documentId": document_id}
    return InboxNotification.objects.create(
        integration=integration,
        task_id=task,
        task_type=kind,
        document_id=document_id,
        body=json.dumps(body),
        received_at=now,
        next_attempt_at=now,
    )


def work() -> bool:
    return inbox.work_on_due(Deadline(10))


def ended(row: InboxNotification) -> str:
    """How it ended; "" while it is open. Nobody holds it either way."""
    row.refresh_from_db()
    assert (row.lease_owner, row.lease_expires_at) == ("", None)
    return row.result if row.processed_at else ""


@pytest.fixture
def waiting(world: World) -> str:
    """An invoice that waits for transfer."""
    found = world.tell("/basware/documents", "GET")
    chosen: str = next(one["invoiceId"] for one in found if one["processingStatus"] == "WaitingForTransfer")
    return chosen


# Documents


def test_the_document_named_is_taken_up(world: World, waiting):
    row = notify(world.integration, waiting)
    assert work()
    assert ended(row) == "taken up"
    record = world.record("invoices", waiting)
    assert (record.status, record.run_id, record.source["invoiceId"]) == ("pending", None, waiting)
    assert record.next_attempt_at <= timezone.now()
    assert not work()


def test_only_the_document_named_is_read(world: World, waiting):
    world.quiet()
    notify(world.integration, waiting)
    work()
    documents = [call["path"] for call in world.calls("basware", "GET") if "ocuments" in call["path"]]
    assert len(documents) == 1
    assert waiting in documents[0]


def test_repeated_notifications_of_a_document_make_one_record(world: World, waiting):
    rows = [notify(world.integration, waiting) for _ in range(3)]
    work()
    assert [ended(row) for row in rows] == ["taken up", "known already", "known already"]
    assert len(world.records("invoices")) == 1


def test_a_notification_that_comes_after_the_transfer_changes_nothing(world: World, waiting):
    world.tell("/basware/move", invoiceId=waiting, status="Transferred")
    done = factories.RecordFactory(integration=world.integration, flow="invoices", key=waiting, status="done")
    row = notify(world.integration, waiting)
    InboxNotification.objects.update(attempts=len(NOT_FOUND_DELAYS))
    work()
    assert ended(row) == "not there, or not waiting for transfer"
    done.refresh_from_db()
    assert done.status == "done"
    assert len(world.records("invoices")) == 1


def test_a_document_not_there_yet_is_looked_for_after_10_60_and_300_seconds(world: World):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        row = notify(world.integration, UNKNOWN)
        for number, delay in enumerate(NOT_FOUND_DELAYS, start=1):
            assert work()
            assert ended(row) == ""
            assert (row.attempts, row.next_attempt_at) == (number, timezone.now() + timedelta(seconds=delay))
            clock.shift(delay - 0.5)
            assert not work()
            clock.shift(0.5)
        assert work()
    assert NOT_FOUND_DELAYS == (10, 60, 300)
    assert ended(row) == "not there, or not waiting for transfer"
    assert world.records("invoices") == []


def test_a_document_that_becomes_readable_later_is_taken_up_then(world: World, waiting):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        world.tell("/basware/move", invoiceId=waiting, status="TransferInProgress")
        row = notify(world.integration, waiting)
        work()
        assert ended(row) == ""
        world.tell("/basware/move", invoiceId=waiting, status="WaitingForTransfer")
        clock.shift(NOT_FOUND_DELAYS[0])
        work()
    assert ended(row) == "taken up"
    assert world.record("invoices", waiting).status == "pending"


def test_an_early_one_does_not_hold_up_the_others(world: World, waiting):
    early, good = notify(world.integration, UNKNOWN), notify(world.integration, waiting)
    work()
    assert (ended(early), ended(good)) == ("", "taken up")


def test_a_failed_document_that_waits_again_opens_its_record(world: World, waiting):
    known = factories.FailedRecordFactory(integration=world.integration, flow="invoices", key=waiting)
    row = notify(world.integration, waiting)
    work()
    assert ended(row) == "taken up"
    known.refresh_from_db()
    assert (known.status, known.error_code) == ("pending", "")


# What stands in the way


def test_a_basware_that_does_not_answer_is_asked_again_later(world: World, waiting):
    rows = [notify(world.integration, UNKNOWN), notify(world.integration, waiting)]
    with time_machine.travel(timezone.now(), tick=False):
        world.fault("basware", "status", status=503)
        work()
        for row in rows:
            assert ended(row) == ""
            assert row.attempts == 1
            assert row.next_attempt_at > timezone.now()
    assert world.connection("basware").failures_in_a_row == 1
    world.faults_off()
    InboxNotification.objects.update(next_attempt_at=timezone.now())
    work()
    assert ended(rows[1]) == "taken up"


def test_a_fault_of_our_own_is_tried_a_few_times_and_then_left_to_the_poll(world: World, waiting, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(inbox, "store_found", broken)
    row = notify(world.integration, waiting)
    for delay in NOT_FOUND_DELAYS:
        assert work()
        assert ended(row) == ""
        assert delay - 5 < (row.next_attempt_at - timezone.now()).total_seconds() <= delay
        InboxNotification.objects.update(next_attempt_at=timezone.now())
    assert work()
    assert "fault of our own" in ended(row)


def test_a_flow_that_is_switched_off_takes_up_nothing_and_calls_nobody(world: World, waiting):
    FlowState.objects.update_or_create(integration=world.integration, flow="invoices", defaults={"enabled": False})
    world.quiet()
    row = notify(world.integration, waiting)
    work()
    assert ended(row) == "the flow is switched off"
    assert world.silent
    assert world.records("invoices") == []


def test_without_a_connection_it_is_said_and_done_with(integration):
    row = notify(integration, UNKNOWN)
    work()
    assert ended(row) == "not configured"


@pytest.mark.parametrize("stopped", ["disabled", "paused"])
def test_an_integration_that_stands_still_keeps_them(stopped, connected):
    row = notify(connected, UNKNOWN)
    if stopped == "paused":
        pause(connected, "The log-in was refused.")
    else:
        type(connected).objects.filter(pk=connected.pk).update(enabled=False)
    assert not work()
    assert ended(row) == ""


def test_a_notification_that_another_worker_holds_is_left_alone(connected):
    row = notify(connected, UNKNOWN)
    held = {"lease_owner": "other", "lease_expires_at": timezone.now() + timedelta(minutes=1)}
    InboxNotification.objects.update(**held)
    assert not work()
    row.refresh_from_db()
    assert (row.lease_owner, row.attempts) == ("other", 0)


def test_what_a_lost_worker_held_is_taken_over(world: World, waiting):
    row = notify(world.integration, waiting)
    InboxNotification.objects.update(lease_owner="lost", lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert work()
    assert ended(row) == "taken up"


def test_several_workers_look_at_each_document_once(world: World, waiting):
    rows = [notify(world.integration, waiting)]
    world.quiet()
    in_threads(work, work, work)
    assert ended(rows[0]) == "taken up"
    assert len([call for call in world.calls("basware", "GET") if waiting in call["path"]]) == 1


# Other types


def test_an_unknown_type_is_done_with_at_once(integration):
    row = notify(integration, UNKNOWN, "ExportedContracts")
    work()
    assert ended(row) == "unknown type: nothing to do"
    assert not Record.objects.exists()


def test_the_misspelt_type_of_basware_s_own_example_is_a_document(world: World, waiting):
    row = notify(world.integration, waiting, "AccoutingDocuments")
    work()
    assert ended(row) == "taken up"


def test_news_of_a_request_makes_us_ask_for_its_answer_now(connected):
    later = NOON + timedelta(days=3650)
    given = {"integration": connected, "next_poll_at": later}
    mine = factories.AttemptFactory(**given, request_id="req-1", state="accepted")
    other = factories.AttemptFactory(**given, request_id="req-2", state="accepted")
    settled = factories.AttemptFactory(**given, request_id="req-1", state="settled")
    elsewhere = factories.AttemptFactory(request_id="req-1", state="accepted", next_poll_at=later)
    row = notify(connected, "req-1", "RequestStatus")
    work()
    assert ended(row) == "request looked up"
    polls = dict(Attempt.objects.values_list("pk", "next_poll_at"))
    assert polls[mine.pk] <= timezone.now()
    assert {polls[one.pk] for one in (other, settled, elsewhere)} == {later}


def test_integrations_have_their_turns_in_the_order_of_their_time(connected):
    first = notify(factories.IntegrationFactory(), "req-1", "RequestStatus", task="a")
    second = notify(connected, "req-1", "RequestStatus", task="b")
    InboxNotification.objects.filter(pk=second.pk).update(next_attempt_at=NOON)
    work()
    assert (ended(first), ended(second)) == ("", "request looked up")
    work()
    assert ended(first) == "request looked up"
    assert not Connection.objects.exclude(integration=connected).exists()
