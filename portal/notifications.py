"""What a person chooses to be told, and where an organization has notices posted: the deed and its audit event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.guard import check_url
from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.engine.connections import outbound_policy
from syncengine.models import Notice, NoticeRead
from syncengine.notices import Kind, slack
from syncengine.notices.kinds import default_choice
from tenants.errors import refuse
from tenants.models import Membership, NotificationChoice, Role, SlackWebhook, User
from tenants.scoping import Access

MOST_COUNTED = 100


def unread(access: Access, user: User) -> QuerySet[Notice]:
    """What this person has not read yet and is still open."""
    return Notice.objects.of(access.organization).filter(closed_at=None).exclude(reads__user=user)


def unread_count(access: Access) -> int:
    """At most MOST_COUNTED: no page counts through a large table."""
    if access.user is None:
        return 0
    return len(unread(access, access.user).values_list("pk", flat=True)[:MOST_COUNTED])


def mark_read(user: User, notices: Sequence[Notice]) -> None:
    """Once and for all of this round; told again, they are unread again."""
    NoticeRead.objects.bulk_create([NoticeRead(notice=one, user=user) for one in notices], ignore_conflicts=True)


def choices_of(membership: Membership) -> dict[str, str]:
    """How the member is told of each kind: as chosen, else as is usual for the role."""
    chosen = dict(NotificationChoice.objects.filter(membership=membership).values_list("kind", "how"))
    return {kind.value: chosen.get(kind.value) or default_choice(Role(membership.role), kind).value for kind in Kind}


@transaction.atomic
def choose(membership: Membership, choices: Mapping[str, str]) -> None:
    """The member's own choices."""
    for kind, how in choices.items():
        NotificationChoice.objects.update_or_create(membership=membership, kind=kind, defaults={"how": how})


@transaction.atomic
def save_slack(access: Access, url: str, kinds: Sequence[str]) -> None:
    """Store the webhook; without a URL the one before stays. Refused names what is wrong with the URL."""
    stored = SlackWebhook.objects.of(access.organization).select_for_update().first()
    if not url and stored is None:
        raise refuse("url", "Enter the URL of the incoming webhook.", "required")
    if url:
        _check(url)
    row = stored or SlackWebhook(organization=access.organization)
    if url:
        row.url, row.changed_at, row.error = {"value": url}, timezone.now(), ""
    row.kinds = list(kinds)
    row.save()
    changed = ["kinds", *(["url"] if url else [])]
    record_event(access.organization, access.actor, "notifications.slack_saved", fields=changed)


@transaction.atomic
def remove_slack(access: Access) -> None:
    """Nothing is posted any more."""
    if SlackWebhook.objects.of(access.organization).delete()[0]:
        record_event(access.organization, access.actor, "notifications.slack_removed")


def try_slack(access: Access) -> None:
    """Post a test; Refused says why it did not arrive."""
    webhook = SlackWebhook.objects.of(access.organization).first()
    if webhook is None:
        raise refuse("url", "No webhook is stored yet.", "required")
    error = ""
    try:
        slack.post_test(webhook.url["value"], access.organization.name, access.actor)
    except ConnectorError as fault:
        error = f"{fault.message} {fault.hint}".strip()
    SlackWebhook.objects.filter(pk=webhook.pk).update(error=error[:300])
    record_event(access.organization, access.actor, "notifications.slack_tested", error or "arrived")
    if error:
        raise refuse("url", error, "not_delivered")


def _check(url: str) -> None:
    try:
        check_url(url, outbound_policy())
    except Rejected as rejected:
        raise refuse("url", f"{rejected.message} {rejected.hint}".strip(), rejected.code) from None
