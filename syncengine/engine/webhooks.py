"""Push notifications: stored first and worked on later; and the subscription that makes Basware send them.

contracts: Basware §16. A notification is a hint to look at a document, so SAP is not called while it is received.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.basware import Basware, Subscription
from syncengine.connectors.basware.notification import NotANotification, Notification, TaskType, parse
from syncengine.connectors.basware.signature import Verification, verify
from syncengine.connectors.outcomes import ConnectorError, OutcomeUnknown
from syncengine.engine.connections import NotConfigured, basware_client, connection_of
from syncengine.engine.gate import Caller
from syncengine.engine.observing import CallLog
from syncengine.engine.quarantine import OVERLAP, Refusal, Sender, count, forget_old_secrets, refuse, refuse_signature
from syncengine.engine.wake import wake
from syncengine.flows.values import instant
from syncengine.models import InboxNotification, bulk
from tenants.models import Integration, System, WebhookSecret

log = structlog.get_logger(__name__)

TASK_TYPE, TASK_SUB_TYPE = "AccountingDocuments", "WaitingForTransfer"
# The test comes while Basware answers our POST (§16.2); this is for a portal process that is slow to commit.
TEST_PATIENCE = 5.0
_POLL = 0.1
_COLUMNS = {"task_id": 100, "document_id": 100, "task_type_text": 60, "task_sub_type": 60}
# Written out: to put it together anew for each notification takes the ORM longer than all else that we do with one.
_SECRETS_OF = """
    SELECT held.* FROM tenants_webhooksecret AS held JOIN tenants_integration AS whose ON whose.id = held.integration_id
    WHERE whose.webhook_id = %s AND (held.expires_at IS NULL OR held.expires_at > %s)
    ORDER BY held.id DESC
"""

Answer = tuple[int, Any]


class SubscriptionRefused(Exception):
    """There is no (new) subscription: a sentence for people, a hint, and a code for machines."""

    def __init__(self, message: str, hint: str = "", code: str = "subscription_refused") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
        self.code = code


def webhook_url(integration: Integration) -> str:
    """Where Basware sends this integration's notifications."""
    return f"{settings.SITE_URL}/webhooks/basware/{integration.webhook_id}/"


def receive(
    integration: Integration,
    raw_body: bytes,
    signature: str | None,
    now: datetime,
    tolerated: Callable[[], bool] = lambda: True,
    address: str = "",
    held: Sequence[WebhookSecret] | None = None,
) -> Answer:
    """HTTP status and body for one notification. Only a good signature leaves more than a counter.

    `tolerated` is asked about bad ones only: whether the sender may go on with them, or is told to stop (429).
    Why a signature is refused is for our own people: the sender learns only that it is.
    `held` are the secrets in force, where they came with the integration (`addressed`).
    """
    sender = Sender(address, len(raw_body))
    held = usable_secrets(integration, now) if held is None else held
    verified = verify(raw_body, signature, [secret.secret["value"] for secret in held])
    if verified is None and not (signature is None and _is_connection_test(raw_body)):
        if not tolerated():
            refuse(integration, Refusal.TOO_MANY, now, sender)
            return 429, {"detail": "Too many notifications with a bad signature."}
        refuse_signature(integration, raw_body, signature, now, sender)
        return 401, {"detail": "The signature is missing or wrong."}
    try:
        notification = parse(raw_body)
        _check_lengths(notification)
    except NotANotification as problem:
        refuse(integration, Refusal.NOT_A_NOTIFICATION, now, sender)
        return 422, {"detail": str(problem)}
    if notification.task_type is TaskType.CONNECTION_TEST:
        _note_test(integration, held[verified.secret_index] if verified else None, now, sender)
    elif verified:
        _keep(integration, notification, raw_body, verified, now)
    return 200, json.loads(raw_body.decode("utf-8-sig"))


def addressed(webhook_id: str, now: datetime) -> tuple[Integration | None, Sequence[WebhookSecret]]:
    """Whose address this is, with the secrets in force: in one question where there are any.

    They are read for each notification: a rotation is in force at once, in every process.
    """
    moment = connection.ops.adapt_datetimefield_value(now)
    held = list(WebhookSecret.objects.raw(_SECRETS_OF, [webhook_id, moment]))
    if not held:
        return Integration.objects.filter(webhook_id=webhook_id).first(), held
    return Integration(pk=held[0].integration_id), held  # no more than its key is needed from here on


def usable_secrets(integration: Integration, now: datetime) -> Sequence[WebhookSecret]:
    """The secrets in force, the newest first: a new one counts as soon as it is stored, an old one for a day."""
    return addressed(integration.webhook_id, now)[1]


def _is_connection_test(raw_body: bytes) -> bool:
    try:
        return parse(raw_body).task_type is TaskType.CONNECTION_TEST
    except NotANotification:
        return False


def _check_lengths(notification: Notification) -> None:
    for name, most in _COLUMNS.items():
        if len(getattr(notification, name)) > most:
            raise NotANotification(f"{name} is longer than {most} characters.")


def _note_test(integration: Integration, secret: WebhookSecret | None, now: datetime, sender: Sender) -> None:
    """A signed test confirms its secret; an unsigned one the newest, since it can only be about that one (§16.2)."""
    count(integration, "connection_test" if secret else "connection_test_unsigned", now, sender)
    waiting = WebhookSecret.objects.filter(integration=integration, confirmed_at=None)
    tested = secret or waiting.filter(expires_at=None).order_by("-id").defer("secret").first()
    if tested:
        waiting.filter(pk=tested.pk).update(confirmed_at=now)


def _keep(
    integration: Integration, notification: Notification, raw_body: bytes, verified: Verification, now: datetime
) -> None:
    """One statement, without looking first: where the task is known already the index says so, and nothing changes."""
    row = InboxNotification(
        integration=integration,
        task_id=notification.task_id,
        task_type=notification.task_type_text,
        task_sub_type=notification.task_sub_type,
        document_id=notification.document_id,
        signature_form=verified.form,
        body=raw_body.decode("utf-8-sig"),
        received_at=now,
        next_attempt_at=now,
    )
    if bulk.insert([row], unique=("integration", "task_id")):
        wake()


def subscribe(integration: Integration, actor: str) -> dict[str, bool]:
    """Subscribe at Basware under a fresh secret, or rotate to one: one subscription of ours remains.

    Raises SubscriptionRefused. No transaction is open during the calls: Basware calls back meanwhile (§16.2).
    """
    calls = CallLog(integration)
    try:
        client = basware_client(connection_of(integration, System.BASWARE), calls, Caller.PERSON)
        fresh = WebhookSecret.objects.create(integration=integration, secret={"value": secrets.token_urlsafe(48)})
        _replace_subscription(client, integration, fresh)
    except NotConfigured as missing:
        raise SubscriptionRefused(str(missing), "Enter its address and credentials first.", "not_configured") from None
    except ConnectorError as error:
        if not isinstance(error, OutcomeUnknown):  # else it may be in force, so its secret stays usable
            fresh.delete()
        raise SubscriptionRefused(error.message, error.hint, error.code) from error
    finally:
        calls.flush()
    _put_in_force(integration, fresh, actor)
    return {"subscribed": True, "confirmed": _await_test(fresh)}


def _replace_subscription(client: Basware, integration: Integration, fresh: WebhookSecret) -> None:
    """Ours are removed before the new one is posted: a removal takes all that is younger than its date (§16.1).

    So the new one survives. When posting it is refused, the one before is put back.
    """
    url = webhook_url(integration)
    before = [one for one in client.subscriptions(TASK_TYPE) if one.task_sub_type == TASK_SUB_TYPE]
    ours = [one for one in before if one.url == url]
    removed = ours and _remove(client, ours, [one for one in before if one.url != url])
    try:
        client.subscribe(TASK_TYPE, TASK_SUB_TYPE, url, fresh.secret["value"])
    except OutcomeUnknown:
        raise
    except ConnectorError:
        if removed:
            _put_back(client, integration)
        raise


def _remove(client: Basware, ours: Sequence[Subscription], others: Sequence[Subscription]) -> bool:
    """Remove ours unless that would take another system's with it: then Basware is left with two, which we tolerate."""
    since = _just_before(min(one.last_updated for one in ours))
    if since is None or any(not _older(one, since) for one in others):
        log.warning("subscription_not_removed", reason="another system's subscription would go with it")
        return False
    client.unsubscribe(TASK_TYPE, TASK_SUB_TYPE, since)
    return True


def _older(other: Subscription, since: str) -> bool:
    moment = instant(other.last_updated)
    return moment is not None and moment <= datetime.fromisoformat(since)


def _just_before(text: str) -> str | None:
    moment = instant(text)
    return None if moment is None else (moment - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")


def _put_back(client: Basware, integration: Integration) -> None:
    old = WebhookSecret.objects.filter(integration=integration).exclude(confirmed_at=None).order_by("-id").first()
    if old is None:
        return
    try:
        client.subscribe(TASK_TYPE, TASK_SUB_TYPE, webhook_url(integration), old.secret["value"])
    except ConnectorError as error:
        log.warning("subscription_not_put_back", error=error.code)


def _put_in_force(integration: Integration, fresh: WebhookSecret, actor: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        older = WebhookSecret.objects.filter(integration=integration, expires_at=None).exclude(pk=fresh.pk)
        rotated = older.update(expires_at=now + OVERLAP)
        action = "webhook.rotated" if rotated else "webhook.subscribed"
        forget_old_secrets(integration, now)
        record_event(integration.organization, actor, action, webhook_url(integration), integration=integration)


def _await_test(fresh: WebhookSecret) -> bool:
    give_up = time.monotonic() + TEST_PATIENCE
    while not WebhookSecret.objects.filter(pk=fresh.pk).exclude(confirmed_at=None).exists():
        if time.monotonic() >= give_up:
            return False
        time.sleep(_POLL)  # another process receives it: there is no event to wait for
    return True
