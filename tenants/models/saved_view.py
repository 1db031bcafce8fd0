"""Filters of a list that somebody gave a name."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tenants.models.organization import Organization
from tenants.models.scoped import ScopedModel


class SavedView(ScopedModel):
    """`filters` are those of the list of records, by name; a shared view is seen by everybody in the organization."""

    MOST: ClassVar[int] = 50

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    filters = models.JSONField(default=dict)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "owner", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name
