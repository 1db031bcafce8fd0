"""Who may open a page: the way from `/o/{slug}/…` to an organization and a role, on top of tenants.scoping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from portal.notifications import unread_count
from syncengine.models import Record, Run
from tenants.models import Integration, Role, User
from tenants.permissions import NEEDED_ROLE, Action
from tenants.row_security import bound_to
from tenants.scoping import Access, OrganizationNotFound, access_of_member

View = Callable[..., HttpResponseBase]

LAST_ORGANIZATION = "last_organization"
A_YEAR = 365 * 24 * 3600
SAFE = ("GET", "HEAD")


class PageRequest(HttpRequest):
    """A request as it reaches a page: somebody is logged in, and the middleware has looked for HTMX."""

    user: User
    htmx: HtmxDetails


def organization_page(*methods: str, view: Action = Action.VIEW, act: Action = Action.VIEW) -> Callable[[View], View]:
    """A page of an organization: `page(request, access, …)`, without the slug.

    405 for another method, the log-in page for strangers, 404 for outsiders, 403 for a role that may not `view` (GET)
    or `act` (POST). Times are shown in the organization's time zone.
    """

    def decorate(page: View) -> View:
        @require_http_methods([*methods, *(["HEAD"] if "GET" in methods else [])])
        @login_required
        @wraps(page)
        def guarded(request: PageRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            access = _access(request, slug)
            require(access, view if request.method in SAFE else act)
            with timezone.override(access.organization.zone), bound_to(access.organization):
                response = page(request, access, **kwargs)
            return _remembering(request, response, slug)

        return guarded

    return decorate


def _access(request: PageRequest, slug: str) -> Access:
    try:
        return access_of_member(request.user, slug)
    except OrganizationNotFound:
        raise Http404 from None


def require(access: Access, action: Action) -> None:
    """403 with a sentence unless the member's role may do it."""
    if not access.may(action):
        raise PermissionDenied(f"Your role here is {access.role}; this needs the role {NEEDED_ROLE[action]} or more.")


def _remembering(request: HttpRequest, response: HttpResponseBase, slug: str) -> HttpResponseBase:
    """The browser, not the server, remembers which organization was open last: a GET changes nothing."""
    if request.COOKIES.get(LAST_ORGANIZATION) != slug:
        response.set_cookie(
            LAST_ORGANIZATION, slug, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure()
        )
    return response


def integration_of(access: Access, integration_id: int) -> Integration:
    """The organization's integration, or 404. Its organization is the one at hand, without another query."""
    integration = get_object_or_404(Integration.objects.of(access.organization), pk=integration_id)
    integration.organization = access.organization
    return integration


def run_of(access: Access, run_id: int) -> Run:
    run = get_object_or_404(Run.objects.of(access.organization).select_related("integration"), pk=run_id)
    run.integration.organization = access.organization
    return run


def record_of(access: Access, record_id: int) -> Record:
    rows = Record.objects.of(access.organization).select_related("integration", "blocked_by")
    record = get_object_or_404(rows, pk=record_id)
    record.integration.organization = access.organization
    return record


def page_of(
    request: HttpRequest,
    access: Access,
    template: str,
    context: Mapping[str, Any],
    *,
    integration: Integration | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page inside the organization's frame: navigation, pickers, and what one's role allows."""
    integrations = list(Integration.objects.of(access.organization).order_by("name"))
    frame = {
        **_frame(access),
        "integrations": integrations,
        "integration": integration,
        "unread_notices": unread_count(access),
        "nav_integration": integration or next(iter(integrations), None),
    }
    return render(request, template, {**frame, **context}, status=status)


def part_of(request: HttpRequest, access: Access, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """Render a piece of a page for HTMX."""
    return render(request, template, {**_frame(access), **context})


def _frame(access: Access) -> dict[str, Any]:
    return {
        "organization": access.organization,
        "role": access.role,
        "can_operate": access.role.reaches(Role.OPERATOR),
        "can_admin": access.role.reaches(Role.ADMIN),
    }
