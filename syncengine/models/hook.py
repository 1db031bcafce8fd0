"""What customers' own tools are told: where to, and each message on its way (Standard Webhooks)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from syncengine.models.notice import DeliveryState
from tenants.encryption import SecretsField
from tenants.models import Integration, Organization
from tenants.models.scoped import ScopedModel


class Hook(ScopedModel):
    """A tool of the customer's that is told of events, of one integration or (without one) of all.

    `secret` holds {"url", "value", "before"}: the address, which may be a key itself, and what signs, both until
    `before_until`. `url` is what anybody may see of the address. `failing_since`, `failures_in_a_row` and
    `retry_at` are about the address, not about one message. `stopped_at` is when we gave it up, `stopped_for` why;
    `enabled` is what people chose.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="hooks")
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="hooks")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    secret: models.Field[Any, Any] = SecretsField()
    before_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_for = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="hook_newest")]

    def __str__(self) -> str:
        return self.name


class HookDelivery(ScopedModel):
    """One message to one hook, written in the transaction of what it tells of.

    `message_id` names the event: a replay has the same, so that the receiver can drop what it knows. `body` is sent
    as it stands. Headers and the answer are those of the last try, without secrets.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    hook = models.ForeignKey(Hook, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    message_id = models.CharField(max_length=40)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    request_headers = models.JSONField(default=dict, blank=True)
    response_headers = models.JSONField(default=dict, blank=True)
    response_body = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "hook deliveries"
        indexes = [
            models.Index(fields=["hook", "-id"], name="hook_delivery_newest"),
            models.Index(fields=["created_at"], name="hook_delivery_age"),
            models.Index(
                fields=["next_attempt_at"], condition=Q(state__in=["waiting", "sending"]), name="hook_delivery_due"
            ),
            models.Index(
                fields=["hook", "id"], condition=Q(state__in=["waiting", "sending"]), name="hook_delivery_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.hook_id}: {self.state}"
