"""The sweep: documents that Basware shows as claimed and nobody answers, and runs that nobody finished.

A crash between the claim and its record leaves a document that no poll lists any more (contracts: Basware §14.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import circuit
from syncengine.engine.archive import DbArchive
from syncengine.engine.connections import NotConfigured, systems
from syncengine.engine.context import flow_context
from syncengine.engine.documents import store_found
from syncengine.engine.records import finish_if_settled
from syncengine.engine.wake import wake
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.flows.desk import Found
from syncengine.flows.document import DocumentFlow
from syncengine.flows.values import instant
from syncengine.models import Attempt, AttemptState, FlowState, FoundBy, Record, RecordStatus, Run, RunStatus
from tenants.models import Integration

log = structlog.get_logger(__name__)

MOST_RUNS = 500


def is_due(now: datetime) -> bool:
    """Whether the time of any integration has come."""
    return _due(now).exists()


def _due(now: datetime) -> QuerySet[Integration]:
    its_time = Q(sweep_due_at=None) | Q(sweep_due_at__lte=now)
    return Integration.objects.filter(its_time, enabled=True, paused_since=None)


def start_due(_deadline: Deadline) -> bool:
    """Sweep the integration that has waited longest, each once in SWEEP_SECONDS; False when none is due.

    The time is moved on first: a worker that is lost in the middle of it leaves the others their own.
    """
    now = timezone.now()
    longest = _due(now).select_related("organization").order_by(F("sweep_due_at").asc(nulls_first=True)).first()
    if longest is None:
        return False
    following = now + timedelta(seconds=settings.SWEEP_SECONDS)
    mine = Integration.objects.filter(pk=longest.pk, sweep_due_at=longest.sweep_due_at).update(sweep_due_at=following)
    if mine:
        _sweep(longest, following)
    return True


def _sweep(integration: Integration, following: datetime) -> None:
    _finish_forgotten_runs(integration)
    switched_off = FlowState.objects.filter(integration=integration, enabled=False).values_list("flow", flat=True)
    off = set(switched_off)
    for flow in registry.of(integration.settings).values():
        if isinstance(flow, DocumentFlow) and flow.name not in off:
            _sweep_flow(integration, flow)
    until = circuit.closed_until(integration)
    if until is not None and until < following:  # nothing was seen of a system that is down: as soon as it is back
        Integration.objects.filter(pk=integration.pk).update(sweep_due_at=until)


def _finish_forgotten_runs(integration: Integration) -> None:
    """Runs that are all sent and have no open record left, should a crash have come between the two."""
    settling = Run.objects.filter(integration=integration, status=RunStatus.SETTLING)
    for pk in settling.values_list("pk", flat=True)[:MOST_RUNS]:
        finish_if_settled(pk)


def _sweep_flow(integration: Integration, flow: DocumentFlow) -> None:
    before = timezone.now() - timedelta(seconds=settings.SWEEP_AGE)
    _wake_idle_records(integration, flow, before)
    try:
        with systems(integration) as both:
            archive = DbArchive(integration, both, flow_context(integration, flow, both))
            for page in flow.sweep(archive):
                _take_up_forgotten(integration, flow, page.found, before)
    except NotConfigured:
        return
    except ConnectorError as error:
        circuit.note_failure(integration, error.system or flow.source, error)


def _take_up_forgotten(integration: Integration, flow: DocumentFlow, found: Sequence[Found], before: datetime) -> None:
    """Claimed documents without a record of ours, or with one that is done, and not under way just now."""
    keys = [one.key for one in found]
    at_work = set(
        Record.objects.filter(integration=integration, flow=flow.name, key__in=keys)
        .exclude(status=RecordStatus.DONE, updated_at__lt=before)
        .values_list("key", flat=True)
    )
    forgotten = [one for one in found if one.key not in at_work and _changed_at(one.source) < before]
    if forgotten:
        log.warning("claimed_and_forgotten", integration=integration.pk, documents=len(forgotten))
        store_found(integration, flow, forgotten, run_id=None, found_by=FoundBy.SWEEP)
        wake()


def _changed_at(document: Any) -> datetime:
    return instant(document.get("lastUpdated")) or datetime.min.replace(tzinfo=UTC)


def _wake_idle_records(integration: Integration, flow: DocumentFlow, before: datetime) -> None:
    """Records that wait for an answer which nobody asks for any more."""
    asked_for = Attempt.objects.filter(state=AttemptState.ACCEPTED, integration=integration, flow=flow.name)
    idle = Record.objects.filter(
        integration=integration,
        flow=flow.name,
        status=RecordStatus.WAITING,
        next_attempt_at=None,
        blocked_by=None,
        updated_at__lt=before,
    ).filter(~Q(pk__in=asked_for.values("record")))
    idle.update(status=RecordStatus.PENDING, next_attempt_at=timezone.now())
