"""One business object of one flow of one integration."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from syncengine.models.fields import ExactJSONField
from syncengine.models.run import Run
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class RecordStatus(models.TextChoices):
    """design.md, "Records"."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    IGNORED = "ignored"


OPEN_STATUSES = (RecordStatus.PENDING, RecordStatus.IN_PROGRESS, RecordStatus.WAITING)


class Stage(models.TextChoices):
    """How far an invoice is; master data use only `received` and `confirmed`."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CHECKED = "checked"
    POSTED = "posted"
    CONFIRMED = "confirmed"
    PAID = "paid"


class FoundBy(models.TextChoices):
    """What made us look at a document first."""

    WEBHOOK = "webhook", "notification"
    POLL = "poll", "a run"
    SWEEP = "sweep", "the sweep"


class Record(ScopedModel):
    """Unique per (integration, flow, key).

    `fingerprint` is that of `target` (what was or will be sent), `confirmed_fingerprint` what the target last
    confirmed; equal ones are not sent again; `source_print` names what `target` was made of (`engine/prints.py`),
    "" when it has to be made anew. `target_keys` holds the target's own keys (external code, DocEntry …).
    `next_edge` is the next date at which a From/To window opens or closes. `memo` is the flow's own notebook.
    `active` is False once the target was told that the object is closed. `found_by` is how a document came to us first,
    `offered_at` when its source began to offer it. `failed_for` is the cause it failed for last and outlives the
    error: whoever retries it takes the error away. `mended_at` is set when it has come through since.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="records")
    flow = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=250, blank=True)
    search = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=RecordStatus.choices, default=RecordStatus.PENDING)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.RECEIVED)
    part = models.CharField(max_length=20, blank=True)
    action = models.CharField(max_length=10, blank=True)
    flags = models.JSONField(default=list, blank=True)
    notes = models.JSONField(default=list, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    confirmed_fingerprint = models.CharField(max_length=64, blank=True)
    source_print = models.CharField(max_length=32, blank=True, db_default="", default="")
    source = ExactJSONField(null=True, blank=True)
    target = ExactJSONField(null=True, blank=True)
    confirmed_target = ExactJSONField(null=True, blank=True)
    target_keys = models.JSONField(default=dict, blank=True)
    memo = ExactJSONField(default=dict, blank=True)
    reference = models.CharField(max_length=120, blank=True)
    party = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    error_hint = models.TextField(blank=True)
    cause = models.CharField(max_length=200, blank=True)
    problems = models.JSONField(default=list, blank=True)
    decisions = models.JSONField(default=list, blank=True)
    failed_for = models.CharField(max_length=200, blank=True, db_default="", default="")
    failed_at = models.DateTimeField(null=True, blank=True)
    mended_at = models.DateTimeField(null=True, blank=True)
    mapping_version = models.PositiveIntegerField(default=0)
    pinned_version = models.PositiveIntegerField(null=True, blank=True)
    wishes = models.JSONField(null=True, blank=True)
    active = models.BooleanField(default=True)
    next_edge = models.DateField(null=True, blank=True)
    found_by = models.CharField(max_length=10, choices=FoundBy.choices, blank=True, db_default="", default="")
    offered_at = models.DateTimeField(null=True, blank=True)
    resend_mark = models.PositiveIntegerField(default=0)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="records")
    seen_run = models.BigIntegerField(null=True, blank=True)
    blocked_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="blocks")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "flow", "key"], name="record_once")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status__in=["pending", "waiting"]),
                name="record_due",
            ),
            models.Index(fields=["lease_expires_at"], condition=Q(status="in_progress"), name="record_leased"),
            models.Index(fields=["integration", "-id"], name="record_newest"),
            models.Index(fields=["integration", "flow", "status"], name="record_by_status"),
            models.Index(fields=["integration", "flow", "reference"], name="record_by_reference"),
            models.Index(fields=["integration", "flow", "next_edge"], name="record_by_edge"),
            models.Index(fields=["integration", "updated_at"], name="record_by_change"),
            models.Index(fields=["integration", "cause"], condition=~Q(cause=""), name="record_by_cause"),
            models.Index(fields=["integration", "amount"], condition=Q(amount__isnull=False), name="record_by_amount"),
            models.Index(fields=["id"], condition=Q(wishes__isnull=False), name="record_wished"),
            models.Index(fields=["run", "-id"], name="record_of_run"),
            models.Index(  # whether a run is settled, asked each time one of its records is
                fields=["run"],
                condition=Q(status__in=["pending", "in_progress", "waiting"]),
                name="record_open_of_run",
            ),
            models.Index(  # what needs a person, with all that is added up of it
                fields=["integration", "flow", "error_code", "cause", "currency", "amount", "created_at", "id"],
                condition=Q(status="failed"),
                name="record_failed",
            ),
            models.Index(
                fields=["integration", "stage", "currency", "status", "amount"],
                condition=Q(flow="invoices"),
                name="record_by_stage",
            ),
            models.Index(  # what failed and has not come through since, by cause
                fields=["integration", "status", "flow", "failed_for", "currency", "amount", "failed_at", "id"],
                condition=~Q(failed_for="") & Q(mended_at=None),
                name="record_troubled",
            ),
            models.Index(
                fields=["integration", "mended_at", "flow", "failed_for", "currency", "amount", "id"],
                condition=Q(mended_at__isnull=False),
                name="record_mended",
            ),
            models.Index(  # what waits for its next try by itself
                fields=["integration", "flow", "cause", "currency", "amount", "id"],
                condition=Q(status="waiting") & ~Q(cause=""),
                name="record_waits",
            ),
            # What lists are narrowed to and may hardly ever be: found without reading all that fits not.
            models.Index(
                fields=["integration", "stage", "-id"],
                condition=Q(stage__in=["acknowledged", "checked", "posted", "paid"]),
                name="record_at_stage",
            ),
            models.Index(
                fields=["integration", "error_code", "-id"], condition=~Q(error_code=""), name="record_by_code"
            ),
            models.Index(fields=["integration", "found_by", "-id"], condition=~Q(found_by=""), name="record_found_by"),
            models.Index(
                fields=["integration", "flow", "offered_at"],
                condition=Q(offered_at__isnull=False),
                name="record_offered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.key}"

    def save(self, *args: Any, **options: Any) -> None:
        """Wishes come in while a worker holds the record, so what it knew of them before is never written back."""
        if not self._state.adding and options.get("update_fields") is None:
            kept = {"id", "wishes", *self.get_deferred_fields()}
            options["update_fields"] = [field.name for field in self._meta.concrete_fields if field.attname not in kept]
        super().save(*args, **options)
