"""The end of a posting period: when its books close, and what was found when both systems were read for it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from syncengine.models.fields import ExactJSONField
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class PeriodEnd(ScopedModel):
    """One period of one integration. `cutoff` is the organization's own choice, null where the usual one holds."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="period_ends")
    first = models.DateField()
    last = models.DateField()
    cutoff = models.DateField(null=True, blank=True)
    report: models.Field[Any, Any] = ExactJSONField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    read_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "first", "last"], name="period_end_once")]

    def __str__(self) -> str:
        return f"{self.first} to {self.last} of {self.integration}"
