"""Counters that all processes share: what /metrics tells of work that is done."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Tally(models.Model):
    """One number of one metric (`engine.tallies` names them); it only grows.

    `labels` are the values in the metric's order, with commas between. A plain counter has no `bucket`; a histogram has
    a row for each bucket that was ever hit, by its upper bound and not cumulated, and one called "sum". There is
    nothing of any customer in it, so there are a few hundred rows however many organizations there are.
    """

    name = models.CharField(max_length=60)
    labels = models.CharField(max_length=120, blank=True)
    bucket = models.CharField(max_length=10, blank=True)
    value = models.FloatField(default=0)

    class Meta:
        verbose_name_plural: ClassVar[str] = "tallies"
        constraints = [models.UniqueConstraint(fields=["name", "labels", "bucket"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.bucket}: {self.value}"
