"""Raising notices: one open notice per subject, and a row for each message that it causes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from syncengine.engine.wake import wake
from syncengine.hooks.events import Event
from syncengine.hooks.publishing import publish
from syncengine.models import Channel, Notice, NoticeDelivery, NoticeRead
from syncengine.notices.kinds import Kind, default_choice
from tenants.models import HowToTell, Integration, Membership, NotificationChoice, Organization, Role, SlackWebhook

TELL_AGAIN_AFTER = timedelta(hours=1)
DIGEST_AT = time(7)
LONGEST = 1000


def raise_notice(
    integration: Integration,
    kind: Kind,
    subject_key: str,
    message: str,
    hint: str = "",
    *,
    path: str = "",
    count: int = 1,
    happened_at: datetime | None = None,
) -> Notice:
    """Tell people of something, once while it is open: the same subject again only brings its words up to date.

    It is told anew when `happened_at` is later than what was told, an hour apart at least. `path` is below the
    organization's pages. Call it inside the transaction of the deed; `message` and `hint` must hold no secrets.
    """
    words = {"message": message[:LONGEST], "hint": hint[:LONGEST], "path": path[:300], "count": count}
    with transaction.atomic():
        notice = _open_notice(integration, kind, subject_key)
        if notice is None:
            return _first(integration, kind, subject_key, words)
        changed = {name: value for name, value in words.items() if getattr(notice, name) != value}
        if changed:
            Notice.objects.filter(pk=notice.pk).update(**changed)
        if _is_news(notice, happened_at):
            _tell_again(notice)
        notice.refresh_from_db()
        return notice


def tell_once(
    integration: Integration, kind: Kind, subject_key: str, message: str, hint: str = "", *, path: str = ""
) -> Notice:
    """Tell of something that is over as soon as it has happened: nothing stays open, the next time is told anew."""
    with transaction.atomic():
        notice = raise_notice(integration, kind, subject_key, message, hint, path=path)
        close_notices(integration, kind, subject_key)
        return notice


def close_notices(integration: Integration, kind: Kind, subject_key: str | None = None) -> int:
    """The cause is gone, of one subject or of all of that kind; how many notices were open."""
    rows = Notice.objects.filter(integration=integration, kind=kind, closed_at=None)
    rows = rows if subject_key is None else rows.filter(subject_key=subject_key)
    return rows.update(closed_at=timezone.now())


def _open_notice(integration: Integration, kind: Kind, subject_key: str) -> Notice | None:
    rows = Notice.objects.filter(integration=integration, kind=kind, subject_key=subject_key[:200], closed_at=None)
    return rows.select_for_update().first()


def _first(integration: Integration, kind: Kind, subject_key: str, words: dict[str, object]) -> Notice:
    now = timezone.now()
    subject = {"integration": integration, "kind": kind, "subject_key": subject_key[:200]}
    try:
        with transaction.atomic():
            notice = Notice.objects.create(
                organization_id=integration.organization_id, raised_at=now, told_at=now, **subject, **words
            )
    except IntegrityError:  # another worker met the same at the same moment
        return Notice.objects.get(closed_at=None, **subject)
    _send_out(notice, now)
    return notice


def _is_news(notice: Notice, happened_at: datetime | None) -> bool:
    return (
        happened_at is not None and happened_at > notice.told_at and timezone.now() - notice.told_at >= TELL_AGAIN_AFTER
    )


def _tell_again(notice: Notice) -> None:
    now = timezone.now()
    notice.round += 1
    Notice.objects.filter(pk=notice.pk).update(round=notice.round, told_at=now)
    NoticeRead.objects.filter(notice=notice).delete()
    _send_out(notice, now)


def _send_out(notice: Notice, now: datetime) -> None:
    """A row for each message; whoever comes by sends them. The customer's own tools are told too."""
    told = {"kind": notice.kind, "message": notice.message, "hint": notice.hint, "count": notice.count}
    publish(notice.organization_id, notice.integration_id, Event.ATTENTION_NEEDED, [{**told, "path": notice.path}])
    rows = list(_deliveries(notice, now))
    if rows:
        NoticeDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        wake()


def _deliveries(notice: Notice, now: datetime) -> Iterator[NoticeDelivery]:
    organization = notice.organization
    for membership, how in _choices(organization, Kind(notice.kind)):
        if how != HowToTell.NONE:
            digest = how == HowToTell.DAILY
            yield NoticeDelivery(
                notice=notice,
                round=notice.round,
                channel=Channel.EMAIL,
                membership=membership,
                recipient=str(membership.pk),
                digest=digest,
                next_attempt_at=next_digest(organization, now) if digest else now,
            )
    slack = SlackWebhook.objects.of(organization).defer("url").first()
    if slack is not None and notice.kind in slack.kinds:
        yield NoticeDelivery(
            notice=notice, round=notice.round, channel=Channel.SLACK, recipient="slack", next_attempt_at=now
        )


def _choices(organization: Organization, kind: Kind) -> Iterator[tuple[Membership, str]]:
    chosen = dict(NotificationChoice.objects.of(organization).filter(kind=kind).values_list("membership_id", "how"))
    for membership in Membership.objects.of(organization).filter(user__is_active=True):
        yield membership, chosen.get(membership.pk) or default_choice(Role(membership.role), kind)


def next_digest(organization: Organization, now: datetime) -> datetime:
    """The next seven o'clock in the morning of the organization."""
    local = now.astimezone(organization.zone)
    today = datetime.combine(local.date(), DIGEST_AT, organization.zone)
    return today if today > local else datetime.combine(local.date() + timedelta(days=1), DIGEST_AT, organization.zone)
