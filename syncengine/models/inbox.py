"""Notifications from Basware: stored first, worked on later."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class NotificationResult(models.TextChoices):
    """How looking at a notification ended, in people's words."""

    TAKEN_UP = "taken up", "Taken up"
    KNOWN = "known already", "The document had been taken up before"
    NOT_THERE = "not there, or not waiting for transfer", "Not there, or no longer waiting for transfer"
    NOT_OURS = "of another company", "Left alone: the document is another company's"
    SWITCHED_OFF = "the flow is switched off", "Left alone: the flow is switched off"
    NOT_CONFIGURED = "not configured", "Left alone: a system is not connected"
    OUR_FAULT = "a fault of our own; the poll finds the document", "A fault of our own: the next run finds it"
    UNKNOWN_TYPE = "unknown type: nothing to do", "We do not work on notifications of this type"
    REQUEST = "request looked up", "Asked Basware for the answer"


class InboxNotification(ScopedModel):
    """One validly signed notification; a `task_id` seen before adds nothing.

    `looked_again_at` is when a person last had it worked on anew.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="notifications")
    task_id = models.CharField(max_length=100)
    task_type = models.CharField(max_length=60)
    task_sub_type = models.CharField(max_length=60, blank=True)
    document_id = models.CharField(max_length=100)
    signature_form = models.CharField(max_length=20, blank=True)
    body = models.TextField()
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=200, blank=True)
    looked_again_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "task_id"], name="notification_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(processed_at=None), name="inbox_due"),
            models.Index(fields=["integration", "-id"], name="inbox_newest"),
            models.Index(fields=["integration", "received_at"], name="inbox_by_time"),
            models.Index(fields=["integration", "document_id"], name="inbox_by_document"),
        ]

    def __str__(self) -> str:
        return f"{self.task_type} {self.document_id}"


class WebhookCounter(ScopedModel):
    """What a refused notification leaves: a row per day and reason, nothing of its content (interface.md, "Webhook").

    There are never more rows a day than there are reasons. `secret_expired_at` tells of the reason `expired_secret`
    which of our old secrets it was. Connection tests are counted here too.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="webhook_counters")
    day = models.DateField()
    reason = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    last_address = models.CharField(max_length=45, blank=True, db_default="", default="")
    last_size = models.PositiveIntegerField(db_default=0, default=0)
    secret_expired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "day", "reason"], name="webhook_counter_once")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.count}"
