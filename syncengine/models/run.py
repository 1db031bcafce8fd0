"""One execution of one flow for one integration."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from syncengine.models.fields import ExactJSONField
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class RunStatus(models.TextChoices):
    """The last four are final. Computed by `engine.runs`, never chosen."""

    QUEUED = "queued"
    RUNNING = "running"
    SETTLING = "settling"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_RUN_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING)
FINAL_STATUSES = (RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELLED)


class RunMode(models.TextChoices):
    """`full` reads everything and closes what is gone; `dry_run` writes nothing anywhere; `apply` sends its plan."""

    INCREMENTAL = "incremental"
    FULL = "full"
    DRY_RUN = "dry_run"
    APPLY = "apply"


MODES_TO_ASK_FOR = [choice for choice in RunMode.choices if choice[0] != RunMode.APPLY]
"""The others; a plan is applied by naming it."""


class RunTrigger(models.TextChoices):
    """Who asked."""

    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    PERSON = "person"
    API = "api"
    COMMAND = "command"


class Run(ScopedModel):
    """Counts are records, never calls. `cursor` is the checkpoint after the last complete page.

    `after` is the run that must be final before this one starts: the dependency order of an "all" request.
    """

    organization_path: ClassVar[str] = "integration__organization"
    COUNTS: ClassVar[tuple[str, ...]] = (
        "read",
        "unchanged",
        "sent",
        "confirmed",
        "failed",
        "created",
        "updated",
        "closed",
    )

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="runs")
    flow = models.CharField(max_length=40)
    mode = models.CharField(max_length=12, choices=RunMode.choices, default=RunMode.INCREMENTAL)
    trigger = models.CharField(max_length=10, choices=RunTrigger.choices, default=RunTrigger.PERSON)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    requested_by = models.CharField(max_length=200, blank=True)
    after = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="followers")
    cursor = models.JSONField(default=dict, blank=True)
    expected = models.PositiveIntegerField(null=True, blank=True)
    read = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    error_hint = models.TextField(blank=True)
    result = ExactJSONField(null=True, blank=True)
    all_sent = models.BooleanField(default=False)
    cancel_requested = models.BooleanField(default=False)
    closings_held = models.PositiveIntegerField(default=0)
    resumes = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "flow"],
                condition=Q(status__in=["queued", "running"]),
                name="one_open_run_per_flow",
            )
        ]
        indexes = [
            models.Index(fields=["integration", "-id"], name="run_newest"),
            models.Index(
                fields=["integration", "flow", "finished_at"],
                condition=Q(status__in=["succeeded", "partial"]) & ~Q(mode="dry_run"),
                name="run_good",
            ),
            models.Index(
                fields=["status", "lease_expires_at"],
                condition=Q(status__in=["queued", "running", "settling"]),
                name="run_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} run {self.pk}"

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.COUNTS}
