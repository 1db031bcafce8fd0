"""The front door: landing page, choice of organization, a new organization, joining one by invitation."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from portal.forms.organizations import OrganizationForm
from portal.session_scope import scope_of
from portal.views.access import LAST_ORGANIZATION, PageRequest, organization_page, page_of
from portal.views.start import TITLES
from syncengine.engine.health import healths
from syncengine.engine.start import is_live
from syncengine.flows import registry
from tenants import services
from tenants.models import Integration, Organization
from tenants.scoping import Access


def _organizations_of(request: HttpRequest) -> list[Organization]:
    found = Organization.objects.filter(memberships__user=request.user.pk).order_by("name")
    scope = scope_of(request)
    return list(found if scope is None else found.filter(pk=scope))


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What the product is; whoever is signed in goes on to the only, or the last opened, organization."""
    if not request.user.is_authenticated:
        return render(request, "home/landing.html", {"flows": registry.flows().values()})
    organizations = _organizations_of(request)
    if not organizations:
        return redirect("portal:organization-create")
    slugs = [organization.slug for organization in organizations]
    last = request.COOKIES.get(LAST_ORGANIZATION, "")
    if last in slugs or len(slugs) == 1:
        return redirect("portal:organization", last if last in slugs else slugs[0])
    return redirect("portal:organizations")


@require_safe
@login_required
def organizations(request: HttpRequest) -> HttpResponse:
    return render(request, "home/organizations.html", {"organizations": _organizations_of(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def organization_create(request: PageRequest) -> HttpResponse:
    """Name a new organization; whoever makes it owns it."""
    form = OrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        organization = services.found_organization(form.cleaned_data["name"], request.user)
        form.store_time_zone(organization)
        messages.success(request, f"{organization.name} is ready. Connect your two systems next.")
        return redirect("portal:organization", organization.slug)
    return render(request, "home/organization_create.html", {"form": form})


@organization_page("GET")
def organization(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The only integration's dashboard, or its first steps while it is not live; all integrations; the first step."""
    integrations = list(Integration.objects.of(access.organization).order_by("name"))
    if len(integrations) == 1:
        page = "portal:dashboard" if is_live(integrations[0]) else "portal:start"
        return redirect(page, access.organization.slug, integrations[0].pk)
    context = {"healths": healths(integrations), "steps": TITLES.values(), "sandbox_offered": settings.SANDBOX}
    return page_of(request, access, "home/organization.html", context)
