"""Notifications that we refuse: counted by reason, so that a person can act, and nothing of their content kept.

interface.md, "Webhook": of a bad or missing signature nothing is stored but a counter.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from syncengine.connectors.basware.signature import HEADER, is_readable, verify
from syncengine.models import WebhookCounter
from tenants.models import Integration, WebhookSecret

LARGEST_BODY = 64 * 1024
# How long an old secret signs validly after a rotation, and how long it is recognised after that.
OVERLAP = timedelta(days=1)
RECOGNISED_FOR = timedelta(days=90)
_LARGEST_SIZE = 2**31 - 1


class Refusal(models.TextChoices):
    """Why a notification was refused, as finely as can be told without keeping it."""

    NO_SIGNATURE = "no_signature", "No signature."
    UNREADABLE_SIGNATURE = "unreadable_signature", "The signature is in no form that we know."
    NOT_SUBSCRIBED = "not_subscribed", "Signed, but we hold no secret."
    EXPIRED_SECRET = "expired_secret", "Signed with an old secret."
    UNKNOWN_SECRET = "unknown_secret", "The signature fits none of our secrets."
    TOO_LARGE = "too_large", f"Larger than {LARGEST_BODY // 1024} KiB."
    NOT_A_NOTIFICATION = "not_a_notification", "Signed rightly, but no notification."
    TOO_MANY = "too_many", "More with a bad signature than one address may send in a minute."


_HINTS = {
    Refusal.NO_SIGNATURE: (
        f"Basware signs what it sends: somebody else sent this, or a proxy on the way removes the header {HEADER}."
    ),
    Refusal.UNREADABLE_SIGNATURE: (
        f"See whether a proxy on the way changes the header {HEADER}. If Basware writes it in a new way, tell support."
    ),
    Refusal.NOT_SUBSCRIBED: "Basware may still know an earlier subscription: press Subscribe to agree on a new secret.",
    Refusal.UNKNOWN_SECRET: (
        "The body was changed on the way, or a subscription that we did not make names our address. "
        "Press Rotate the secret, and look in Basware for other subscriptions with this address."
    ),
    Refusal.TOO_LARGE: "Basware's notifications are far smaller: somebody else sent this. Nothing was read of it.",
    Refusal.NOT_A_NOTIFICATION: (
        "Basware may have changed what it sends: tell support. Until then scheduled runs find the invoices."
    ),
    Refusal.TOO_MANY: "Good ones are never held up by them. If it goes on, block the sender's address.",
}
PRESSING = (Refusal.UNREADABLE_SIGNATURE, Refusal.NOT_SUBSCRIBED, Refusal.EXPIRED_SECRET, Refusal.UNKNOWN_SECRET)
"""What points at a subscription out of order, and not just at a stranger who found the address."""


@dataclass(frozen=True)
class Sender:
    """Who sent it, as far as the connection tells, and how many bytes."""

    address: str = ""
    size: int = 0


def refuse(
    integration: Integration, reason: Refusal, now: datetime, sender: Sender, expired_at: datetime | None = None
) -> None:
    """One more of that kind today; nothing of its content is kept."""
    count(integration, reason.value, now, sender, expired_at)


def refuse_signature(
    integration: Integration, raw_body: bytes, signature: str | None, now: datetime, sender: Sender
) -> None:
    """Tell apart, for our own people only, what may be wrong with a signature that no secret in force has made."""
    expired_at = None
    if not signature:
        reason = Refusal.NO_SIGNATURE
    elif not is_readable(signature):
        reason = Refusal.UNREADABLE_SIGNATURE
    else:
        reason, expired_at = _of_which_secret(integration, raw_body, signature, now)
    refuse(integration, reason, now, sender, expired_at)


def _of_which_secret(
    integration: Integration, raw_body: bytes, signature: str, now: datetime
) -> tuple[Refusal, datetime | None]:
    held = list(WebhookSecret.objects.filter(integration=integration).order_by("-id"))
    old = [one for one in held if one.expires_at and now - RECOGNISED_FOR < one.expires_at <= now]
    made = verify(raw_body, signature, [one.secret["value"] for one in old])
    if made:
        return Refusal.EXPIRED_SECRET, old[made.secret_index].expires_at
    return (Refusal.UNKNOWN_SECRET if held else Refusal.NOT_SUBSCRIBED), None


def forget_old_secrets(integration: Integration, now: datetime) -> None:
    """Secrets that expired so long ago that we need not recognise them any more."""
    WebhookSecret.objects.filter(integration=integration, expires_at__lt=now - RECOGNISED_FOR).delete()


def count(
    integration: Integration, reason: str, now: datetime, sender: Sender, expired_at: datetime | None = None
) -> None:
    """One more of these today: when, from where and how large the last one was."""
    last = {
        "last_at": now,
        "last_address": _address(sender.address),
        "last_size": min(sender.size, _LARGEST_SIZE),
        "secret_expired_at": expired_at,
    }
    todays = WebhookCounter.objects.filter(integration=integration, day=now.date(), reason=reason)
    with transaction.atomic():
        if todays.update(count=F("count") + 1, **last):
            return
        row, made = WebhookCounter.objects.get_or_create(
            integration=integration, day=now.date(), reason=reason, defaults={"count": 1, "first_at": now, **last}
        )
        if not made:  # another process was first
            WebhookCounter.objects.filter(pk=row.pk).update(count=F("count") + 1, **last)


def _address(text: str) -> str:
    """An address, or nothing: what a proxy passes on may be anything."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


@dataclass(frozen=True)
class Refused:
    """A day's refusals for one reason, with the sentence and the hint for people."""

    row: WebhookCounter
    reason: Refusal
    message: str
    hint: str


def refused(integration: Integration, since: datetime) -> Sequence[Refused]:
    """What was refused since that day, the newest first."""
    rows = WebhookCounter.objects.filter(
        integration=integration, day__gte=since.date(), reason__in=Refusal.values
    ).order_by("-day", "-last_at")
    return [_in_words(row) for row in rows]


def _in_words(row: WebhookCounter) -> Refused:
    reason = Refusal(row.reason)
    if reason is not Refusal.EXPIRED_SECRET or row.secret_expired_at is None:
        return Refused(row, reason, reason.label, _HINTS.get(reason, ""))
    expired, replaced = _date(row.secret_expired_at), _date(row.secret_expired_at - OVERLAP)
    return Refused(
        row,
        reason,
        f"Signed with a secret that expired on {expired}.",
        f"The secret at Basware is one that we replaced on {replaced}: press Rotate the secret.",
    )


def _date(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}"
