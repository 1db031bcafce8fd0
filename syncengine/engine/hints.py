"""Hints: SAP says that something has changed, so its flows read now what the schedule would read later.

A hint is a mark on each flow that reads the ERP, to be taken up in a moment: a thousand hints make one run. It holds
nothing that was sent, so whoever can give hints can make us look, and nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from syncengine.engine import flow_states
from syncengine.engine.runs import request_runs
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.models import FlowState, Run, RunMode, RunTrigger
from tenants.models import Integration, System

COLLECTED_FOR = timedelta(seconds=10)
"""Whoever keeps a document in SAP makes several events; they are read together."""
MOST_AT_ONCE = 50
ACTOR = "sap"


def hint_url(integration: Integration) -> str:
    """Where SAP's own webhooks for this integration lead."""
    return f"{settings.SITE_URL}/webhooks/sap/{integration.pk}/"


def note(integration: Integration, now: datetime) -> None:
    """Mark the flows that read the ERP and are switched on; what is marked already stays as it is."""
    marked = [
        state.pk
        for name, state in flow_states.states(integration).items()
        if state.enabled and state.hint_due_at is None and registry.get(name).source == System.SAP_B1.value
    ]
    if marked:
        FlowState.objects.filter(pk__in=marked, hint_due_at=None).update(hint_due_at=now + COLLECTED_FOR)


def due_states(now: datetime) -> QuerySet[FlowState]:
    """Flows whose hint is to be taken up; those of a paused integration keep it until it goes on."""
    return FlowState.objects.filter(
        hint_due_at__lte=now, enabled=True, integration__enabled=True, integration__paused_since=None
    )


def is_due(now: datetime) -> bool:
    return due_states(now).exists()


def start_due(_deadline: Deadline) -> bool:
    """Ask for the runs that were hinted at; False when none was."""
    states = list(due_states(timezone.now()).select_related("integration").order_by("id")[:MOST_AT_ONCE])
    for state in states:
        _start(state)
    return bool(states)


@transaction.atomic
def _start(state: FlowState) -> None:
    """Take the mark and ask for the run in one step.

    A run that has begun may have read before the hint came, so another is to follow. It is held still while we look: it
    must not begin before the mark is off, behind which other hints stand back.
    """
    mark = FlowState.objects.filter(pk=state.pk)
    if not mark.filter(hint_due_at=state.hint_due_at).update(hint_due_at=None):
        return  # another worker has taken it
    if state.flow not in registry.of(state.integration.settings):
        return
    trigger = RunTrigger.WEBHOOK
    (run,) = request_runs(state.integration, state.flow, RunMode.INCREMENTAL, trigger=trigger, actor=ACTOR)
    held = Run.objects.select_for_update(no_key=True).only("started_at").get(pk=run.pk)
    if held.started_at is not None:
        mark.update(hint_due_at=timezone.now() + COLLECTED_FOR)
