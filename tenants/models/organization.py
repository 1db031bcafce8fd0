"""Customers (organizations), who belongs to them, and with what role."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from tenants.models.scoped import ScopedModel


class Role(models.TextChoices):
    """Roles, weakest first (interface.md, "Roles")."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    ADMIN = "admin", "Admin"
    OWNER = "owner", "Owner"

    def reaches(self, needed: Role) -> bool:
        """Whether this role includes everything that `needed` may do."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Organization(models.Model):
    """One customer. Schedules run in its `time_zone`.

    Who logs in after `second_factor_since` is led to set up a second factor; None asks nobody.
    Since `deleted_at` nobody belongs to it, and workers erase what it owned.
    """

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")
    created_at = models.DateTimeField(auto_now_add=True)
    second_factor_since = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Membership(ScopedModel):
    """A person's role in an organization.

    `spared_second_factor` marks the owner whom `createorganization` made: a script cannot set one up (interface.md).
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    joined_at = models.DateTimeField(auto_now_add=True)
    spared_second_factor = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Invitation(ScopedModel):
    """A person asked to join; only the hash of the token in the e-mail is kept."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"


class OwnershipOffer(ScopedModel):
    """An owner hands the organization over to a member, who has yet to accept."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="ownership_offer")
    offered_to = models.ForeignKey(Membership, models.CASCADE, related_name="+")
    offered_by = models.ForeignKey(Membership, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization} to {self.offered_to.user}"
