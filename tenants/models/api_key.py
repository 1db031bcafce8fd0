"""Keys for the REST API: shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import models

from tenants.models.organization import Organization, Role
from tenants.models.scoped import ScopedModel, ScopedQuerySet

KEY_PREFIX_LENGTH = 11


def key_hash(key: str) -> str:
    """SHA-256 of a key: keys hold 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeyQuerySet(ScopedQuerySet["ApiKey"]):
    """Finds usable keys."""

    def usable(self, now: datetime) -> ApiKeyQuerySet:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now))


class ApiKey(ScopedModel):
    """A key of an organization, with a role of its own (viewer, operator or admin)."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    prefix = models.CharField(max_length=KEY_PREFIX_LENGTH)
    key_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()  # type: ignore[misc]  # it adds methods

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, organization: Organization, name: str, role: str, **fields: object) -> tuple[ApiKey, str]:
        """Store a new key and return it with its text, which nobody can read again."""
        key = f"lb_{secrets.token_urlsafe(32)}"
        row = cls.objects.create(
            organization=organization,
            name=name,
            role=role,
            prefix=key[:KEY_PREFIX_LENGTH],
            key_hash=key_hash(key),
            **fields,
        )
        return row, key
