"""Notifications from Basware: stored first, worked on later."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class InboxNotification(ScopedModel):
    """One validly signed notification; a `task_id` seen before adds nothing."""

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

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "task_id"], name="notification_once")]
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(processed_at=None), name="inbox_due")]

    def __str__(self) -> str:
        return f"{self.task_type} {self.document_id}"


class WebhookCounter(ScopedModel):
    """What a refused notification leaves: a count per day and reason, nothing of its content."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="webhook_counters")
    day = models.DateField()
    reason = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "day", "reason"], name="webhook_counter_once")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.count}"
