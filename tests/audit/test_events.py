"""Each deed leaves an event: who, what, when and why, in the transaction of the deed."""

from __future__ import annotations

import pytest
from django.db import transaction

from syncengine.audit import record_event, record_events
from syncengine.engine import replay as deeds
from syncengine.engine import runs
from syncengine.engine.flow_states import apply
from syncengine.engine.pauses import pause, resume
from syncengine.models import AuditEvent
from tests import factories
from tests.engine.world import PERSON, World


def story(world: World) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(integration=world.integration).order_by("id")
    return [(event.actor, event.action) for event in events]


@pytest.mark.django_db
def test_an_event_says_who_what_and_when(integration):
    record = factories.RecordFactory(integration=integration)
    event = record_event(
        integration.organization, PERSON, "record.replayed", "mended", integration=integration, record=record, count=3
    )
    event.refresh_from_db()
    assert (event.actor, event.action, event.message, event.data) == (PERSON, "record.replayed", "mended", {"count": 3})
    assert (event.record, event.integration, event.organization) == (record, integration, integration.organization)
    assert event.created_at.tzinfo is not None


@pytest.mark.django_db
def test_the_same_deed_on_many_records_takes_no_query_for_each(integration, django_assert_max_num_queries):
    run = factories.RunFactory(integration=integration)
    records = [factories.RecordFactory(integration=integration, run=run) for _ in range(20)]
    with django_assert_max_num_queries(4):
        record_events(integration, "record.confirmed", [(record, "taken over") for record in records])
    assert set(AuditEvent.objects.values_list("actor", "run_id", "action")) == {("system", run.pk, "record.confirmed")}


@pytest.mark.django_db(transaction=True)
def test_a_deed_that_is_undone_leaves_no_event(integration):
    with transaction.atomic():
        record_event(integration.organization, PERSON, "run.requested", integration=integration)
        transaction.set_rollback(True)
    assert AuditEvent.objects.count() == 0


def test_a_run_is_told_from_its_request_to_its_end(world):
    run = world.run("projects")
    told = [(event.actor, event.action) for event in AuditEvent.objects.filter(run=run).order_by("id")]
    assert told[0] == (PERSON, "run.requested")
    assert told[-1] == ("system", "run.succeeded")
    assert told.count(("system", "record.confirmed")) == 15


def test_the_end_of_a_run_is_told_with_its_counts(world):
    run = world.run("projects")
    (event,) = world.events("run.succeeded")
    assert event.data["counts"] == run.counts


def test_asking_for_a_run_that_is_open_already_is_no_deed(world):
    world.ask("projects")
    world.ask("projects")
    assert len(world.events("run.requested")) == 1


def test_the_events_of_a_record_are_its_life(world):
    world.run("projects")
    record = world.records("projects")[0]
    world.outcome(record, "Error", message="Locked.")
    world.change("Projects", record.key, Name="Renamed")
    world.run("projects")
    deeds.replay(world.again(record), PERSON, "unlocked")
    world.work()
    told = [(event.actor, event.action) for event in record.events.order_by("id")]
    assert told == [
        ("system", "record.confirmed"),
        ("system", "record.failed"),
        (PERSON, "record.replayed"),
        ("system", "record.confirmed"),
    ]
    assert "Locked." in record.events.get(action="record.failed").message


DEEDS = {
    "record.replayed": lambda record: deeds.replay(record, PERSON, "why"),
    "record.resent": lambda record: deeds.resend(record, PERSON, "why"),
    "record.ignored": lambda record: deeds.ignore(record, PERSON, "why"),
}


@pytest.mark.parametrize("action", DEEDS)
def test_what_a_person_does_to_a_record_is_told_with_who_and_why(world, action):
    world.run("projects")
    record = world.records("projects")[0]
    DEEDS[action](record)
    (event,) = world.events(action)
    assert (event.actor, event.message, event.record, event.organization) == (
        PERSON,
        "why",
        record,
        world.integration.organization,
    )


def test_what_people_do_to_runs_is_told(world):
    runs.cancel(world.ask("projects"), PERSON)
    assert (PERSON, "run.cancelled") in story(world)
    world.run("projects")
    for key in world.sandboxes.sap.company.collection("Projects").keys()[:7]:
        world.remove("Projects", key)
    runs.confirm_closings(world.run("projects", "full"), PERSON)
    (event,) = world.events("run.closings_confirmed")
    assert (event.actor, event.message) == (PERSON, "7 records may be closed")


def test_settings_connections_and_pauses_are_told(world):
    apply(world.integration, {"projects": {"schedule": "0 6 * * *"}}, PERSON)
    pause(world.integration, "The password was refused.")
    pause(world.integration, "The user is locked.")
    resume(world.integration, PERSON)
    assert story(world)[-3:] == [
        (PERSON, "flow.changed"),
        ("system", "integration.paused"),
        (PERSON, "integration.resumed"),
    ]
    saved = world.events("connection.saved")
    assert [event.message for event in saved] == ["sap_b1", "basware"]
    assert "password" in saved[0].data["fields"]


def test_a_dry_run_tells_only_of_itself(world):
    world.run("projects", "dry_run")
    assert [action for _, action in story(world) if action.startswith("record.")] == []
