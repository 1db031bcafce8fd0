"""Leases by name: one login at a time, one worker at a time on one vendor's invoice number."""

from __future__ import annotations

from django.db import models


class NamedLock(models.Model):
    """`name` is the SHA-256 of what is locked; held until `expires_at` unless released before.

    Not scoped to an organization on purpose: two of them may share a SAP company.
    """

    name = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=80)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
