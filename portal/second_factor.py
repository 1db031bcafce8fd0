"""Second factors: authenticator apps, passkeys and recovery codes, and who has to have one."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from portal.proof import shown_at
from portal.session_scope import is_vouched
from tenants import second_factor
from tenants.models import Membership, User
from tenants.scoping import Access

_UNREADABLE = "Your second factor cannot be decrypted: ask whoever runs this portal, whose FERNET_KEYS have changed."
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # the library has no annotations
    """allauth stores what we encrypt, and a passkey is shown under our name."""

    def encrypt(self, text: str) -> str:
        return second_factor.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return second_factor.decrypt(encrypted_text)
        except InvalidToken:
            raise PermissionDenied(_UNREADABLE) from None

    def _get_site_name(self) -> str:
        return "Ledgerbridge"


def has_one(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def is_missing(request: HttpRequest, access: Access) -> bool:
    """Whether the organization asks for a second factor that this person, at their first log-in since, lacks.

    Its own identity provider asks for what it wants itself; owners from createorganization are spared (interface.md).
    """
    since, user = access.organization.second_factor_since, access.user
    if since is None or user is None or shown_at(request) < since.timestamp():
        return False
    if is_vouched(request, access.organization.pk) or has_one(user):
        return False
    return not Membership.objects.of(access.organization).filter(user=user, spared_second_factor=True).exists()
