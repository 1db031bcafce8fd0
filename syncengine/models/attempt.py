"""Write-ahead intent: a row says what will be sent before the call, and how it ended after it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from syncengine.models.fields import ExactJSONField
from syncengine.models.record import Record
from syncengine.models.run import Run
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class AttemptState(models.TextChoices):
    """sending → accepted → settled for what the target confirms later; the others are ends of the call itself."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    DONE = "done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"


class ItemOutcome(models.TextChoices):
    """How one record of an attempt ended."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Attempt(ScopedModel):
    """One remote write. `key` is deterministic, so that a repeat after a crash finds its own row.

    Batches have items and no record, single writes (invoices, responses) a record and no items.
    `request_id` is Basware's x-amzn-RequestId, the only key to the asynchronous answer; `entity_type` names its kind.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="+")
    flow = models.CharField(max_length=40)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="attempts")
    record = models.ForeignKey(Record, models.CASCADE, null=True, blank=True, related_name="attempt_rows")
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=120)
    entity_type = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=AttemptState.choices, default=AttemptState.SENDING)
    payload = ExactJSONField(null=True, blank=True)
    answer = ExactJSONField(null=True, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    message = models.TextField(blank=True)
    polls = models.PositiveSmallIntegerField(default=0)
    next_poll_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_poll_at"], condition=Q(state="accepted"), name="attempt_to_poll"),
            models.Index(fields=["record", "kind"], name="attempt_of_record"),
            models.Index(fields=["integration", "request_id"], name="attempt_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class AttemptItem(models.Model):
    """One record's part in a batch."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="items")
    record = models.ForeignKey(Record, models.CASCADE, related_name="items")
    fingerprint = models.CharField(max_length=64)
    external_codes = models.JSONField(default=list)
    outcome = models.CharField(max_length=10, choices=ItemOutcome.choices, default=ItemOutcome.OPEN)
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.record} in {self.attempt}"
