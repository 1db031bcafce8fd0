"""Runs by the clock: cron expressions per flow, in the organization's time zone (model FlowState)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone

from syncengine.engine.flow_states import next_time
from syncengine.engine.runs import request_runs
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.models import FlowState, RunMode, RunTrigger

MOST_AT_ONCE = 50


def due_states(now: datetime) -> QuerySet[FlowState]:
    """Flows whose time has come: one indexed query."""
    its_time = Q(next_due_at__lte=now) | Q(next_full_due_at__lte=now)
    return FlowState.objects.filter(its_time, enabled=True, integration__enabled=True, integration__paused_since=None)


def start_due(_deadline: Deadline) -> bool:
    """Ask for the runs that are due; False when none is."""
    now = timezone.now()
    states = list(due_states(now).select_related("integration__organization").order_by("id")[:MOST_AT_ONCE])
    for state in states:
        if state.flow in registry.of(state.integration.settings):
            _start(state, now)
    return bool(states)


def _start(state: FlowState, now: datetime) -> None:
    """Move the clock on first: whoever moves it asks for the run, so two workers do not both."""
    full = state.next_full_due_at is not None and state.next_full_due_at <= now
    zone = state.integration.organization.zone
    moved = FlowState.objects.filter(
        pk=state.pk, next_due_at=state.next_due_at, next_full_due_at=state.next_full_due_at
    ).update(
        next_due_at=_moved(state.schedule, state.next_due_at, now, zone),
        next_full_due_at=_moved(state.full_schedule, state.next_full_due_at, now, zone),
    )
    if moved:
        mode = RunMode.FULL if full else RunMode.INCREMENTAL
        request_runs(state.integration, state.flow, mode, trigger=RunTrigger.SCHEDULE, actor="schedule")


def _moved(cron: str | None, due_at: datetime | None, now: datetime, zone: ZoneInfo) -> datetime | None:
    if not cron or due_at is None or due_at > now:
        return due_at
    return next_time(cron, zone, now)
