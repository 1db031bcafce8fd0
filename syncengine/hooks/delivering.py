"""Sending messages: claimed by lease, tried again ever later, and given up in the end.

A worker that is lost while it sends leaves the row in `sending`; it is sent again when the lease runs out, so that
every message arrives at least once. An address that fails is left alone for a while with all that waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from cryptography.fernet import InvalidToken
from django.db import DatabaseError
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from syncengine.connectors.calls import Limits, ObservedCall, Request, Response, utcnow
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import ConnectorError, Rejected, Throttled, Unavailable
from syncengine.connectors.redaction import secrets_of_url
from syncengine.engine.connections import outbound_policy
from syncengine.engine.leases import Heartbeat, lease_end, new_owner
from syncengine.engine.work import Deadline
from syncengine.hooks.publishing import OPEN, stop
from syncengine.hooks.service import UNREADABLE
from syncengine.hooks.signing import headers
from syncengine.models import DeliveryState, Hook, HookDelivery

log = structlog.get_logger(__name__)

DELAYS = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
MOST_PATIENCE = 900.0  # how long one failure keeps everything else for the same address waiting
STOP_AFTER = timedelta(days=5)
SYSTEM = "hook"
GONE = 410
LIMITS = Limits(connect_timeout=5, read_timeout=10, body_timeout=15, max_body_bytes=64 * 1024, capture_chars=4000)


def due_deliveries(now: datetime) -> Q:
    """What may go out now."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    calm = Q(hook__retry_at=None) | Q(hook__retry_at__lte=now)
    return Q(state__in=OPEN, next_attempt_at__lte=now, hook__enabled=True, hook__stopped_at=None) & free & calm


def next_due(now: datetime) -> datetime | None:
    """When the next message may go out; None when none waits."""
    waiting = HookDelivery.objects.filter(state__in=OPEN, hook__enabled=True, hook__stopped_at=None)
    waiting = waiting.filter(Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
    waiting = waiting.filter(Q(hook__retry_at=None) | Q(hook__retry_at__lte=now))
    return waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def send_due(_deadline: Deadline) -> bool:
    """Send one message; False when none is due."""
    now = timezone.now()
    key = (
        HookDelivery.objects.filter(due_deliveries(now))
        .order_by("next_attempt_at", "id")
        .values_list("pk", flat=True)
        .first()
    )
    if key is None:
        return False
    owner = new_owner()
    if _claim(key, owner, now):
        with Heartbeat(lambda: bool(_mine(key, owner).update(lease_expires_at=lease_end(timezone.now())))):
            _send(HookDelivery.objects.select_related("hook").defer("hook__secret").get(pk=key), _mine(key, owner))
    return True


def _claim(key: int, owner: str, now: datetime) -> int:
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    return HookDelivery.objects.filter(free, pk=key, state__in=OPEN).update(
        lease_owner=owner,
        lease_expires_at=lease_end(now),
        attempts=F("attempts") + 1,
        state=DeliveryState.SENDING,
    )


def _mine(key: int, owner: str) -> QuerySet[HookDelivery]:
    return HookDelivery.objects.filter(pk=key, lease_owner=owner)


@dataclass
class _Seen:
    """The last call, without secrets, as the log shows it."""

    calls: list[ObservedCall] = field(default_factory=list)

    def fields(self) -> dict[str, object]:
        if not self.calls:
            return {"status": None, "duration_ms": None, "response_headers": {}, "response_body": ""}
        call = self.calls[-1]
        return {
            "status": call.status,
            "duration_ms": call.duration_ms,
            "request_headers": dict(call.request_headers),
            "response_headers": dict(call.response_headers),
            "response_body": call.response_body,
        }


def _send(delivery: HookDelivery, row: QuerySet[HookDelivery]) -> None:
    seen = _Seen()
    try:
        _post(delivery, seen)
    except ConnectorError as error:
        _failed(delivery, row, error, seen)
    except DatabaseError:
        raise  # nothing can be written down now: another takes it up when the lease runs out
    except Exception as error:
        log.exception("hook_crashed", hook=delivery.hook_id)
        _failed(delivery, row, Unavailable(f"Sending broke here ({type(error).__name__}).", code="internal"), seen)
    else:
        _end(row, DeliveryState.SENT, seen, sent_at=timezone.now(), error="")
        well = {"failing_since": None, "failures_in_a_row": 0, "retry_at": None}
        Hook.objects.filter(pk=delivery.hook_id).exclude(failing_since=None).update(**well)


def address_of(hook: Hook) -> str:
    """Where to. Unavailable when it cannot be decrypted: whoever mends the keys or enters it again has it sent."""
    try:
        url: str = hook.secret["url"]
    except (InvalidToken, KeyError):
        raise Unavailable(UNREADABLE, code="secret_unreadable") from None
    return url


def good_secrets(hook: Hook, now: datetime) -> list[str]:
    """What signs: the secret in force, and for a day the one before it."""
    before = hook.secret.get("before") if hook.before_until and hook.before_until > now else None
    return [hook.secret["value"], *([before] if before else [])]


def _post(delivery: HookDelivery, seen: _Seen) -> None:
    hook, now, body = delivery.hook, timezone.now(), delivery.body.encode()
    url, secrets = address_of(hook), good_secrets(hook, now)
    blanked = (*secrets, *secrets_of_url(url))
    transport = HttpTransport(
        SYSTEM, policy=outbound_policy(), limits=LIMITS, secrets=blanked, observer=seen.calls.append
    )
    sent = {
        "Content-Type": "application/json",
        "User-Agent": "Ledgerbridge-Webhooks/1",
        **headers(secrets, delivery.message_id, now, body),
    }
    transport.send(Request("POST", url, headers=sent, body=body), _judge)


def _judge(response: Response) -> ConnectorError | None:
    """2xx is taken. 410 is a wish to hear nothing more. Anything else may be mended there, so it is tried again."""
    status = response.status
    if 200 <= status < 300:
        return None
    if status == GONE:
        return Rejected("It answered 410: it wants nothing more.", code="hook_gone", status=status)
    after = response.retry_after(utcnow())
    if after is not None:
        return Throttled(f"It answered {status} and asks for patience.", after=after)
    return Unavailable(f"It answered {status}, not 2xx.", code="hook_refused", status=status)


def _failed(delivery: HookDelivery, row: QuerySet[HookDelivery], error: ConnectorError, seen: _Seen) -> None:
    gone = isinstance(error, Rejected) and error.code == "hook_gone"
    tries, text = delivery.attempts, f"{error.message} {error.hint}".strip()[:300]
    if gone or tries > len(DELAYS):
        _end(row, DeliveryState.FAILED, seen, error=text)
    else:
        at = timezone.now() + timedelta(seconds=_wait(error, DELAYS[tries - 1]))
        _end(row, DeliveryState.WAITING, seen, error=text, next_attempt_at=at)
    _note_failure(delivery.hook, error)
    if gone:
        stop(delivery.hook, error.message)
    log.warning("hook_not_taken", hook=delivery.hook_id, tries=tries, code=error.code)


def _wait(error: ConnectorError, otherwise: float) -> float:
    told = error.after if isinstance(error, Throttled) else None
    return otherwise if told is None else told


def _note_failure(hook: Hook, error: ConnectorError) -> None:
    now, failures = timezone.now(), hook.failures_in_a_row + 1
    patience = _wait(error, min(DELAYS[min(failures, len(DELAYS)) - 1], MOST_PATIENCE))
    Hook.objects.filter(pk=hook.pk).update(
        failing_since=Coalesce("failing_since", now),
        failures_in_a_row=F("failures_in_a_row") + 1,
        retry_at=now + timedelta(seconds=patience),
    )
    if hook.failing_since is not None and now - hook.failing_since > STOP_AFTER:
        stop(hook, f"Nothing was taken for {STOP_AFTER.days} days. {error.message}")


def _end(row: QuerySet[HookDelivery], state: DeliveryState, seen: _Seen, **fields: object) -> None:
    row.update(state=state, lease_owner="", lease_expires_at=None, **seen.fields(), **fields)
