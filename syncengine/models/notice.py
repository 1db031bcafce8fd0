"""What people have to be told, who has read it, and each message on its way."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from tenants.models import Integration, Membership, Organization
from tenants.models.scoped import ScopedModel


class Notice(ScopedModel):
    """Something that somebody has to know; open until its cause is gone (`closed_at`).

    One is open per (integration, kind, subject_key). `count` is of the records it stands for. It is told again, as
    round after round, when something new has happened to the same subject. `path` is the page that shows the cause.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="notices")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    subject_key = models.CharField(max_length=200)
    message = models.TextField()
    hint = models.TextField(blank=True)
    path = models.CharField(max_length=300, blank=True)
    count = models.PositiveIntegerField(default=1)
    round = models.PositiveIntegerField(default=1)
    raised_at = models.DateTimeField()
    told_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "kind", "subject_key"], condition=Q(closed_at=None), name="one_open_notice"
            )
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="notice_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_key}"


class NoticeRead(models.Model):
    """A person has read a notice in its present round."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="reads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="notice_read_once")]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.notice_id}"


class Channel(models.TextChoices):
    """How a notice reaches people outside of these pages."""

    EMAIL = "email"
    SLACK = "slack"


class DeliveryState(models.TextChoices):
    """`sending` is written before the message leaves: what a lost worker leaves in it is in doubt."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class NoticeDelivery(ScopedModel):
    """One notice on its way to one recipient: a member's mailbox, or the organization's Slack (no membership)."""

    organization_path: ClassVar[str] = "notice__organization"

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries")
    round = models.PositiveIntegerField(default=1)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    membership = models.ForeignKey(Membership, models.CASCADE, null=True, related_name="+")
    recipient = models.CharField(max_length=30)
    digest = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    doubts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "round", "channel", "recipient"], name="notice_delivered_once")
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(state__in=["waiting", "sending"]), name="notice_delivery_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient}: {self.state}"
