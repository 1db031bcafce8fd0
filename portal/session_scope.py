"""What a session may open: one that an organization's own identity provider vouched for opens that organization only.

An admin chooses the provider, and a provider can say that anybody is anybody. So its word counts inside the walls of
that organization, and nowhere else: not in others of the same person, not for their account, not for the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tenants.models import IdentityProvider, Role
from tenants.scoping import Access

_SCOPE = "signed_in_for"
_VOUCHED = "vouched_for_by"
# Where a session of one organization may go beside its pages; its address picks the organization, or fails.
_OPEN = re.compile(
    r"/(|o/.*|api/v1/.*|organizations/|theme/|language/|sign-in/.*|accounts/(login|logout)/|static/.*|healthz/|metrics|webhooks/.*)"
)
_CLOSED = (
    "You signed in through your organization, which opens its pages only. "
    "For your account, log out and log in with your own password."
)


def scope_of(request: HttpRequest) -> int | None:
    """The only organization that this session opens; None for one that opens all of the person's."""
    found: int | None = request.session.get(_SCOPE)
    return found


def narrow(request: HttpRequest, organization_id: int) -> None:
    """From now on this session opens that organization only."""
    request.session[_SCOPE] = organization_id


def vouch(request: HttpRequest, organization_id: int) -> None:
    """The organization's own provider says who this is."""
    request.session[_VOUCHED] = [*request.session.get(_VOUCHED, []), organization_id]


def is_vouched(request: HttpRequest, organization_id: int) -> bool:
    return organization_id in request.session.get(_VOUCHED, [])


def admitted(request: HttpRequest, access: Access) -> Access | None:
    """What this session reaches of that organization, if anything; with its provider go the sessions it vouched for.

    A provider's word makes nobody an owner: the admin who chose the provider could be anybody by it.
    """
    scope = scope_of(request)
    if scope is None:
        return access
    if scope != access.organization.pk or not IdentityProvider.objects.of(access.organization).exists():
        return None
    return replace(access, role=Role.ADMIN) if access.role == Role.OWNER else access


def must_sign_in_there(request: HttpRequest, access: Access) -> bool:
    """Whether the organization wants its own sign-in. Owners may always come in to repair it."""
    if access.role == Role.OWNER or is_vouched(request, access.organization.pk):
        return False
    return IdentityProvider.objects.of(access.organization).filter(required=True).exists()


class ScopeMiddleware:
    """403 with a sentence for all that lies outside the session's organization."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        if scope_of(request) is not None and not _OPEN.fullmatch(request.path):
            raise PermissionDenied(_CLOSED)
