"""Writing down what hooks are told, in the transaction of the deed itself: told if, and only if, it was done."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from syncengine.engine.wake import wake
from syncengine.hooks.events import OF_ACTION, Event, of_record, of_run
from syncengine.models import DeliveryState, Hook, HookDelivery, Record, Run

MOST_WAITING = 10_000
_IS_THERE_ANY = "SELECT 1 FROM syncengine_hook WHERE organization_id = %s AND enabled AND stopped_at IS NULL LIMIT 1"
"""Asked with every deed, and hardly ever answered with yes: the ORM would take longer to ask than all the rest."""
OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


def publish_action(
    organization_id: int,
    integration_id: int | None,
    action: str,
    message: str,
    *,
    record: Record | None = None,
    run: Run | None = None,
) -> None:
    """What the audit trail has just been told, for those who asked for it."""
    event = OF_ACTION.get(action)
    if event is None or integration_id is None:
        return
    if event == Event.RUN_FINISHED and run is not None:
        told: dict[str, Any] = of_run(run)
    else:
        told = of_record(record, message) if record is not None else {"message": message}
    publish(organization_id, integration_id, event, [told])


def publish_records(organization_id: int, integration_id: int, action: str, rows: Sequence[tuple[Record, str]]) -> None:
    """The same for many records at once: pairs of record and message."""
    event = OF_ACTION.get(action)
    if event is not None:
        publish(organization_id, integration_id, event, rows)


def publish(
    organization_id: int,
    integration_id: int,
    event: Event,
    told: Sequence[dict[str, Any] | tuple[Record, str]],
) -> None:
    """A row for each hook that wants the event and each thing that it tells of; one question when nobody does."""
    hooks = [hook for hook in _hooks(organization_id, integration_id) if event in hook.events] if told else []
    hooks = [hook for hook in hooks if _has_room(hook)]
    if not hooks:
        return
    now = timezone.now()
    bodies = [_body(event, integration_id, one, now) for one in told]
    HookDelivery.objects.bulk_create(
        [delivery_of(hook, event, message_id, body, now) for hook in hooks for message_id, body in bodies],
        batch_size=500,
    )
    wake()


def _hooks(organization_id: int, integration_id: int) -> list[Hook]:
    with connection.cursor() as cursor:
        cursor.execute(_IS_THERE_ANY, [organization_id])
        if cursor.fetchone() is None:
            return []
    wanted = Q(integration=None) | Q(integration=integration_id)
    rows = Hook.objects.filter(wanted, organization=organization_id, enabled=True, stopped_at=None)
    return list(rows.defer("secret"))


def _has_room(hook: Hook) -> bool:
    """A queue is bounded: a tool that has not taken its messages for so long is told nothing more until it is back."""
    waiting = HookDelivery.objects.filter(hook=hook, state__in=OPEN).order_by("id").values_list("pk")
    if not waiting[MOST_WAITING - 1 : MOST_WAITING].exists():
        return True
    stop(hook, f"{MOST_WAITING} messages wait for it.")
    return False


def stop(hook: Hook, why: str) -> None:
    """Give a hook up until a person switches it on again; the notices follow from the row."""
    Hook.objects.filter(pk=hook.pk, stopped_at=None).update(stopped_at=timezone.now(), stopped_for=why[:300])


def message_of(event: str, told: dict[str, Any], now: datetime) -> tuple[str, str]:
    """The id and the body of a message."""
    body = {"type": event, "timestamp": now.isoformat().replace("+00:00", "Z"), "data": told}
    return f"msg_{uuid.uuid4().hex}", json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _body(
    event: Event, integration_id: int, told: dict[str, Any] | tuple[Record, str], now: datetime
) -> tuple[str, str]:
    data = of_record(*told) if isinstance(told, tuple) else told
    return message_of(event, {"integration": integration_id, **data}, now)


def delivery_of(hook: Hook, event: str, message_id: str, body: str, now: datetime) -> HookDelivery:
    """A message that is due at once."""
    return HookDelivery(
        organization_id=hook.organization_id,
        hook=hook,
        event=event,
        message_id=message_id,
        body=body,
        next_attempt_at=now,
        created_at=now,
    )
