"""What we know of our own subscription at Basware, for the ping."""

from __future__ import annotations

from django.db.models import Max
from django.utils import timezone

from syncengine.connectors.basware.webhook_checks import WebhookFacts
from syncengine.engine.webhooks import TASK_SUB_TYPE, TASK_TYPE, webhook_url
from syncengine.models import InboxNotification
from tenants.models import Integration, WebhookSecret


def webhook_facts(integration: Integration) -> WebhookFacts:
    """The newest secret tells of the subscription, the newest notification of its round trip."""
    secret = WebhookSecret.objects.filter(integration=integration).defer("secret").order_by("-id").first()
    received = InboxNotification.objects.filter(integration=integration).aggregate(at=Max("received_at"))
    return WebhookFacts(
        url=webhook_url(integration),
        task_type=TASK_TYPE,
        task_sub_type=TASK_SUB_TYPE,
        now=timezone.now(),
        subscribed_at=secret.created_at if secret else None,
        confirmed_at=secret.confirmed_at if secret else None,
        received_at=received["at"],
    )
