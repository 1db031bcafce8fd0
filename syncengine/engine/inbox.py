"""Working on notifications: a hint to look at a document; its own status decides (contracts: Basware §16.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.basware.notification import TaskType, parse
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import circuit, tallies, turns
from syncengine.engine.archive import DbArchive
from syncengine.engine.connections import NotConfigured, systems
from syncengine.engine.context import flow_context
from syncengine.engine.documents import store_found
from syncengine.engine.leases import lease_end, new_owner
from syncengine.engine.pending import may_call
from syncengine.engine.retries import retry_at
from syncengine.engine.runs import ActionRefused
from syncengine.engine.wake import wake
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.flows.document import DocumentFlow, NotOurs
from syncengine.models import (
    OPEN_STATUSES,
    Attempt,
    AttemptState,
    FlowState,
    FoundBy,
    InboxNotification,
    NotificationResult,
    Record,
)
from tenants.models import Integration

log = structlog.get_logger(__name__)

FLOW = "invoices"
NOT_FOUND_DELAYS = (10.0, 60.0, 300.0)
MOST_AT_ONCE = 20


def due_notifications(now: datetime) -> Q:
    return free_notifications(now) & may_call(now)


def free_notifications(now: datetime) -> Q:
    """What a claim asks again (see `execution.free_runs`)."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    return Q(processed_at=None, next_attempt_at__lte=now) & free


def work_on_due(_deadline: Deadline) -> bool:
    """Look at the documents that due notifications of one integration name; False when none is due."""
    now = timezone.now()
    integration = next(iter(turns.line(InboxNotification.objects.filter(due_notifications(now)))), None)
    if integration is None:
        return False
    turns.take(integration)
    owner = new_owner()
    kin = InboxNotification.objects.filter(due_notifications(now), integration=integration)
    held_by = dict(kin.order_by("id").values_list("pk", "lease_owner")[:MOST_AT_ONCE])
    InboxNotification.objects.filter(free_notifications(now), pk__in=held_by).update(
        lease_owner=owner, lease_expires_at=lease_end(now)
    )
    mine = list(InboxNotification.objects.filter(lease_owner=owner, pk__in=held_by))
    tallies.count_take_overs("notification", sum(bool(held_by[one.pk]) for one in mine))
    _work_on(integration, mine)
    return True


def _work_on(integration: Integration, mine: list[InboxNotification]) -> None:
    documents = []
    for notification in mine:
        kind = parse(notification.body.encode()).task_type
        if kind is TaskType.REQUEST_STATUS:
            _hasten(notification)
        elif kind is TaskType.ACCOUNTING_DOCUMENTS:
            documents.append(notification)
        else:
            _close(notification, NotificationResult.UNKNOWN_TYPE)
    under_way = _under_way(integration, documents)
    if news := [one for one in documents if one.document_id not in under_way]:
        _look_at(integration, news)


def _under_way(integration: Integration, notifications: list[InboxNotification]) -> set[str]:
    """The documents that are being worked on: their notifications are closed, since reading would tell nothing new.

    Such a document no longer waits for transfer, so that it would be taken for an early one and be read four times.
    """
    named = {one.document_id for one in notifications}
    rows = Record.objects.filter(integration=integration, flow=FLOW, key__in=named, status__in=OPEN_STATUSES)
    under_way = set(rows.values_list("key", flat=True)) if named else set()
    for notification in notifications:
        if notification.document_id in under_way:
            _close(notification, NotificationResult.KNOWN)
    return under_way


def _hasten(notification: InboxNotification) -> None:
    """Basware has something to say about a request of ours: ask now."""
    Attempt.objects.filter(
        integration_id=notification.integration_id,
        request_id=notification.document_id,
        state=AttemptState.ACCEPTED,
    ).update(next_poll_at=timezone.now())
    _close(notification, NotificationResult.REQUEST)


def _look_at(integration: Integration, notifications: list[InboxNotification]) -> None:
    flow = registry.get(FLOW)
    assert isinstance(flow, DocumentFlow)  # the flow of that name is one
    if FlowState.objects.filter(integration=integration, flow=FLOW, enabled=False).exists():
        for notification in notifications:
            _close(notification, NotificationResult.SWITCHED_OFF)
        return
    try:
        with systems(integration) as both:
            archive = DbArchive(integration, both, flow_context(integration, flow, both))
            _look_at_each(integration, flow, archive, notifications)
    except NotConfigured:
        _each_open(notifications, lambda one: _close(one, NotificationResult.NOT_CONFIGURED))
    except ConnectorError as error:
        circuit.note_failure(integration, error.system or flow.source, error)
        failure, now = error, timezone.now()
        _each_open(notifications, lambda one: _again(one, retry_at(failure, one.attempts + 1, now)))
    except DatabaseError:
        raise  # nothing could be written down now: taken up again when the lease runs out
    except Exception:
        log.exception("notifications_failed", integration=integration.pk)
        _each_open(notifications, lambda one: _later_or_never(one, NotificationResult.OUR_FAULT))


def _each_open(notifications: list[InboxNotification], deed: Callable[[InboxNotification], None]) -> None:
    for notification in notifications:
        if notification.processed_at is None:
            deed(notification)


def _look_at_each(
    integration: Integration, flow: DocumentFlow, archive: DbArchive, notifications: Iterable[InboxNotification]
) -> None:
    """Each document once, however many notifications name it."""
    found: set[str] = set()
    for notification in notifications:
        if notification.document_id in found:
            _close(notification, NotificationResult.KNOWN)
        elif _look_at_one(integration, flow, archive, notification):
            found.add(notification.document_id)


def _look_at_one(
    integration: Integration, flow: DocumentFlow, archive: DbArchive, notification: InboxNotification
) -> bool:
    """Whether the document waits for us."""
    try:
        found = flow.find_one(archive, notification.document_id)
    except NotOurs:
        _close(notification, NotificationResult.NOT_OURS)
        return False
    if found is not None:
        stored = store_found(integration, flow, [found], run_id=None, found_by=FoundBy.WEBHOOK)
        _close(notification, NotificationResult.TAKEN_UP if stored.to_do else NotificationResult.KNOWN)
    else:  # early notifications happen: the document becomes readable a little later
        _later_or_never(notification, NotificationResult.NOT_THERE)
    return found is not None


def _later_or_never(notification: InboxNotification, result: str) -> None:
    if notification.attempts < len(NOT_FOUND_DELAYS):
        _again(notification, timezone.now() + timedelta(seconds=NOT_FOUND_DELAYS[notification.attempts]))
    else:
        _close(notification, result)


def _again(notification: InboxNotification, at: datetime) -> None:
    notification.attempts += 1
    notification.next_attempt_at = at
    notification.lease_owner, notification.lease_expires_at = "", None
    notification.save()


def _close(notification: InboxNotification, result: str) -> None:
    now = timezone.now()
    notification.processed_at = now
    notification.result = result
    notification.lease_owner, notification.lease_expires_at = "", None
    notification.save()
    changes = tallies.Changes()
    came_at = notification.looked_again_at or notification.received_at
    changes.observe(tallies.WEBHOOK_LAG, max(0.0, (now - came_at).total_seconds()))
    transaction.on_commit(changes.store)


def look_again(notification: InboxNotification, actor: str) -> None:
    """Work on a notification anew, as if it had just come. Raises ActionRefused while a worker holds it."""
    now = timezone.now()
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    with transaction.atomic():
        anew = InboxNotification.objects.filter(free, pk=notification.pk).update(
            processed_at=None,
            result="",
            attempts=0,
            next_attempt_at=now,
            looked_again_at=now,
            lease_owner="",
            lease_expires_at=None,
        )
        if not anew:
            raise ActionRefused("A worker is looking at it right now.", code="in_progress")
        integration = notification.integration
        about = f"{notification.task_type} {notification.document_id}"
        record_event(integration.organization, actor, "webhook.looked_again", about, integration=integration)
        wake()
