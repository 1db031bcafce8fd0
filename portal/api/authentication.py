"""Who calls the API: an organization's key, or a person's browser session. `request.auth` is their `Access`."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from portal.second_factor import is_missing
from portal.session_scope import admitted, must_sign_in_there
from tenants.models import User
from tenants.scoping import (
    ORGANIZATION_HEADER,
    Access,
    NoOrganization,
    OrganizationNotFound,
    OrganizationNotNamed,
    access_of_key,
    access_of_member,
)

SCHEME = "Api-Key"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key KEY`; the organization is the key's, whatever else the request says."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Access] | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        access = access_of_key(key.strip(), timezone.now())
        if access is None:
            raise exceptions.AuthenticationFailed("This API key is not known, or it has expired.", "bad_key")
        return AnonymousUser(), access

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class SessionAccess(SessionAuthentication):
    """The browser session, with CSRF; the organization by `/o/{slug}/…`, by X-Organization, or the only one."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        slug = request.parser_context["kwargs"].get("slug") if request.parser_context else None
        access = _access(request, found[0], slug or request.headers.get(ORGANIZATION_HEADER))
        if must_sign_in_there(request, access):
            raise exceptions.PermissionDenied("This organization asks for its own sign-in.", "sign_in_required")
        if is_missing(request, access):
            raise exceptions.PermissionDenied("Set up a second factor first.", "second_factor_required")
        return found[0], access


def _access(request: Request, user: User, slug: str | None) -> Access:
    """The organization named, or the only one. A session that opens one organization opens no other."""
    try:
        access = admitted(request, access_of_member(user, slug))
        if access is None:
            raise OrganizationNotFound
        return access
    except OrganizationNotFound:
        raise exceptions.NotFound("There is no such organization.") from None
    except NoOrganization:
        raise exceptions.PermissionDenied("You belong to no organization yet.", "no_organization") from None
    except OrganizationNotNamed:
        message = f"You belong to several organizations: name one in the header {ORGANIZATION_HEADER}."
        raise exceptions.ValidationError({ORGANIZATION_HEADER: [message]}, "required") from None
