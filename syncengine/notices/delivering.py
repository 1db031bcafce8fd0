"""Sending what notices cause: claimed by lease, written down before it leaves, tried a bounded number of times.

A worker that is lost while it sends leaves the row in `sending`: nobody knows whether the message left. It is sent
once more, so a crash may double one message and loses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.db import DatabaseError
from django.db.models import Case, F, PositiveSmallIntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from syncengine.connectors.outcomes import ConnectorError, Rejected, Throttled
from syncengine.engine.leases import Heartbeat, lease_end, new_owner
from syncengine.engine.work import Deadline
from syncengine.models import Channel, DeliveryState, NoticeDelivery
from syncengine.notices import mail, slack
from tenants.models import SlackWebhook

log = structlog.get_logger(__name__)

DELAYS = (60.0, 300.0, 1800.0, 7200.0, 21600.0)
MOST_DOUBTS = 1
MOST_AT_ONCE = 50
DOUBTS = Case(
    When(state=DeliveryState.SENDING, then=F("doubts") + 1),
    default=F("doubts"),
    output_field=PositiveSmallIntegerField(),
)
OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


def due_deliveries(now: datetime) -> Q:
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    return Q(state__in=OPEN, next_attempt_at__lte=now) & free


def send_due(_deadline: Deadline) -> bool:
    """Send what is due to one recipient, several notices in one e-mail; False when nothing is due."""
    now = timezone.now()
    first = NoticeDelivery.objects.filter(due_deliveries(now)).order_by("next_attempt_at", "id").first()
    if first is None:
        return False
    owner = new_owner()
    mine = _claim(first, owner, now)
    if mine:
        with Heartbeat(lambda: _renew(owner)):
            _send(mine, owner)
    return True


def _claim(first: NoticeDelivery, owner: str, now: datetime) -> list[NoticeDelivery]:
    """The first and, of a member's, all that are due to him: state first, `sending` stands there before it is sent."""
    kin = NoticeDelivery.objects.filter(due_deliveries(now), channel=first.channel)
    kin = kin.filter(membership=first.membership_id) if first.membership_id else kin.filter(pk=first.pk)
    pks = list(kin.order_by("id").values_list("pk", flat=True)[:MOST_AT_ONCE])
    NoticeDelivery.objects.filter(due_deliveries(now), pk__in=pks).update(
        lease_owner=owner,
        lease_expires_at=lease_end(now),
        attempts=F("attempts") + 1,
        doubts=Case(
            When(state=DeliveryState.SENDING, then=F("doubts") + 1),
            default=F("doubts"),
            output_field=PositiveSmallIntegerField(),
        ),
        state=Value(DeliveryState.SENDING),
    )
    rows = NoticeDelivery.objects.filter(lease_owner=owner, pk__in=pks)
    _give_up(rows.filter(doubts__gt=MOST_DOUBTS), "Two workers were lost while they sent this.")
    sending = rows.filter(state=DeliveryState.SENDING)
    return list(sending.select_related("notice__organization", "membership__user").order_by("id"))


def _renew(owner: str) -> bool:
    return bool(NoticeDelivery.objects.filter(lease_owner=owner).update(lease_expires_at=lease_end(timezone.now())))


def _send(mine: Sequence[NoticeDelivery], owner: str) -> None:
    rows = NoticeDelivery.objects.filter(lease_owner=owner, pk__in=[delivery.pk for delivery in mine])
    try:
        if mine[0].channel == Channel.EMAIL:
            mail.send(mine)
        else:
            _post(mine[0])
    except Rejected as refused:
        _give_up(rows, refused.message)
    except (ConnectorError, OSError, SMTPException) as error:
        _again(rows, mine, error)
    except DatabaseError:
        raise  # nothing can be written down now: another takes it up when the lease runs out
    except Exception as error:
        log.exception("notice_crashed")
        _again(rows, mine, error)
    else:
        rows.update(state=DeliveryState.SENT, sent_at=timezone.now(), error="", lease_owner="", lease_expires_at=None)


def _post(delivery: NoticeDelivery) -> None:
    webhook = SlackWebhook.objects.of(delivery.notice.organization).first()
    if webhook is None:
        raise Rejected("The webhook was removed.", code="slack_removed")
    try:
        slack.post(webhook.url["value"], delivery.notice)
    except ConnectorError as error:
        _show(webhook, error.message)
        raise
    _show(webhook, "")


def _show(webhook: SlackWebhook, error: str) -> None:
    SlackWebhook.objects.filter(pk=webhook.pk).exclude(error=error[:300]).update(error=error[:300])


def _again(rows: QuerySet[NoticeDelivery], mine: Sequence[NoticeDelivery], error: Exception) -> None:
    """Later, and ever later; given up when the delays are used up. An answer was had, so nothing is in doubt."""
    tries = max(delivery.attempts for delivery in mine)
    text = _text_of(error)
    if tries > len(DELAYS):
        _give_up(rows, text)
        return
    told = error.after if isinstance(error, Throttled) else None
    rows.update(
        state=DeliveryState.WAITING,
        next_attempt_at=timezone.now() + timedelta(seconds=told if told is not None else DELAYS[tries - 1]),
        error=text,
        lease_owner="",
        lease_expires_at=None,
    )
    log.warning("notice_not_sent", error=type(error).__name__, tries=tries)


def _give_up(rows: QuerySet[NoticeDelivery], why: str) -> None:
    given_up = rows.update(state=DeliveryState.FAILED, error=why[:300], lease_owner="", lease_expires_at=None)
    if given_up:
        log.error("notice_given_up", why=why, messages=given_up)


def _text_of(error: Exception) -> str:
    """A mail server's answer may quote what it was sent: only a connector's own words, which are cleaned, are kept."""
    if isinstance(error, ConnectorError):
        return error.message[:300]
    return f"The mail server did not take it ({type(error).__name__})."
