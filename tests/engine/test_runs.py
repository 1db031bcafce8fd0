"""Asking for runs, one open run per flow, what a run's status is, and what stands in its way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from syncengine.engine import runs
from syncengine.engine.flow_states import apply
from syncengine.engine.master_data import _Synchronisation
from syncengine.engine.pauses import pause
from syncengine.engine.records import finish_if_settled
from syncengine.engine.runs import ActionRefused, request_runs
from syncengine.flows import registry
from syncengine.models import FlowState, Record, Run
from tenants.models import Connection, Integration
from tests import factories
from tests.engine.world import PERSON, World, in_threads

# Asking


def test_a_run_that_is_asked_for_waits_in_the_queue(world):
    run = world.ask("projects", "full")
    assert (run.status, run.mode, run.trigger, run.requested_by) == ("queued", "full", "person", PERSON)
    assert FlowState.objects.get(integration=world.integration, flow="projects").last_run_id == run.pk


def test_whoever_asks_again_is_answered_with_the_open_run(world):
    first = world.ask("projects")
    assert world.ask("projects", "full").pk == first.pk
    assert Run.objects.count() == 1


def test_the_database_itself_allows_one_open_run_per_flow(world):
    world.ask("projects")
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(integration=world.integration, flow="projects", status="running")


def test_two_who_ask_at_once_get_the_same_run(world):
    asked = in_threads(*[lambda: world.ask("projects").pk] * 4)
    assert len(set(asked)) == 1
    assert Run.objects.count() == 1


def test_a_settling_run_does_not_stand_in_the_way_of_a_new_one(world):
    world.tell("/basware/switches", delay=60)
    first = world.start("projects")
    assert first.status == "settling"
    assert world.ask("projects").pk != first.pk


def test_all_means_every_flow_in_the_order_of_their_dependencies(world):
    asked = request_runs(world.integration, "all", "incremental", trigger="person", actor=PERSON)
    assert [run.flow for run in asked] == list(registry.flows())
    assert [run.after_id for run in asked[1:]] == [run.pk for run in asked[:-1]]


def test_all_leaves_out_flows_that_are_switched_off(world):
    apply(world.integration, {"projects": {"enabled": False}}, PERSON)
    asked = request_runs(world.integration, "all", "incremental", trigger="person", actor=PERSON)
    assert "projects" not in [run.flow for run in asked]


def test_a_run_starts_only_when_the_one_before_it_is_final(world):
    world.tell("/basware/switches", delay=0.5)
    terms = world.start("payment_terms")
    vendors = Run.objects.create(integration=world.integration, flow="vendors", after=terms)
    world.work(0.1)
    assert (world.again(terms).status, world.again(vendors).status) == ("settling", "queued")
    assert world.finish(vendors).status == "succeeded"
    assert vendors.started_at is None
    assert world.again(vendors).started_at >= world.again(terms).finished_at


def test_an_unknown_flow_is_refused(world):
    with pytest.raises(KeyError):
        world.ask("weather")


# The status follows from the records

NOT_YET: dict[str, object] = {"all_sent": False, "started_at": factories.NOON}
ALL_SENT: dict[str, object] = {"all_sent": True, "started_at": factories.NOON, "status": "running"}
VERDICTS = {
    "asked for": ({}, [], "queued"),
    "at work": (NOT_YET, ["done"], "running"),
    "at work, with failures": (NOT_YET | {"failed": 1}, ["failed"], "running"),
    "sent, an answer is out": (ALL_SENT | {"confirmed": 1}, ["done", "waiting"], "settling"),
    "sent, a part is to come": (ALL_SENT, ["pending"], "settling"),
    "sent, another worker is at it": (ALL_SENT, ["in_progress"], "settling"),
    "sent and confirmed": (ALL_SENT | {"confirmed": 2}, ["done", "done"], "succeeded"),
    "nothing to do": (ALL_SENT | {"unchanged": 3}, [], "succeeded"),
    "nothing there": (ALL_SENT, [], "succeeded"),
    "one failed, one confirmed": (ALL_SENT | {"failed": 1, "confirmed": 1}, ["failed", "done"], "partial"),
    "one failed, the rest unchanged": (ALL_SENT | {"failed": 1, "unchanged": 9}, ["failed"], "partial"),
    "all failed": (ALL_SENT | {"failed": 2}, ["failed", "failed"], "failed"),
    "never reached the source": (ALL_SENT | {"error_code": "unreachable"}, [], "failed"),
    "broken off half way": (ALL_SENT | {"error_code": "unreachable", "confirmed": 5}, ["done"], "partial"),
    "closings held": (ALL_SENT | {"error_code": "closing_needs_approval"}, [], "partial"),
    "cancelled": (ALL_SENT | {"cancel_requested": True, "confirmed": 1}, ["done"], "cancelled"),
    "cancelled, an answer is out": (ALL_SENT | {"cancel_requested": True}, ["waiting"], "settling"),
    "ignored by a person meanwhile": (ALL_SENT | {"confirmed": 1}, ["ignored", "done"], "succeeded"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", VERDICTS)
def test_a_status_is_computed_from_the_records(case, integration):
    fields, records, status = VERDICTS[case]
    run = factories.RunFactory(integration=integration, **fields)
    for record in records:
        factories.RecordFactory(integration=integration, run=run, status=record)
    finish_if_settled(run.pk)
    run.refresh_from_db()
    assert run.status == status
    assert (run.finished_at is not None) == run.is_final


@pytest.mark.django_db
def test_a_final_run_stays_as_it_was(integration):
    run = factories.RunFactory(integration=integration, status="partial", all_sent=True)
    factories.RecordFactory(integration=integration, run=run, status="waiting")
    finish_if_settled(run.pk)
    run.refresh_from_db()
    assert run.status == "partial"


def test_a_final_run_stays_as_it_was_when_its_failed_record_is_mended(world):
    record = failed_once(world)
    run = world.again(record.run)
    world.change("Projects", record.key, Name="Mended")
    world.run("projects")
    assert world.again(record).status == "done"
    assert world.again(run).counts == run.counts
    assert world.again(run).status == "partial"


def failed_once(world: World) -> Record:
    world.run("projects")
    record = world.records("projects")[0]
    world.outcome(record, "Error")
    world.change("Projects", record.key, Name="Renamed")
    world.run("projects")
    return world.again(record)


def test_the_last_answer_and_the_status_are_stored_together(world, monkeypatch):
    seen = []
    original = runs.compute_status

    def spy(run: Run) -> None:
        original(run)
        if run.is_final:
            seen.append((transaction.get_connection().in_atomic_block, run.confirmed))

    monkeypatch.setattr(runs, "compute_status", spy)
    world.run("projects")
    assert seen == [(True, 15)]


# Cancelling


def test_a_queued_run_that_is_cancelled_ends_at_once_without_a_call(world):
    run = world.ask("projects")
    runs.cancel(run, PERSON)
    world.work(1)
    assert world.again(run).status == "cancelled"
    assert world.silent


def cancel_after_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    original = _Synchronisation._take

    def take_and_cancel(self, *args, **kwargs):
        original(self, *args, **kwargs)
        runs.cancel(self.run, PERSON)

    monkeypatch.setattr(_Synchronisation, "_take", take_and_cancel)


@pytest.fixture
def cancelled(world, monkeypatch):
    """A second, full run of the vendors, cancelled while its first of two pages is in flight."""
    world.run("payment_terms")
    world.run("vendors")
    world.quiet()
    cancel_after_one_page(monkeypatch)
    return world.run("vendors", "full")


def test_a_run_that_is_cancelled_stops_after_the_page_in_flight(cancelled):
    assert (cancelled.status, cancelled.read) == ("cancelled", 200)


def test_a_run_that_is_cancelled_closes_nothing_it_has_not_read(world, cancelled):
    assert (cancelled.closed, cancelled.closings_held, cancelled.error_code) == (0, 0, "")
    assert world.posts("vendors") == []


def test_few_vendors_behind_the_last_page_are_not_closed_by_a_cancelled_run(world, monkeypatch):
    partners = world.sandboxes.sap.company.collection("BusinessPartners")
    suppliers = [key for key, row in partners.items() if row["CardType"] == "cSupplier"]
    for key in suppliers[203:]:
        partners.delete(key)
    world.run("payment_terms")
    world.run("vendors")
    cancel_after_one_page(monkeypatch)
    run = world.run("vendors", "full")
    assert (run.status, run.closed) == ("cancelled", 0)
    assert all(record.active for record in world.records("vendors"))


def test_a_run_that_has_ended_cannot_be_cancelled(world):
    run = world.run("projects")
    with pytest.raises(ActionRefused) as refused:
        runs.cancel(run, PERSON)
    assert refused.value.code == "run_ended"


# Closings


def test_closings_that_nobody_held_cannot_be_confirmed(world):
    with pytest.raises(ActionRefused) as refused:
        runs.confirm_closings(world.run("projects"), PERSON)
    assert refused.value.code == "nothing_held"


def test_held_closings_are_confirmed_once(world):
    world.run("projects")
    for key in world.sandboxes.sap.company.collection("Projects").keys()[:7]:
        world.remove("Projects", key)
    held = world.run("projects", "full")
    runs.confirm_closings(held, PERSON)
    with pytest.raises(ActionRefused):
        runs.confirm_closings(world.again(held), PERSON)


@pytest.mark.parametrize(("removed", "status"), [(5, "succeeded"), (6, "partial")])
def test_up_to_five_are_closed_without_asking(world, removed, status):
    world.run("projects")
    for key in world.sandboxes.sap.company.collection("Projects").keys()[:removed]:
        world.remove("Projects", key)
    assert world.run("projects", "full").status == status


def test_a_read_that_broke_off_closes_nothing(world):
    world.run("payment_terms")
    world.run("vendors")
    world.remove("BusinessPartners", world.records("vendors")[0].key)
    world.fault("sap_b1", "status", method="GET", path="BusinessPartners", status=502, count=0, skip=1)
    run = world.run("vendors", "full")
    assert (run.status, run.closed) == ("partial", 0)
    assert all(record.active for record in world.records("vendors"))


# What stands in the way


def switch_off(world: World) -> None:
    Integration.objects.filter(pk=world.integration.pk).update(enabled=False)


def flow_off(world: World) -> None:
    apply(world.integration, {"projects": {"enabled": False}}, PERSON)


def disconnect(world: World) -> None:
    Connection.objects.filter(integration=world.integration, system="basware").delete()


def put_on_hold(world: World) -> None:
    pause(world.integration, "The password was refused.")


OBSTACLES = [
    (switch_off, "person", "integration_disabled"),
    (flow_off, "person", "flow_disabled"),
    (disconnect, "person", "not_configured"),
    (put_on_hold, "schedule", "integration_paused"),
    (put_on_hold, "webhook", "integration_paused"),
    (put_on_hold, "person", "integration_paused"),
    (put_on_hold, "api", "integration_paused"),
    (put_on_hold, "command", "integration_paused"),
]


@pytest.mark.parametrize(("arrange", "trigger", "code"), OBSTACLES)
def test_a_run_that_cannot_start_ends_failed_with_the_reason_and_without_a_remote_call(world, arrange, trigger, code):
    arrange(world)
    world.quiet()
    run = world.finish(world.ask("projects", trigger=trigger))
    assert (run.status, run.error_code) == ("failed", code)
    assert run.error_message
    assert run.error_hint
    assert world.silent


@pytest.mark.parametrize("trigger", ["person", "api", "command"])
def test_a_run_that_a_person_asks_for_is_a_trial_call_while_the_circuit_is_open(world, trigger):
    later = timezone.now() + timedelta(hours=1)
    Connection.objects.filter(integration=world.integration).update(retry_after=later, failures_in_a_row=5)
    run = world.ask("projects", trigger=trigger)
    world.work(2)
    assert world.calls("sap_b1", "GET", "/Projects")
    assert world.again(run).read == 15
