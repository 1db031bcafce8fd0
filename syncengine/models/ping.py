"""What each ping of a system found, and when the next nightly one is due."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from tenants.models import Integration, System
from tenants.models.scoped import ScopedModel


class PingTrigger(models.TextChoices):
    """Who asked."""

    PERSON = "person", "Asked for"
    NIGHTLY = "nightly", "Nightly check"


class Ping(ScopedModel):
    """One system at one time. `keeps_day` marks the first of its day, which is kept for a year.

    `changes` are the differences to the ping before, `checks` every line with all that is known of it.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="pings")
    system = models.CharField(max_length=10, choices=System.choices)
    at = models.DateTimeField()
    trigger = models.CharField(max_length=10, choices=PingTrigger.choices)
    ok = models.BooleanField()
    failed = models.PositiveIntegerField()
    warnings = models.PositiveIntegerField()
    latency_ms = models.PositiveIntegerField()
    checks = models.JSONField(default=list)
    changes = models.JSONField(default=list, blank=True)
    keeps_day = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["integration", "system", "-at"], name="pings_newest_first")]

    def __str__(self) -> str:
        return f"ping of {self.get_system_display()} at {self.at:%Y-%m-%d %H:%M}"


class PingPlan(ScopedModel):
    """When an integration is looked at by night. Whoever moves `next_at` on is the one who pings."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.OneToOneField(Integration, models.CASCADE, related_name="ping_plan")
    next_at = models.DateTimeField(db_index=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"nightly ping of {self.integration}"
