"""The webhook of an integration: is it well, what came in, what was refused and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from portal.views.access import integration_of, organization_page, page_of
from portal.views.keyset import keyset_page
from syncengine.connectors.basware.notification import TaskType, type_of
from syncengine.engine import hints, inbox, webhooks
from syncengine.engine.runs import ActionRefused
from syncengine.engine.webhook_watch import state_of
from syncengine.models import InboxNotification, NotificationResult, Record
from tenants.models import Connection, Integration, System
from tenants.permissions import Action
from tenants.scoping import Access

_TYPES = {TaskType.ACCOUNTING_DOCUMENTS: "Invoice", TaskType.REQUEST_STATUS: "Answer to an import"}
_RESULTS = {
    NotificationResult.TAKEN_UP: ("ok", "Taken up"),
    NotificationResult.REQUEST: ("ok", "Looked up"),
    NotificationResult.KNOWN: ("quiet", "Known already"),
    NotificationResult.UNKNOWN_TYPE: ("quiet", "Nothing to do"),
    NotificationResult.NOT_OURS: ("quiet", "Not ours"),
    NotificationResult.NOT_THERE: ("warn", "Not waiting"),
    NotificationResult.SWITCHED_OFF: ("warn", "Left alone"),
    NotificationResult.NOT_CONFIGURED: ("warn", "Left alone"),
    NotificationResult.OUR_FAULT: ("bad", "Went wrong"),
}


@dataclass(frozen=True)
class Delivery:
    """One notification as a person reads it; `milliseconds` from its receipt until it was dealt with."""

    notification: InboxNotification
    record: Record | None
    kind: str
    tone: str
    word: str
    sentence: str
    tries: int
    milliseconds: int | None


@organization_page("GET", "POST", act=Action.SUBSCRIBE)
def webhook(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The page; a POST asks Basware to tell us of approved invoices, or changes the secret."""
    integration = integration_of(access, integration_id)
    if request.method == "POST":
        _subscribe(request, integration, access.actor)
        return redirect("portal:webhook", access.organization.slug, integration.pk)
    page = keyset_page(InboxNotification.objects.filter(integration=integration).defer("body"), request.GET)
    context = {
        "state": state_of(integration, timezone.now()),
        "url": webhooks.webhook_url(integration),
        "sap_url": hints.hint_url(integration),
        "can_subscribe": Connection.objects.filter(integration=integration, system=System.BASWARE).exists(),
        "page": page,
        "deliveries": list(_deliveries(integration, page.rows)),
    }
    return page_of(request, access, "webhook/webhook.html", context, integration=integration)


def _deliveries(integration: Integration, rows: Iterable[InboxNotification]) -> Iterator[Delivery]:
    rows = list(rows)
    named = Record.objects.filter(
        integration=integration, flow=inbox.FLOW, key__in={row.document_id for row in rows}
    ).only("key", "title")
    records = {record.key: record for record in named}
    for row in rows:
        tone, word = _word(row)
        yield Delivery(
            notification=row,
            record=records.get(row.document_id),
            kind=_TYPES.get(type_of(row.task_type), row.task_type),
            tone=tone,
            word=word,
            sentence=_sentence(integration, row, word),
            tries=row.attempts + (row.processed_at is not None),
            milliseconds=_milliseconds(row),
        )


def _word(row: InboxNotification) -> tuple[str, str]:
    if row.processed_at is None:
        return "info", "Waiting"
    known = row.result in NotificationResult.values
    return _RESULTS[NotificationResult(row.result)] if known else ("quiet", row.result)


def _sentence(integration: Integration, row: InboxNotification, word: str) -> str:
    """What the word does not say already."""
    if row.processed_at is None and (integration.paused or not integration.enabled):
        return "It is taken up when the integration goes on."
    if row.processed_at is None:
        return "It could not be read yet and is tried again." if row.attempts else "A worker takes it up in a moment."
    label = dict(NotificationResult.choices).get(row.result, "")
    return "" if label == word else label


def _milliseconds(row: InboxNotification) -> int | None:
    if row.processed_at is None:
        return None
    return max(0, round((row.processed_at - (row.looked_again_at or row.received_at)).total_seconds() * 1000))


def _subscribe(request: HttpRequest, integration: Integration, actor: str) -> None:
    try:
        answer = webhooks.subscribe(integration, actor)
    except webhooks.SubscriptionRefused as refused:
        messages.error(request, str(refused))
        return
    if answer["confirmed"]:
        messages.success(request, "Basware tested the subscription: approved invoices now arrive within seconds.")
    else:
        text = "Subscribed, but Basware's test has not arrived. Check that SITE_URL is reachable for Basware."
        messages.warning(request, text)


@organization_page("POST", act=Action.REPLAY)
def look_again(request: HttpRequest, access: Access, integration_id: int, notification_id: int) -> HttpResponseBase:
    """Work on one notification anew."""
    integration = integration_of(access, integration_id)
    rows = InboxNotification.objects.of(access.organization).filter(integration=integration)
    notification = get_object_or_404(rows.defer("body"), pk=notification_id)
    notification.integration = integration
    try:
        inbox.look_again(notification, access.actor)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "It is looked at again, as if it had just come.")
    return redirect("portal:webhook", access.organization.slug, integration.pk)
