"""The only way from a request to an organization: a key, a browser session with `/o/{slug}/` or X-Organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import models

from tenants.models import ApiKey, Membership, Organization, Role, User
from tenants.models.api_key import key_hash
from tenants.models.scoped import ScopedModel
from tenants.permissions import Action, may

ORGANIZATION_HEADER = "X-Organization"
# A key's last use is written at most this often: no request should wait for a write lock to be told who it is.
USE_NOTED_EVERY = timedelta(minutes=1)

S = TypeVar("S", bound=ScopedModel)


class OrganizationNotFound(Exception):
    """There is no such organization, or this person does not belong to it: the two look alike."""


class OrganizationNotNamed(Exception):
    """This person belongs to several organizations, and the request names none."""


class NoOrganization(Exception):
    """This person belongs to no organization."""


@dataclass(frozen=True)
class Access:
    """Who acts, in which organization, with what role. `actor` is what the audit trail calls them."""

    organization: Organization
    role: Role
    actor: str
    user: User | None = None
    api_key: ApiKey | None = None

    def may(self, action: Action) -> bool:
        return may(self.role, action)

    def of(self, model: type[S]) -> models.QuerySet[S]:
        """The rows of a model that belong to the organization, and no others."""
        return model.objects.of(self.organization)


def access_of_key(key: str, now: datetime) -> Access | None:
    """The access that a usable API key gives; None for an unknown or expired one."""
    found = ApiKey.objects.usable(now).filter(key_hash=key_hash(key)).select_related("organization").first()
    if found is None:
        return None
    if found.last_used_at is None or found.last_used_at < now - USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return Access(found.organization, Role(found.role), f"api-key:{found.prefix}", api_key=found)


def access_of_member(user: User, slug: str | None) -> Access:
    """The access of a person to the organization named, or to their only one when none is named."""
    memberships = Membership.objects.filter(user=user).select_related("organization").order_by("id")
    if slug is not None:
        return _access(user, memberships.filter(organization__slug=slug).first(), OrganizationNotFound)
    first_two = list(memberships[:2])
    if len(first_two) > 1:
        raise OrganizationNotNamed
    return _access(user, first_two[0] if first_two else None, NoOrganization)


def _access(user: User, membership: Membership | None, missing: type[Exception]) -> Access:
    if membership is None:
        raise missing
    return Access(membership.organization, Role(membership.role), user.email, user=user)
