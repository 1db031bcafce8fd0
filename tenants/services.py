"""What happens to organizations and their people; every function is one transaction."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.text import slugify

from tenants.errors import refuse
from tenants.models import Identity, Invitation, Membership, Organization, OwnershipOffer, Role, User

INVITATION_LIFE = timedelta(days=7)
SLUG_LENGTH = 50


@transaction.atomic
def create_organization(name: str, owner_email: str, password: str | None = None) -> Organization:
    """An organization with its owner, whose e-mail counts as verified. A known person is left as they are."""
    owner = User.objects.filter(email=owner_email.lower()).first()
    if owner is None:
        owner = User.objects.create_user(owner_email, password)
    verify_email(owner)
    organization = found_organization(name, owner)
    owner.memberships.filter(organization=organization).update(spared_second_factor=True)
    return organization


@transaction.atomic
def found_organization(name: str, owner: User) -> Organization:
    """An organization of a person who is signed up already."""
    organization = Organization.objects.create(name=name, slug=_free_slug(name))
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization


def verify_email(user: User) -> None:
    """Count the person's address as verified, as allauth does after its link was followed."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def _free_slug(name: str) -> str:
    wanted = slugify(name)[:SLUG_LENGTH].strip("-") or "organization"
    taken = set(Organization.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_invitation(
    organization: Organization, email: str, role: Role, invited_by: User | None, now: datetime
) -> tuple[Invitation, str]:
    """An invitation and its token, which only the e-mail holds; an older one to the same address ends."""
    email = email.lower()
    if Membership.objects.of(organization).filter(user__email=email).exists():
        raise refuse("email", "This person is a member already.", "member")
    Invitation.objects.of(organization).filter(email=email, accepted_at=None).delete()
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        token_hash=_token_hash(token),
        invited_by=invited_by,
        expires_at=now + INVITATION_LIFE,
    )
    return invitation, token


def open_invitation(token: str, now: datetime) -> Invitation | None:
    """The invitation of that token, unless it was accepted, withdrawn or has expired."""
    waiting = Invitation.objects.filter(token_hash=_token_hash(token), accepted_at=None, expires_at__gt=now)
    return waiting.select_related("organization").first()


@transaction.atomic
def join(invitation: Invitation, user: User, now: datetime) -> Membership:
    """Make the person a member. Only the invited address may, and only once."""
    if user.email.lower() != invitation.email:
        raise refuse("email", f"This invitation is for {invitation.email}: log in with that address.", "other_person")
    if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=now):
        raise refuse("token", "This invitation was used before.", "used")
    membership, _ = Membership.objects.get_or_create(
        organization=invitation.organization, user=user, defaults={"role": invitation.role}
    )
    return membership


@transaction.atomic
def set_role(membership: Membership, role: Role) -> None:
    """Give another role; the last owner stays owner."""
    if role != Role.OWNER:
        _keep_an_owner(membership, "role")
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def end_membership(membership: Membership) -> None:
    """Take a person out; the last owner stays."""
    _keep_an_owner(membership, "")
    Identity.objects.of(membership.organization).filter(user=membership.user_id).delete()
    membership.delete()


@transaction.atomic
def renew_invitation(invitation: Invitation, now: datetime) -> str:
    """A fresh token with a fresh life for an invitation; the link sent before ends."""
    token = secrets.token_urlsafe(32)
    invitation.token_hash, invitation.expires_at = _token_hash(token), now + INVITATION_LIFE
    invitation.save(update_fields=["token_hash", "expires_at"])
    return token


@transaction.atomic
def hand_over(offer: OwnershipOffer) -> None:
    """The offer is accepted: the member is owner, and who offered stays as an admin."""
    people = Membership.objects.select_for_update().filter(pk__in=[offer.offered_to_id, offer.offered_by_id])
    roles = {offer.offered_to_id: Role.OWNER, offer.offered_by_id: Role.ADMIN}
    for membership in people:
        membership.role = roles[membership.pk]
        membership.save(update_fields=["role"])
    offer.delete()


def _keep_an_owner(leaving: Membership, field: str) -> None:
    # The rows are locked (PostgreSQL; SQLite has one writer), so that two owners cannot leave at the same time.
    owners = Membership.objects.select_for_update().filter(organization=leaving.organization_id, role=Role.OWNER)
    if {owner.pk for owner in owners} == {leaving.pk}:
        raise refuse(field, "An organization needs an owner: make somebody else owner first.", "last_owner")
