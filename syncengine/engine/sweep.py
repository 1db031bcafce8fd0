"""The sweep: documents that Basware shows as claimed and nobody answers, and runs that nobody finished.

A crash between the claim and its record leaves a document that no poll lists any more (contracts: Basware §14.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import circuit, locks
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

SWEEP = "sweep"


def is_due(now: datetime) -> bool:
    """Whether SWEEP_SECONDS have gone by since the last sweep of any worker."""
    return locks.is_free(SWEEP, now=now)


def start_due(_deadline: Deadline) -> bool:
    """Sweep every integration once each SWEEP_SECONDS; False when it is not time."""
    if not locks.taken_for(SWEEP, seconds=settings.SWEEP_SECONDS):
        return False
    _finish_forgotten_runs()
    active = Integration.objects.filter(enabled=True, paused_since=None)
    # Not one cursor for all: the connection may be closed and opened again while an integration is swept.
    for pk in list(active.values_list("pk", flat=True)):
        integration = active.select_related("organization").filter(pk=pk).first()
        for flow in registry.flows().values():
            if integration is not None and isinstance(flow, DocumentFlow):
                _sweep(integration, flow)
    return True


def _finish_forgotten_runs() -> None:
    """Runs that are all sent and have no open record left, should a crash have come between the two."""
    for pk in Run.objects.filter(status=RunStatus.SETTLING).values_list("pk", flat=True)[:500]:
        finish_if_settled(pk)


def _sweep(integration: Integration, flow: DocumentFlow) -> None:
    if FlowState.objects.filter(integration=integration, flow=flow.name, enabled=False).exists():
        return
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
