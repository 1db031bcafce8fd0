"""What an integration has set for one flow, and how far the flow has read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class FlowState(ScopedModel):
    """Schedules are cron expressions in the organization's time zone; null means only on request.

    `next_due_at` and `next_full_due_at` are computed from them, so that the dispatcher's question is one indexed query.
    `hint_due_at`: SAP has said that something changed, and the next run is to begin then.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="flow_states")
    flow = models.CharField(max_length=40)
    enabled = models.BooleanField(default=True)
    schedule = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001  # null is "by hand" in the API
    full_schedule = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001
    resend_field = models.CharField(max_length=60, null=True, blank=True)  # noqa: DJ001  # null is "none" in the API
    watermark = models.JSONField(null=True, blank=True)
    next_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    next_full_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    hint_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    last_run = models.ForeignKey("Run", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "flow"], name="one_state_per_flow")]

    def __str__(self) -> str:
        return f"{self.flow} of {self.integration}"
