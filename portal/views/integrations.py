"""Making an integration, its settings, and switching it off and on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.forms.base import add_refusal
from portal.forms.integrations import FlowSettingsForm, IntegrationForm
from portal.forms.security import RemoveIntegrationForm
from portal.views.access import integration_of, organization_page, page_of
from syncengine.engine import integrations
from tenants.errors import Refused
from tenants.permissions import Action
from tenants.scoping import Access


@organization_page("GET", "POST", view=Action.CONFIGURE, act=Action.CONFIGURE)
def create(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Name a new integration, then go on to its first steps."""
    form = IntegrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            integration = integrations.create(access.organization, access.actor, form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, f"{integration.name} is there. Connect the two systems next.")
            return redirect("portal:start", access.organization.slug, integration.pk)
    return page_of(request, access, "integrations/create.html", {"form": form})


@organization_page("GET", "POST", act=Action.CONFIGURE)
def settings(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The posting rules of one integration, each with its meaning."""
    integration = integration_of(access, integration_id)
    form = FlowSettingsForm(request.POST or None, in_force=integrations.settings_of(integration))
    if request.method == "POST" and form.is_valid():
        try:
            integrations.update(integration, {"settings": form.changed_settings}, access.actor)
        except Refused as refused:
            add_refusal(form, refused, within="settings.")
        else:
            messages.success(request, "The settings are saved. They hold from the next run on.")
            return redirect("portal:settings", access.organization.slug, integration.pk)
    return page_of(request, access, "integrations/settings.html", {"form": form}, integration=integration)


@organization_page("POST", act=Action.CONFIGURE)
def enable(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Switch the integration on (which ends a pause) or off."""
    integration = integration_of(access, integration_id)
    enabled = request.POST.get("enabled") == "true"
    integrations.update(integration, {"enabled": enabled}, access.actor)
    messages.success(request, f"{integration.name} is {'on' if enabled else 'off: no run will start'}.")
    return redirect("portal:settings", access.organization.slug, integration.pk)


@organization_page("GET", "POST", view=Action.REMOVE_INTEGRATION, act=Action.REMOVE_INTEGRATION)
def remove(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """What will be gone, what stays, and the name to type."""
    integration = integration_of(access, integration_id)
    form = RemoveIntegrationForm(request.POST or None, integration.name)
    if request.method == "POST" and form.is_valid():
        try:
            integrations.remove(integration, access.actor)
        except integrations.HasDocuments:
            form.add_error(None, "Invoices were posted through it, and without its memory they could be posted again.")
        else:
            messages.success(request, f"{integration.name} is removed.")
            return redirect("portal:organization", access.organization.slug)
    return page_of(request, access, "integrations/remove.html", {"form": form}, integration=integration)
