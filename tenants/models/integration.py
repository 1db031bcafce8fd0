"""An integration: one SAP company and one Basware company code, kept in step."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.db import models

from tenants.models.organization import Organization
from tenants.models.scoped import ScopedModel

if TYPE_CHECKING:
    from tenants.models.connection import Connection


def opaque_id() -> str:
    """The unguessable part of a webhook URL."""
    return secrets.token_urlsafe(24)


class Integration(ScopedModel):
    """`settings` are the posting rules of default-mapping.md; a pause stops every remote call until it ends.

    `sweep_due_at` is when forgotten documents are looked for next; null is at once. `served_at` is when a worker last
    began with something of this integration: whoever waited longest comes first.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="integrations")
    name = models.CharField(max_length=120)
    enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    webhook_id = models.CharField(max_length=40, unique=True, default=opaque_id)
    paused_reason = models.CharField(max_length=500, blank=True)
    paused_since = models.DateTimeField(null=True, blank=True)
    sweep_due_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    served_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="integration_name_once")]

    connections: ClassVar[models.Manager[Connection]]

    def __str__(self) -> str:
        return self.name

    @property
    def paused(self) -> bool:
        return self.paused_since is not None
