"""Retention: what is older than it has to be goes, in steps of one short transaction each.

Bodies of calls leave their SHA-256; finished runs go; audit events go in whole sealed blocks, whose seals stay as
tombstones and keep the chain verifiable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import models
from django.utils import timezone

from syncengine.audit.digests import COLUMNS, tombstone_of, unpack
from syncengine.audit.events import SYSTEM
from syncengine.audit.guard import removal_allowed
from syncengine.audit.keys import audit_key
from syncengine.audit.sealing import breathe
from syncengine.audit.verification import BadPlace, check_block, check_seal
from syncengine.engine import locks
from syncengine.models import (
    FINAL_STATUSES,
    AuditEvent,
    AuditSeal,
    Call,
    FlowState,
    HookDelivery,
    Plan,
    PlanItem,
    Run,
)

if TYPE_CHECKING:
    from syncengine.engine.work import Deadline

log = structlog.get_logger(__name__)

STEP = 500
BODIES_AT_ONCE = 100  # a body may be large, and all of these are in memory
RETENTION = "retention"
RETENTION_SECONDS = 3600.0
CREATED_AT = COLUMNS.index("created_at")


def is_due(now: datetime) -> bool:
    """Whether an hour has gone by since any worker looked."""
    return locks.is_free(RETENTION, now=now)


def retain_due(deadline: Deadline) -> bool:
    """CALL_BODY_DAYS and AUDIT_DAYS, once an hour; runs are removed by `purge` alone. False when it is not time."""
    if not locks.taken_for(RETENTION, seconds=RETENTION_SECONDS):
        return False
    now = timezone.now()
    for step in (
        reduce_bodies(now - timedelta(days=settings.CALL_BODY_DAYS)),
        remove_deliveries(now - timedelta(days=settings.CALL_BODY_DAYS)),
        remove_events(now - timedelta(days=settings.AUDIT_DAYS), now),
    ):
        _until(deadline, step)
    return True


def _until(deadline: Deadline, steps: Iterator[int]) -> None:
    try:
        for _ in steps:
            if deadline.passed:
                return
    except BadPlace as bad:  # evidence is not removed
        log.error("audit_trail_damaged", problem=bad.problem, organization=bad.organization_id)


def reduce_bodies(before: datetime) -> Iterator[int]:
    """Replace the bodies of calls made before then by their SHA-256; yields how many calls each step reduced."""
    kept = Call.objects.filter(bodies_kept=True, started_at__lt=before).order_by("started_at")
    while calls := list(kept.only("request_body", "response_body")[:BODIES_AT_ONCE]):
        for call in calls:
            call.request_sha256, call.request_body = _sha256(call.request_body), ""
            call.response_sha256, call.response_body = _sha256(call.response_body), ""
            call.bodies_kept = False
        Call.objects.bulk_update(
            calls, ["request_sha256", "request_body", "response_sha256", "response_body", "bodies_kept"]
        )
        breathe()
        yield len(calls)


def _sha256(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest() if body else ""


def remove_deliveries(before: datetime) -> Iterator[int]:
    """Remove messages to hooks written before then, sent or not; yields how many each step removed."""
    old = HookDelivery.objects.filter(created_at__lt=before).order_by("created_at")
    while pks := list(old.values_list("pk", flat=True)[:STEP]):
        yield HookDelivery.objects.filter(pk__in=pks).delete()[0]
        breathe()


def remove_runs(before: datetime) -> Iterator[int]:
    """Remove runs that finished before then, but never a flow's last one; yields how many each step removed."""
    _remove_plans(before)
    shown = FlowState.objects.exclude(last_run=None).values("last_run")
    finished = Run.objects.filter(status__in=FINAL_STATUSES, finished_at__lt=before).exclude(pk__in=shown)
    finished = finished.exclude(pk__in=_being_applied().values("run"))
    while pks := list(finished.order_by("pk").values_list("pk", flat=True)[:STEP]):
        _unlink(pks)
        # A run that a flow has just made its last one stays; it is excluded the next time.
        yield finished.filter(pk__in=pks).delete()[1].get(Run._meta.label, 0)
        breathe()


def _remove_plans(before: datetime) -> None:
    """The plans of runs that finished before then, a flow's last one among them: nobody applies them any more."""
    old = Plan.objects.filter(run__finished_at__lt=before).exclude(pk__in=_being_applied())
    for plan in list(old.values_list("pk", flat=True)):
        items = PlanItem.objects.filter(plan=plan).order_by("pk")
        while pks := list(items.values_list("pk", flat=True)[:STEP]):
            PlanItem.objects.filter(pk__in=pks).delete()
            breathe()
        Plan.objects.filter(pk=plan).delete()


def _being_applied() -> models.QuerySet[Plan]:
    return Plan.objects.exclude(applied_in=None).exclude(applied_in__status__in=FINAL_STATUSES)


def _unlink(runs: list[int]) -> None:
    """Take the runs out of what points at them: thousands of records and calls may, too many for one transaction."""
    for relation in Run._meta.related_objects:
        if relation.on_delete is models.SET_NULL:
            rows: Any = relation.related_model._base_manager
            name = relation.field.attname
            pointing = rows.filter(**{f"{name}__in": runs})
            while pks := list(pointing.values_list("pk", flat=True)[:STEP]):
                rows.filter(pk__in=pks).update(**{name: None})
                breathe()


def remove_events(before: datetime, now: datetime) -> Iterator[int]:
    """Remove whole blocks of events older than that, oldest first; yields how many each step removed.

    Raises BadPlace before anything is removed that is not as it was sealed.
    """
    live = AuditSeal.objects.filter(purged_at=None)
    for organization_id in list(live.order_by().values_list("organization_id", flat=True).distinct()):
        seals: list[int] = []
        events = 0
        for seal in _by_number(live.filter(organization_id=organization_id)):
            removed = _bury(seal, before, now)
            if not removed:
                break
            seals.append(seal.number)
            events += removed
            yield removed
        if seals:
            _tell(organization_id, seals, events, now)


def _by_number(seals: models.QuerySet[AuditSeal]) -> Iterator[AuditSeal]:
    """One at a time: the table changes under way."""
    seal = seals.order_by("number").first()
    while seal is not None:
        yield seal
        seal = seals.filter(number__gt=seal.number).order_by("number").first()


def _bury(seal: AuditSeal, before: datetime, now: datetime) -> int:
    """Remove the events of a seal if all of them are old enough; how many."""
    check_seal(seal, seal.previous)
    rows = check_block(seal)
    if any(row[CREATED_AT] >= before for row in rows):
        return 0
    with removal_allowed():
        AuditEvent.objects.filter(pk__in=unpack(seal.members)).delete()
        AuditSeal.objects.filter(pk=seal.pk).update(
            purged_at=now, tombstone=tombstone_of(audit_key(), seal.head, now)
        )  # fmt: skip
    breathe()
    return len(rows)


def _tell(organization_id: int, seals: list[int], events: int, now: datetime) -> None:
    AuditEvent.objects.create(
        organization_id=organization_id,
        actor=SYSTEM,
        action="audit.purged",
        message=f"{events} events of seals {seals[0]} to {seals[-1]}, kept for {settings.AUDIT_DAYS} days.",
        data={"first_seal": seals[0], "last_seal": seals[-1], "events": events},
        created_at=now,
    )
