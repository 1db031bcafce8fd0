"""Who comes in through an organization's identity provider: its members, and whom it has invited. Nobody else."""

from __future__ import annotations

import structlog
from allauth.usersessions.models import UserSession
from django.contrib.auth import login
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone

from portal import session_scope
from portal.oidc import Person, SignInFailed
from syncengine.audit import record_event
from tenants import services
from tenants.models import Identity, IdentityProvider, Invitation, Membership, User

log = structlog.get_logger(__name__)

BACKEND = "django.contrib.auth.backends.ModelBackend"


@transaction.atomic
def admit(provider: IdentityProvider, person: Person) -> Membership:
    """The membership of the person that the provider vouches for. SignInFailed when they have none.

    The first time the e-mail address finds them; from then on the provider's own name for them, which is never
    given to another person.
    """
    known = Identity.objects.of(provider.organization).filter(issuer=person.issuer, subject=person.subject).first()
    if known is not None:
        membership = _members(provider).filter(user=known.user_id).first()
    else:
        membership = _members(provider).filter(user__email=person.email).first() or _invited(provider, person.email)
    if membership is None or not membership.user.is_active:
        raise SignInFailed(f"{person.email} does not belong to this organization: ask an admin for an invitation.")
    if known is None:
        _link(provider, person, membership.user)
    return membership


def _members(provider: IdentityProvider) -> models.QuerySet[Membership]:
    return Membership.objects.of(provider.organization).select_related("user", "organization")


def _invited(provider: IdentityProvider, email: str) -> Membership | None:
    """Join by an open invitation to that address; a new person gets no password and no verified address by this."""
    now = timezone.now()
    waiting = Invitation.objects.of(provider.organization).filter(email=email, accepted_at=None, expires_at__gt=now)
    invitation = waiting.select_related("organization").first()
    if invitation is None:
        return None
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    membership = services.join(invitation, user, now)
    record_event(provider.organization, email, "member.joined", f"{email} as {membership.role}")
    return membership


def _link(provider: IdentityProvider, person: Person, user: User) -> None:
    if Identity.objects.of(provider.organization).filter(issuer=person.issuer, user=user).exists():
        raise SignInFailed(f"{person.email} is linked to somebody else at the identity provider: ask an admin.")
    Identity.objects.create(organization=provider.organization, user=user, issuer=person.issuer, subject=person.subject)
    record_event(provider.organization, user.email, "sign_in.linked", f"{user.email} at {person.issuer}")


def log_in(request: HttpRequest, membership: Membership) -> None:
    """Open a session for that organization only; one that the person opened by themselves goes on as wide as it was."""
    organization, user = membership.organization_id, membership.user
    if request.user != user or session_scope.scope_of(request) is not None:
        login(request, user, backend=BACKEND)
        session_scope.narrow(request, organization)
        UserSession.objects.create_from_request(request)
    session_scope.vouch(request, organization)
