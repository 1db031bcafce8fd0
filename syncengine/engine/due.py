"""What is due, and working it off: the one question every worker asks, and the one order in which it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Min, Q
from django.utils import timezone

from syncengine import audit
from syncengine.engine import (
    erasing,
    execution,
    hints,
    inbox,
    pending,
    ping_schedule,
    schedule,
    settling,
    statistics,
    sweep,
)
from syncengine.engine.leases import owner_prefix
from syncengine.engine.work import Deadline
from syncengine.hooks import delivering as hooks
from syncengine.models import (
    Attempt,
    AttemptState,
    DeliveryState,
    HookDelivery,
    InboxNotification,
    NoticeDelivery,
    Record,
    RecordStatus,
    Run,
    RunStatus,
)
from syncengine.notices import delivering, watching
from syncengine.repairs import waiting

SHORT_WAIT = timedelta(seconds=1.5)
PERMIT_WAIT_SECONDS = 0.1

UNITS: tuple[Callable[[Deadline], bool], ...] = (
    inbox.work_on_due,
    settling.poll_due,
    pending.work_on_due,
    schedule.start_due,
    hints.start_due,
    execution.execute_due,
    sweep.start_due,
    audit.seal_due,
    audit.retain_due,
    ping_schedule.start_due,
    watching.watch_due,
    delivering.send_due,
    hooks.send_due,
    statistics.count_due,
    waiting.look_due,
    erasing.erase_due,
)


def work_off(deadline: Deadline) -> None:
    """Do what is due until nothing is, waiting for what is due in a moment (answers come within seconds)."""
    while not deadline.passed:
        # Each has its turn: what never runs dry must not keep the ones behind it from theirs.
        did = [unit(deadline) for unit in UNITS if not deadline.passed]
        if any(did):
            continue
        at = next_due(timezone.now())
        now = timezone.now()
        if at is None or at > now + SHORT_WAIT:
            return
        # The time itself is what is waited for; what is due and was not done waits for a permit.
        time.sleep((at - now).total_seconds() if at > now else PERMIT_WAIT_SECONDS)


def next_due(now: datetime) -> datetime | None:
    """When the next thing is due; None when nothing is planned."""
    times = [
        Attempt.objects.filter(state=AttemptState.ACCEPTED, next_poll_at__isnull=False)
        .filter(Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
        .filter(pending.may_call(now))
        .aggregate(at=Min("next_poll_at"))["at"],
        Record.objects.filter(status__spelled_in=(RecordStatus.PENDING, RecordStatus.WAITING))
        .filter(pending.may_call(now))
        .aggregate(at=Min("next_attempt_at"))["at"],
        InboxNotification.objects.filter(processed_at=None)
        .filter(pending.may_call(now))
        .aggregate(at=Min("next_attempt_at"))["at"],
        NoticeDelivery.objects.filter(state__in=delivering.OPEN)
        .filter(Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
        .aggregate(at=Min("next_attempt_at"))["at"],
        hooks.next_due(now),
        now if Run.objects.filter(execution.due_runs(now)).exists() else None,
    ]
    return min((at for at in times if at is not None), default=None)


def anything_due(now: datetime) -> bool:
    """Whether a worker has to be woken: asked each second, so every part of it is answered by an index."""
    at = next_due(now)
    if at is not None and at <= now:
        return True
    left_behind = Record.objects.filter(status=RecordStatus.IN_PROGRESS, lease_expires_at__lte=now)
    by_the_clock = (
        hints.is_due,
        sweep.is_due,
        audit.is_due,
        ping_schedule.is_due,
        watching.is_due,
        statistics.is_due,
        erasing.is_due,
    )
    return left_behind.exists() or schedule.due_states(now).exists() or any(due(now) for due in by_the_clock)


def somebody_works(now: datetime) -> bool:
    """Whether a worker of this machine holds a lease: its heartbeat renews it only while it lives."""
    ours = Q(lease_owner__startswith=owner_prefix(), lease_expires_at__gt=now)
    return (
        Run.objects.filter(ours, status=RunStatus.RUNNING).exists()
        or ping_schedule.at_work(ours)
        or Record.objects.filter(ours, status=RecordStatus.IN_PROGRESS).exists()
        or Attempt.objects.filter(ours, state=AttemptState.ACCEPTED).exists()
        or InboxNotification.objects.filter(ours, processed_at=None).exists()
        or NoticeDelivery.objects.filter(ours, state=DeliveryState.SENDING).exists()
        or HookDelivery.objects.filter(ours, state=DeliveryState.SENDING).exists()
    )


def wait_for_next(seconds: float) -> None:
    """Sleep until the next thing is due, `seconds` at most: others may do it meanwhile."""
    now = timezone.now()
    at = next_due(now)
    left = seconds if at is None else min(seconds, max(0.0, (at - now).total_seconds()))
    time.sleep(left)
