"""Runs by the clock: due flows start once, whoever looks, and in the organization's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from syncengine.engine import due, schedule
from syncengine.engine.flow_states import apply
from syncengine.engine.pauses import pause
from syncengine.engine.work import Deadline
from syncengine.models import FlowState, Run
from tenants.models import Integration
from tests.engine.world import PERSON, in_threads

pytestmark = pytest.mark.django_db(transaction=True)

EVERY_QUARTER = {"schedule": "*/15 * * * *"}


@pytest.fixture
def clock():
    """Friday morning; tests move it."""
    with time_machine.travel(datetime(2026, 11, 20, 9, 1, tzinfo=UTC), tick=False) as moved:
        yield moved


def start() -> bool:
    return schedule.start_due(Deadline(60))


def state(integration, flow="projects") -> FlowState:
    return FlowState.objects.get(integration=integration, flow=flow)


def test_nothing_starts_before_its_time(connected, clock):
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    assert state(connected).next_due_at == datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
    assert start() is False
    assert Run.objects.count() == 0


def test_a_flow_starts_when_its_time_has_come_and_its_clock_moves_on(connected, clock):
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    clock.move_to(datetime(2026, 11, 20, 9, 15, 1, tzinfo=UTC))
    assert start() is True
    run = Run.objects.get()
    assert (run.flow, run.mode, run.trigger, run.requested_by) == ("projects", "incremental", "schedule", "schedule")
    assert state(connected).next_due_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert start() is False


def test_times_that_nobody_was_there_for_are_made_up_by_one_run(connected, clock):
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    clock.move_to(datetime(2026, 11, 21, 9, 0, 1, tzinfo=UTC))
    start()
    assert Run.objects.count() == 1
    assert state(connected).next_due_at == datetime(2026, 11, 21, 9, 15, tzinfo=UTC)


def test_a_full_schedule_starts_a_full_run_and_takes_the_place_of_the_other(connected, clock):
    apply(connected, {"projects": {**EVERY_QUARTER, "full_schedule": "30 9 * * *"}}, PERSON)
    clock.move_to(datetime(2026, 11, 20, 9, 30, 1, tzinfo=UTC))
    start()
    assert [run.mode for run in Run.objects.all()] == ["full"]
    assert state(connected).next_due_at == datetime(2026, 11, 20, 9, 45, tzinfo=UTC)
    assert state(connected).next_full_due_at == datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def test_schedules_are_in_the_time_zone_of_the_organization(connected, clock):
    connected.organization.time_zone = "Europe/Helsinki"
    connected.organization.save()
    apply(Integration.objects.get(pk=connected.pk), {"projects": {"schedule": "0 12 * * *"}}, PERSON)
    assert state(connected).next_due_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_two_dispatchers_start_a_flow_once(connected, clock):
    apply(connected, dict.fromkeys(("projects", "tax_codes", "cost_centers"), EVERY_QUARTER), PERSON)
    clock.move_to(datetime(2026, 11, 20, 9, 15, 1, tzinfo=UTC))
    in_threads(start, start, start)
    assert sorted(run.flow for run in Run.objects.all()) == ["cost_centers", "projects", "tax_codes"]


def test_a_flow_that_is_running_still_is_not_started_twice(connected, clock):
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    for minute in (15, 30):
        clock.move_to(datetime(2026, 11, 20, 9, minute, 1, tzinfo=UTC))
        start()
    assert Run.objects.count() == 1


def test_what_is_switched_off_is_not_started(connected, clock):
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    FlowState.objects.update(enabled=False)
    clock.move_to(datetime(2026, 11, 20, 9, 15, 1, tzinfo=UTC))
    assert start() is False


@pytest.mark.parametrize("how", ["disabled", "paused"])
def test_an_integration_that_may_not_run_is_not_started(connected, clock, how):
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    if how == "paused":
        pause(connected, "The password was refused.")
    else:
        Integration.objects.update(enabled=False)
    clock.move_to(datetime(2026, 11, 20, 9, 15, 1, tzinfo=UTC))
    assert start() is False


def test_a_due_flow_wakes_the_workers(connected, clock, monkeypatch):
    for other in (due.audit, due.watching, due.statistics):  # what comes by the clock would wake them too
        monkeypatch.setattr(other, "is_due", lambda _: False)
    apply(connected, {"projects": EVERY_QUARTER}, PERSON)
    due.sweep.start_due(Deadline(1))
    assert not due.anything_due(timezone.now())
    clock.move_to(datetime(2026, 11, 20, 9, 15, 1, tzinfo=UTC))
    assert due.anything_due(timezone.now())


def test_a_scheduled_run_goes_all_the_way(world):
    apply(world.integration, {"projects": {"schedule": "* * * * *"}}, PERSON)
    FlowState.objects.filter(flow="projects").update(next_due_at=timezone.now() - timedelta(seconds=1))
    world.work()
    run = Run.objects.get()
    assert (run.status, run.trigger, run.confirmed) == ("succeeded", "schedule", 15)
