"""A customer's field mapping of one flow, every save a new version, and the cases that it must go on mapping alike."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tenants.models.integration import Integration
from tenants.models.scoped import ScopedModel


class FieldMapping(ScopedModel):
    """Rules and lookup tables as in interface.md; the highest version is in force, none means the defaults."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="mappings")
    flow = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    rules = models.JSONField(default=list)
    lookups = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "flow", "version"], name="mapping_version_once")]

    def __str__(self) -> str:
        return f"{self.flow} v{self.version}"


class MappingCase(ScopedModel):
    """A source record and the output that is expected of it, both as JSON text: amounts stay exact digit by digit."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="mapping_cases")
    flow = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    source = models.TextField()
    expected = models.TextField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "flow", "name"], name="mapping_case_once")]

    def __str__(self) -> str:
        return f"{self.flow}: {self.name}"
