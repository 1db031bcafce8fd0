"""Secrets that Basware signs notifications with; an old one stays valid for a day after rotation."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tenants.encryption import SecretsField
from tenants.models.integration import Integration
from tenants.models.scoped import ScopedModel


class WebhookSecret(ScopedModel):
    """`secret` holds {"value": …}; `expires_at` is None for the one in force."""

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="webhook_secrets")
    secret: models.Field[Any, Any] = SecretsField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"webhook secret of {self.integration} from {self.created_at:%Y-%m-%d}"
