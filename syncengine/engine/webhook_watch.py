"""Is the webhook well? What is known of a subscription, and whether it has fallen silent while runs find invoices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Max, OuterRef

from syncengine.engine.quarantine import PRESSING, Refused, refused
from syncengine.models import FoundBy, InboxNotification, Record, WebhookCounter
from tenants.models import Integration, WebhookSecret

FLOW = "invoices"
WINDOW = timedelta(hours=24)
# A notification comes within seconds; a run that is quicker proves nothing.
NAMED_WITHIN = timedelta(minutes=10)
MISSED_THAT_COUNT = 3
TESTS = ("connection_test", "connection_test_unsigned")
REFUSALS_SHOWN = timedelta(days=14)


def silent_webhooks(now: datetime, integrations: Iterable[int] | None = None) -> dict[int, int]:
    """How many invoices runs found of which no notification told, by integration, where that is too many.

    Of the last day, approved since the secret in force was made, and since the last notification of any document:
    so it is over as soon as one comes, and a rotation starts anew. One question, over the runs' findings only.
    """
    in_force = WebhookSecret.objects.filter(
        integration=OuterRef("integration"), expires_at=None, created_at__lt=OuterRef("offered_at")
    )
    told = InboxNotification.objects.filter(integration=OuterRef("integration"))
    rows = Record.objects.filter(
        Exists(in_force),
        ~Exists(told.filter(document_id=OuterRef("key"))),
        ~Exists(told.filter(received_at__gte=OuterRef("created_at"))),
        flow=FLOW,
        found_by=FoundBy.POLL,
        offered_at__gt=now - WINDOW,
        created_at__lte=now - NAMED_WITHIN,
    )
    # Named even when all are meant: the index begins with the integration.
    subscribed = WebhookSecret.objects.filter(expires_at=None).values("integration")
    rows = (
        rows.filter(integration__in=subscribed) if integrations is None else rows.filter(integration__in=integrations)
    )
    missed = rows.values("integration").annotate(missed=Count("pk")).filter(missed__gte=MISSED_THAT_COUNT)
    return dict(missed.order_by().values_list("integration", "missed"))


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a webhook: a few words, a sentence, a hint, and how often it was seen."""

    title: str
    message: str
    hint: str
    count: int


@dataclass(frozen=True)
class WebhookState:
    """What is known of an integration's webhook. `secret` is the one in force, None without a subscription;
    `old_valid_until` is set while one before it counts too."""

    secret: WebhookSecret | None
    old_valid_until: datetime | None
    last_test_at: datetime | None
    last_delivery_at: datetime | None
    missed: int
    refused: Sequence[Refused]

    @property
    def subscribed(self) -> bool:
        return self.secret is not None

    @property
    def silent(self) -> bool:
        return self.missed > 0

    @property
    def troubles(self) -> list[Trouble]:
        """What a person should look at."""
        return _troubles(self.missed, self.refused, _latest(self.last_delivery_at, self.last_test_at))


def troubles_of(integration: Integration, now: datetime) -> list[Trouble]:
    """What a person should look at, in two questions while all is well."""
    missed = silent_webhooks(now, [integration.pk]).get(integration.pk, 0)
    pressing = [one for one in refused(integration, now - REFUSALS_SHOWN) if one.reason in PRESSING]
    good = _latest(_last_delivery(integration), _last_test(integration)) if pressing else None
    return _troubles(missed, pressing, good)


def _troubles(missed: int, refusals: Sequence[Refused], good: datetime | None) -> list[Trouble]:
    """Silence, and refusals that nothing good has followed: of each reason the newest day."""
    newest: dict[str, Refused] = {}
    for one in refusals:
        last = one.row.last_at
        if one.reason in PRESSING and last and (good is None or last > good):
            newest.setdefault(one.reason, one)
    return [*([silence(missed)] if missed else []), *map(_refusal, newest.values())]


def _refusal(one: Refused) -> Trouble:
    return Trouble("Notifications are refused", one.message, one.hint, one.row.count)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def silence(missed: int) -> Trouble:
    return Trouble(
        "The webhook is silent",
        f"Runs found {missed} approved invoices of which no notification told.",
        "Nothing is lost, but invoices wait for the next run. See that Basware can reach the webhook's address "
        "(SITE_URL, firewall, certificate), then press Rotate the secret: Basware tests the address at once.",
        missed,
    )


def state_of(integration: Integration, now: datetime) -> WebhookState:
    """Five questions, however much has come in."""
    secrets = WebhookSecret.objects.filter(integration=integration).defer("secret").order_by("-pk")
    in_force = [secret for secret in secrets if secret.expires_at is None]
    ends = [secret.expires_at for secret in secrets if secret.expires_at and secret.expires_at > now]
    return WebhookState(
        secret=in_force[0] if in_force else None,
        old_valid_until=max(ends, default=None),
        last_test_at=_latest(_last_test(integration), *(secret.confirmed_at for secret in secrets)),
        last_delivery_at=_last_delivery(integration),
        missed=silent_webhooks(now, [integration.pk]).get(integration.pk, 0),
        refused=refused(integration, now - REFUSALS_SHOWN),
    )


def _last_test(integration: Integration) -> datetime | None:
    tests = WebhookCounter.objects.filter(integration=integration, reason__in=TESTS)
    at: datetime | None = tests.aggregate(at=Max("last_at"))["at"]
    return at


def _last_delivery(integration: Integration) -> datetime | None:
    deliveries = InboxNotification.objects.filter(integration=integration).order_by("-pk")
    return deliveries.values_list("received_at", flat=True).first()
