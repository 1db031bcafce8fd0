"""What pages show of large tables, added up beforehand: counted by the worker, never while somebody waits."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from syncengine.models.fields import ExactJSONField
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class Figures(ScopedModel):
    """How an integration's invoices stand: `stages` is a list of `{stage, currency, count, failed, amount}`.

    Amounts are of one currency each; nothing is ever added up over currencies. `records` is a list of `{flow, status,
    count}`.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.OneToOneField(Integration, models.CASCADE, related_name="figures")
    stages: models.Field[Any, Any] = ExactJSONField(default=list, blank=True)
    records = models.JSONField(default=list, db_default=[], blank=True)
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"figures of {self.integration}"


class Troubles(ScopedModel):
    """What failed in an integration, by cause, where it is so much that a page could not add it up itself.

    Each field is what one question of `engine.troubles` was answered with. There is no row for fewer than its MANY.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.OneToOneField(Integration, models.CASCADE, related_name="troubles")
    troubled: models.Field[Any, Any] = ExactJSONField(default=list, blank=True)
    attention: models.Field[Any, Any] = ExactJSONField(default=list, blank=True)
    failed: models.Field[Any, Any] = ExactJSONField(default=list, blank=True)
    counted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural: ClassVar[str] = "troubles"

    def __str__(self) -> str:
        return f"troubles of {self.integration}"


class DayFigures(ScopedModel):
    """One day, in the organization's time zone. Days on which nothing happened have no row.

    `done` and `failed` count outcomes, as the audit trail has them: a record that fails and is mended counts in both.
    `posted` invoices took `median_seconds` from their approval to the document in SAP, 95 of 100 no more than
    `slow_seconds`; both are null where none was posted whose approval is known.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="day_figures")
    day = models.DateField()
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    posted = models.PositiveIntegerField(default=0)
    median_seconds = models.FloatField(null=True, blank=True)
    slow_seconds = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "day"], name="figures_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.done} done, {self.failed} failed"
