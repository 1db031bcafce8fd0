"""Querysets that know their organization, so that no query forgets whose data it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from tenants.models.organization import Organization

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """`of(organization)` is the only way in for whatever a customer can reach.

    The model says in `organization_path` how it hangs on its organization.
    """

    def of(self, organization: Organization) -> Self:
        path: str = self.model.organization_path  # type: ignore[attr-defined]  # every scoped model names it
        return self.filter(**{path: organization})


class ScopedModel(models.Model):
    """Base of everything that belongs to one organization."""

    organization_path: ClassVar[str] = "organization"

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True
