"""Who did what, when: written in the transaction of the deed."""

from __future__ import annotations

from django.db import models

from syncengine.models.record import Record
from syncengine.models.run import Run
from tenants.models import Integration, Organization
from tenants.models.scoped import ScopedModel


class AuditEvent(ScopedModel):
    """`actor` is an e-mail address, `api-key:PREFIX` or `system`; `data` holds no secrets."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="audit_events")
    integration = models.ForeignKey(Integration, models.SET_NULL, null=True, blank=True, related_name="audit_events")
    record = models.ForeignKey(Record, models.SET_NULL, null=True, blank=True, related_name="events")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="events")
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    message = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_newest"),
            models.Index(fields=["record", "id"], name="audit_of_record"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"
