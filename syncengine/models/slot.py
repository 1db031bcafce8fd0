"""Leases that bound the calls in flight on a connection, over all workers and machines."""

from __future__ import annotations

from django.db import models

from tenants.models import Connection


class CallSlot(models.Model):
    """Slot `number` (from 0) of a connection: a permit for one call at a time of the process that leases it."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="slots")
    number = models.PositiveSmallIntegerField()
    owner = models.CharField(max_length=80, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "number"], name="call_slot_once")]

    def __str__(self) -> str:
        return f"slot {self.number} of {self.connection}"
