"""Members, invitations and keys of an organization: the deed and its audit event in one transaction."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.notices.mail import LONGEST_SUBJECT, one_line
from tenants import services
from tenants.errors import refuse
from tenants.models import ApiKey, Invitation, Membership, Role, User
from tenants.permissions import Action
from tenants.scoping import Access

KEY_ROLES = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)


class NotAllowed(Exception):
    """The role does not reach for that."""


def invite(access: Access, email: str, role: Role) -> Invitation:
    """Send an invitation by e-mail; only an owner makes owners."""
    _allow_owner(access, role)
    with transaction.atomic():
        invitation, token = services.create_invitation(access.organization, email, role, access.user, timezone.now())
        record_event(access.organization, access.actor, "member.invited", f"{invitation.email} as {role}")
        transaction.on_commit(lambda: _send(invitation, token))
    return invitation


def resend_invitation(access: Access, invitation: Invitation) -> None:
    """Send it again with a new link, which holds as long as the first did; the link before it ends."""
    with transaction.atomic():
        token = services.renew_invitation(invitation, timezone.now())
        record_event(access.organization, access.actor, "member.invited", f"{invitation.email} again")
        transaction.on_commit(lambda: _send(invitation, token))


@transaction.atomic
def withdraw_invitation(access: Access, invitation: Invitation) -> None:
    """The link in the e-mail leads nowhere from now on."""
    record_event(access.organization, access.actor, "member.invitation_withdrawn", invitation.email)
    invitation.delete()


def _send(invitation: Invitation, token: str) -> None:
    name = one_line(invitation.organization.name, LONGEST_SUBJECT)  # no line break of it begins another header
    text = (
        f"You are invited to {name} on Ledgerbridge as {invitation.role}.\n\n"
        f"Follow this link within {services.INVITATION_LIFE.days} days:\n{settings.SITE_URL}/invitations/{token}/\n"
    )
    send_mail(f"Invitation to {name}", text, None, [invitation.email])


@transaction.atomic
def accept_invitation(token: str, user: User) -> Membership:
    """Join by the token of the e-mail. Refused when it is not (or no longer) good for this person."""
    now = timezone.now()
    invitation = services.open_invitation(token, now)
    if invitation is None:
        raise refuse("token", "This invitation is not valid any more: ask for another.", "not_valid")
    membership = services.join(invitation, user, now)
    record_event(membership.organization, user.email, "member.joined", f"{user.email} as {membership.role}")
    return membership


@transaction.atomic
def change_role(access: Access, membership: Membership, role: Role) -> None:
    """Give a member another role; owners are made and unmade by owners only."""
    _allow_owner(access, role, Role(membership.role))
    before = membership.role
    services.set_role(membership, role)
    record_event(
        access.organization, access.actor, "member.role_changed", membership.user.email, before=before, after=role
    )


@transaction.atomic
def remove_member(access: Access, membership: Membership) -> None:
    """Take somebody out of the organization."""
    _allow_owner(access, Role(membership.role))
    services.end_membership(membership)
    record_event(access.organization, access.actor, "member.removed", membership.user.email)


@transaction.atomic
def leave(access: Access, membership: Membership) -> None:
    """Go oneself; the last owner cannot."""
    services.end_membership(membership)
    record_event(access.organization, access.actor, "member.left", membership.user.email)


def _allow_owner(access: Access, *roles: Role) -> None:
    if Role.OWNER in roles and not access.may(Action.MANAGE_OWNERS):
        raise NotAllowed("Only an owner can do that to an owner.")


@transaction.atomic
def issue_key(access: Access, name: str, role: Role, expires_at: datetime | None) -> tuple[ApiKey, str]:
    """A new API key and its text, which nobody can read again."""
    if role not in KEY_ROLES:
        raise refuse("role", "A key is a viewer, an operator or an admin.", "invalid_choice")
    key, text = ApiKey.issue(access.organization, name, role, created_by=access.user, expires_at=expires_at)
    record_event(access.organization, access.actor, "api_key.issued", str(key), role=role)
    return key, text


@transaction.atomic
def revoke_key(access: Access, key: ApiKey) -> None:
    """The key is of no use from now on."""
    record_event(access.organization, access.actor, "api_key.revoked", str(key))
    key.delete()
