"""How to reach one of the two systems: settings in the clear, secrets encrypted."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tenants.encryption import SecretsField
from tenants.models.integration import Integration
from tenants.models.scoped import ScopedModel, ScopedQuerySet


class System(models.TextChoices):
    """The remote systems."""

    SAP_B1 = "sap_b1", "SAP Business One"
    BASWARE = "basware", "Basware P2P"


class ConnectionQuerySet(ScopedQuerySet["Connection"]):
    """Leaves the encrypted column alone unless it is asked for: one bad row must not break a page."""

    def without_secrets(self) -> ConnectionQuerySet:
        return self.defer("secrets", "session")


class Connection(ScopedModel):
    """`session` is the shared SAP session or Basware token, encrypted like the secrets.

    `login_refused` says that the present credentials were refused, and in which words: they are not shown again.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="connections")
    system = models.CharField(max_length=10, choices=System.choices)
    settings = models.JSONField(default=dict, blank=True)
    secrets: models.Field[Any, Any] = SecretsField(default=dict)
    secrets_changed_at = models.JSONField(default=dict, blank=True)
    session: models.Field[Any, Any] = SecretsField(null=True)
    login_refused = models.JSONField(null=True, blank=True)
    retry_after = models.DateTimeField(null=True, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)
    last_ping = models.JSONField(null=True, blank=True)
    last_ping_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()  # type: ignore[misc]  # it adds methods

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "system"], name="one_connection_per_system")]

    def __str__(self) -> str:
        return f"{self.get_system_display()} of {self.integration}"
