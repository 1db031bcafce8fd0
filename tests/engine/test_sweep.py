"""The sweep: documents claimed and forgotten, records nobody asks for, runs nobody finished."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from syncengine.engine import sweep
from syncengine.engine.pauses import pause
from syncengine.engine.work import Deadline
from syncengine.models import FlowState, Record, Run
from tenants.models import Connection
from tests import factories
from tests.engine.papers import claimed, settling_run
from tests.engine.world import World, in_threads, sweep_now

AGE = 900


@pytest.fixture(autouse=True)
def _times(settings):
    settings.SWEEP_AGE = AGE
    settings.SWEEP_SECONDS = 3600


@pytest.fixture
def sweeping(world: World) -> World:
    """The world, with the sweep due."""
    sweep_now()
    return world


def sweep_one() -> bool:
    return sweep.start_due(Deadline(20))


def go() -> bool:
    """Sweep all that are due; whether any was."""
    any_was = False
    while sweep_one():
        any_was = True
    return any_was


def claim_and_forget(world: World, seconds_ago: float) -> str:
    """An invoice that somebody acknowledged that long ago, and of which we have no record."""
    held = world.sandboxes.basware.documents
    row = next(row for row in held.records.values() if row["document"]["processingStatus"] == "WaitingForTransfer")
    invoice: str = row["document"]["invoiceId"]
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    with time_machine.travel(moment):
        world.tell("/basware/move", invoiceId=invoice, status="TransferInProgress")
    return invoice


# Claimed and forgotten


def test_a_document_claimed_long_ago_without_a_record_becomes_one(sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    assert go()
    record = sweeping.record("invoices", invoice)
    assert (record.status, record.run_id) == ("pending", None)
    assert record.next_attempt_at <= timezone.now()
    assert [event.record_id for event in sweeping.events("record.received")] == [record.pk]
    assert [one.key for one in sweeping.records("invoices")] == [invoice]


def test_a_document_claimed_just_now_is_left_to_whoever_claimed_it(sweeping: World):
    claim_and_forget(sweeping, AGE - 120)
    assert go()
    assert sweeping.records("invoices") == []


def test_whether_a_forgotten_claim_was_ours_is_for_a_person_to_say(sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    sweeping.work()
    record = sweeping.record("invoices", invoice)
    assert (record.status, record.error_code, record.stage) == ("failed", "needs_decision", "received")
    assert "claimed before" in record.error_message
    assert record.decisions


@pytest.mark.parametrize("status", ["failed", "ignored", "waiting"])
def test_a_document_whose_record_we_have_is_not_forgotten(status, sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    later = timezone.now() + timedelta(days=1)
    claimed(sweeping.integration, invoice, status=status, next_attempt_at=later)
    go()
    record = sweeping.record("invoices", invoice)
    assert (record.status, record.next_attempt_at) == (status, later)
    assert sweeping.events("record.received") == []
    assert sweeping.events("record.received_again") == []


def test_a_document_that_is_claimed_although_its_record_is_done_comes_before_a_person(sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    record = claimed(sweeping.integration, invoice, status="done", stage="confirmed", lease_owner="")
    Record.objects.filter(pk=record.pk).update(updated_at=timezone.now() - timedelta(seconds=AGE + 30))
    go()
    assert sweeping.record("invoices", invoice).status == "pending"
    sweeping.work()
    again = sweeping.record("invoices", invoice)
    assert (again.status, again.decisions) == ("failed", ["post", "close"])
    assert "claimed before" in again.error_message


def test_a_record_that_was_done_a_moment_ago_is_left_to_basware(sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    claimed(sweeping.integration, invoice, status="done", stage="confirmed", lease_owner="")
    go()
    assert sweeping.record("invoices", invoice).status == "done"


def test_a_flow_that_is_switched_off_is_not_swept(sweeping: World):
    claim_and_forget(sweeping, AGE + 60)
    FlowState.objects.update_or_create(integration=sweeping.integration, flow="invoices", defaults={"enabled": False})
    go()
    assert sweeping.records("invoices") == []


@pytest.mark.parametrize("stopped", ["disabled", "paused"])
def test_an_integration_that_stands_still_is_not_called(stopped, sweeping: World):
    claim_and_forget(sweeping, AGE + 60)
    sweeping.quiet()
    if stopped == "paused":
        pause(sweeping.integration, "The log-in was refused.")
    else:
        type(sweeping.integration).objects.update(enabled=False)
    assert not go()
    assert sweeping.silent


def test_one_integration_that_cannot_be_swept_does_not_keep_the_others(sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    bare = factories.IntegrationFactory()
    type(bare).objects.filter(pk=bare.pk).update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert go()
    assert sweeping.record("invoices", invoice).status == "pending"
    assert not Record.objects.filter(integration=bare).exists()


def test_a_basware_that_does_not_answer_is_noted_and_swept_next_time(sweeping: World):
    invoice = claim_and_forget(sweeping, AGE + 60)
    sweeping.fault("basware", "status", status=503)
    assert go()
    assert sweeping.records("invoices") == []
    assert sweeping.connection("basware").failures_in_a_row == 1
    sweeping.faults_off()
    sweep_now()
    assert go()
    assert sweeping.record("invoices", invoice).status == "pending"


# When


def test_a_system_that_is_left_alone_is_swept_as_soon_as_it_may_be_called_again(sweeping: World):
    in_ten_minutes = timezone.now() + timedelta(minutes=10)
    Connection.objects.filter(integration=sweeping.integration, system="basware").update(retry_after=in_ten_minutes)
    assert go()
    assert sweeping.again(sweeping.integration).sweep_due_at == in_ten_minutes


def test_a_worker_lost_in_a_sweep_takes_no_other_integration_with_it(integration, monkeypatch):
    others = factories.IntegrationFactory.create_batch(2)
    with monkeypatch.context() as broken:
        broken.setattr(sweep, "_sweep", lambda *_given: sys.exit("killed"))
        with pytest.raises(SystemExit):
            sweep_one()
    assert [sweep_one(), sweep_one(), sweep_one()] == [True, True, False]
    assert not type(integration).objects.filter(pk__in=[integration.pk, *(o.pk for o in others)], sweep_due_at=None)


def test_it_is_swept_once_in_sweep_seconds(integration):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert sweep.is_due(timezone.now())
        assert go()
        assert not go()
        clock.shift(3599)
        assert not sweep.is_due(timezone.now())
        assert not go()
        clock.shift(1)
        assert sweep.is_due(timezone.now())
        assert go()


def test_of_several_workers_one_sweeps(transactional_db, monkeypatch):
    swept = []
    monkeypatch.setattr(sweep, "_sweep", lambda integration, _following: swept.append(integration.pk))
    integrations = factories.IntegrationFactory.create_batch(3)
    in_threads(go, go, go, go)
    assert sorted(swept) == sorted(one.pk for one in integrations)


# Idle records


@pytest.fixture
def idle(integration):
    """A record that has waited for an answer, without one being asked for."""

    def make(key: str, seconds: float = AGE + 60, **fields) -> Record:
        given = {"status": "waiting", "next_attempt_at": None, "lease_owner": "", **fields}
        record = claimed(integration, key, **given)
        Record.objects.filter(pk=record.pk).update(updated_at=timezone.now() - timedelta(seconds=seconds))
        return record

    return make


def status(record: Record) -> str:
    return str(Record.objects.values_list("status", flat=True).get(pk=record.pk))


def test_a_record_whose_answer_nobody_asks_for_goes_on(idle):
    record = idle("INV-1")
    go()
    record.refresh_from_db()
    assert record.status == "pending"
    assert record.next_attempt_at <= timezone.now()


def test_a_record_whose_answer_is_asked_for_waits_on(idle, integration):
    record = idle("INV-1")
    factories.AttemptFactory(integration=integration, flow="invoices", record=record, state="accepted")
    other = idle("INV-2")
    factories.AttemptFactory(integration=integration, flow="invoices", record=other, state="settled")
    go()
    assert (status(record), status(other)) == ("waiting", "pending")


def test_neither_young_nor_planned_nor_held_back_records_are_woken(idle, integration):
    later = timezone.now() + timedelta(days=1)
    holder = claimed(integration, "INV-0")
    kept = [
        idle("INV-1", seconds=AGE - 120),
        idle("INV-2", next_attempt_at=later),
        idle("INV-3", blocked_by=holder),
        idle("V1", flow="vendors"),
        idle("INV-4", status="failed"),
    ]
    go()
    assert [status(record) for record in kept] == ["waiting"] * 4 + ["failed"]


# Runs


def test_a_run_that_was_left_settling_without_an_open_record_is_ended(integration):
    forgotten, open_one = settling_run(integration), settling_run(integration)
    claimed(integration, "INV-1", run=forgotten, status="done")
    claimed(integration, "INV-2", run=open_one, status="waiting")
    go()
    runs = {run.pk: run for run in Run.objects.all()}
    assert (runs[forgotten.pk].status, runs[forgotten.pk].finished_at is None) == ("succeeded", False)
    assert runs[open_one.pk].status == "settling"
