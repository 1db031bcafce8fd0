"""An integration that is tried out on the built-in sandbox, and what a person decided on the way to going live."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class Sandbox(ScopedModel):
    """As long as the row is there, both connections lead to sandbox servers of this integration's own.

    The ports are null until the servers have started. `problem` says why they have not.
    """

    organization_path: ClassVar[str] = "integration__organization"
    PORTS: ClassVar[tuple[str, ...]] = ("sap_port", "basware_port", "storage_port")

    integration = models.OneToOneField(Integration, models.CASCADE, related_name="sandbox")
    requested_by = models.CharField(max_length=200)
    sap_port = models.PositiveIntegerField(null=True, blank=True)
    basware_port = models.PositiveIntegerField(null=True, blank=True)
    storage_port = models.PositiveIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"sandbox of {self.integration}"

    @property
    def is_ready(self) -> bool:
        return self.sap_port is not None


class Setup(ScopedModel):
    """Steps of the guided start that leave no trace elsewhere; all others are read from what they made.

    `mapping_check` is what the rules made of real records: `{flow: {"version", "state", "key", "problems"}}`.
    `accepted_by` has looked at its problems and goes on all the same. `schedule` is the preset that going live applies.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.OneToOneField(Integration, models.CASCADE, related_name="setup")
    mapping_check = models.JSONField(default=dict, blank=True)
    mapping_checked_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.CharField(max_length=200, blank=True)
    schedule = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return f"setup of {self.integration}"
