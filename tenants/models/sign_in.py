"""How an organization's people sign in at its own identity provider, by OpenID Connect."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from tenants.encryption import SecretsField
from tenants.models.organization import Organization
from tenants.models.scoped import ScopedModel, ScopedQuerySet


class IdentityProviderQuerySet(ScopedQuerySet["IdentityProvider"]):
    """Leaves the encrypted column alone unless it is asked for: one bad row must not break a page."""

    def without_secrets(self) -> IdentityProviderQuerySet:
        return self.defer("client_secret")


class IdentityProvider(ScopedModel):
    """An organization's own log-in. `client_secret` holds {"value": …}; with `required` no other log-in opens it."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="identity_provider")
    issuer = models.URLField(max_length=500)
    client_id = models.CharField(max_length=200)
    client_secret: models.Field[Any, Any] = SecretsField()
    required = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    objects = IdentityProviderQuerySet.as_manager()  # type: ignore[misc]  # it adds methods

    def __str__(self) -> str:
        return f"{self.issuer} of {self.organization}"


class Identity(ScopedModel):
    """Who a person is at the provider: an address may change hands there, the subject never does (OpenID Core §2)."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="identities")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "issuer", "subject"], name="one_person_per_subject"),
            models.UniqueConstraint(fields=["organization", "issuer", "user"], name="one_subject_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
