"""What people have said and done about all records that failed for one cause."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class Repair(ScopedModel):
    """One cause of one flow, from the first word that somebody says of it.

    How many failed, are on their way again or came through is never stored: the records say so. `acted_*` is the last
    bulk replay, with what was changed before it.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="repairs")
    flow = models.CharField(max_length=40)
    cause = models.CharField(max_length=200)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    acted_at = models.DateTimeField(null=True, blank=True)
    acted_by = models.CharField(max_length=200, blank=True)
    acted_on = models.PositiveIntegerField(default=0)
    acted_how = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "flow", "cause"], name="one_repair_per_cause")]

    def __str__(self) -> str:
        return f"{self.flow}: {self.cause}"


class RepairDeed(models.TextChoices):
    """What a person did about a cause."""

    NOTE = "note", "Note"
    ASSIGNED = "assigned", "Assigned"
    SNOOZED = "snoozed", "Snoozed"
    WOKEN = "woken", "Back in the inbox"
    REPLAYED = "replayed", "Replayed"
    CANCELLED = "cancelled", "Retry cancelled"
    IGNORED = "ignored", "Put aside"


class RepairEntry(ScopedModel):
    """One deed or note; the audit trail has the deeds too, this is what is read beside the cause."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="+")
    repair = models.ForeignKey(Repair, models.CASCADE, related_name="entries")
    deed = models.CharField(max_length=12, choices=RepairDeed.choices)
    actor = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["repair", "-id"], name="repair_entries")]

    def __str__(self) -> str:
        return f"{self.deed} by {self.actor}"
