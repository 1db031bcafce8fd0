"""An integration's configuration as a file: exported, and imported with the difference shown first."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.forms.configuration import ConfigurationForm
from portal.views.access import integration_of, organization_page, page_of
from portal.views.payloads import pretty
from syncengine.engine import configuration as engine
from tenants.errors import Refused
from tenants.models import Integration
from tenants.permissions import Action
from tenants.scoping import Access


@organization_page("GET", "POST", act=Action.EDIT_MAPPING)
def configuration(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The page; a POST shows what a file would change, and `apply` changes it."""
    integration = integration_of(access, integration_id)
    form = ConfigurationForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            if "apply" in request.POST:
                return _applied(request, access, integration, form.cleaned_data["configuration"])
            found = engine.difference(integration, form.cleaned_data["configuration"])
            changes = [(change.path, pretty(change.before), pretty(change.after)) for change in found]
            context |= {"changes": changes, "compared": True, "text": form.cleaned_data["text"]}
        except Refused as refused:
            for error in refused.errors:
                form.add_error(None, f"{error.field}: {error.message}")
    status = 400 if form.errors else 200
    return page_of(request, access, "integrations/configuration.html", context, integration=integration, status=status)


def _applied(request: HttpRequest, access: Access, integration: Integration, file: Any) -> HttpResponseBase:
    changed = engine.apply(integration, file, access.actor, access.user)
    messages.success(request, f"{len(changed)} settings were changed. They hold from the next run on.")
    return redirect("portal:configuration", access.organization.slug, integration.pk)


@organization_page("GET")
def download(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The file."""
    integration = integration_of(access, integration_id)
    text = json.dumps(engine.export(integration), indent=2, ensure_ascii=False)
    name = f"ledgerbridge-{access.organization.slug}-{integration.pk}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="application/json", headers=headers)
