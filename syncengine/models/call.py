"""Every remote call, as observed and redacted at capture."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from syncengine.models.attempt import Attempt
from syncengine.models.record import Record
from syncengine.models.run import Run
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class Call(ScopedModel):
    """One HTTP call.

    Bodies are kept for CALL_BODY_DAYS; then `bodies_kept` is False and only their SHA-256 (of the UTF-8 text as it was
    captured, redacted; empty for an empty body) remains, by which anyone who holds a body can prove it.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="calls")
    system = models.CharField(max_length=10)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="calls")
    record = models.ForeignKey(Record, models.CASCADE, null=True, blank=True, related_name="calls")
    attempt = models.ForeignKey(Attempt, models.SET_NULL, null=True, blank=True, related_name="calls")
    method = models.CharField(max_length=10)
    url = models.TextField()
    status = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=16)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    error = models.TextField(blank=True)
    bodies_kept = models.BooleanField(default=True, db_default=True)
    request_sha256 = models.CharField(max_length=64, blank=True, db_default="", default="")
    response_sha256 = models.CharField(max_length=64, blank=True, db_default="", default="")

    class Meta:
        indexes = [
            models.Index(fields=["integration", "-id"], name="call_newest"),
            models.Index(fields=["started_at"], condition=Q(bodies_kept=True), name="call_with_bodies"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
