"""Who may open a page: the way from `/o/{slug}/…` to an organization and a role, on top of tenants.scoping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from portal.languages import zone_of
from portal.notifications import unread_count
from portal.proof import ASKED_FIRST, ask, is_needed
from portal.second_factor import is_missing
from portal.session_scope import admitted, must_sign_in_there
from syncengine.models import Record, Run, Sandbox
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
    or `act` (POST). Times are shown in the organization's time zone, or in the one that the person chose instead.
    """

    def decorate(page: View) -> View:
        @require_http_methods([*methods, *(["HEAD"] if "GET" in methods else [])])
        @login_required
        @wraps(page)
        def guarded(request: PageRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            access = _access(request, slug)
            action = view if request.method in SAFE else act
            require(access, action)
            first = _asked_first(request, access, _deed_of(request, access, act))
            if first is not None:
                return first
            with timezone.override(zone_of(request.user, access.organization)), bound_to(access.organization):
                response = page(request, access, **kwargs)
            return _remembering(request, response, slug)

        return guarded

    return decorate


def _access(request: PageRequest, slug: str) -> Access:
    try:
        access = admitted(request, access_of_member(request.user, slug))
    except OrganizationNotFound:
        raise Http404 from None
    if access is None:
        raise Http404
    return access


def _deed_of(request: HttpRequest, access: Access, act: Action) -> Action:
    """What this visit may lead to: looking asks nothing, but for the form of a deed that one may do (`ASKED_FIRST`)."""
    opens_the_form = act in ASKED_FIRST and access.may(act)
    return act if request.method not in SAFE or opens_the_form else Action.VIEW


def _asked_first(request: PageRequest, access: Access, action: Action) -> HttpResponse | None:
    """Where to go before the page opens: to one's own sign-in, to a second factor, or to show who one is."""
    if must_sign_in_there(request, access):
        return redirect("portal:sign-in", access.organization.slug)
    if is_missing(request, access):
        return redirect("portal:second-factor")
    if is_needed(request, action):
        return ask(request, request.get_full_path() if request.method in SAFE else _page_of_deed(request, access))
    return None


def _page_of_deed(request: PageRequest, access: Access) -> str:
    """The page that the deed was done from, as the browser says; the organization's if it says nothing of use."""
    home = reverse("portal:organization", args=[access.organization.slug])
    came_from = urlsplit(request.headers.get("Referer", ""))
    return came_from.path if came_from.path.startswith(home) and came_from.netloc == request.get_host() else home


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
    is_tried_out = Exists(Sandbox.objects.filter(integration=OuterRef("pk")))
    rows = Integration.objects.of(access.organization).annotate(in_sandbox=is_tried_out)
    integrations = list(rows.order_by("name"))
    frame = {
        **_frame(access),
        "integrations": integrations,
        "integration": integration,
        "sandboxed": any(one.in_sandbox for one in integrations if integration and one.pk == integration.pk),
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
