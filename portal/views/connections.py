"""How the two systems are reached: both forms, the ping with a line per check, the webhook subscription."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.forms.base import add_refusal
from portal.forms.connections import CONNECTION_FORMS
from portal.views.access import integration_of, organization_page, page_of
from portal.views.ping_results import ping_lines, side_of
from syncengine.engine import ping as ping_engine
from syncengine.engine.connecting import save_connection
from tenants.errors import Refused
from tenants.models import Connection, Integration, System, WebhookSecret
from tenants.permissions import Action
from tenants.scoping import Access

LINES = "application/x-ndjson"
BASWARE_REGIONS = (
    ("https://api.basware.com", "Europe, production"),
    ("https://test-api.basware.com", "Europe, test"),
    ("https://api.us.basware.com", "United States, production"),
    ("https://test-api.us.basware.com", "United States, test"),
    ("https://api.au.basware.com", "Australia, production"),
    ("https://test-api.au.basware.com", "Australia, test"),
    ("https://api.ca.basware.com", "Canada, production"),
    ("https://test-api.ca.basware.com", "Canada, test"),
)


def _connection(integration: Integration, system: str) -> Connection | None:
    return Connection.objects.without_secrets().filter(integration=integration, system=system).first()


@organization_page("GET")
def connections(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Both systems, the last ping, the webhook."""
    integration = integration_of(access, integration_id)
    rows = {row.system: row for row in Connection.objects.without_secrets().filter(integration=integration)}
    newest_secret = WebhookSecret.objects.filter(integration=integration).defer("secret").order_by("-pk").first()
    context = {
        "sides": [side_of(integration, system, rows.get(system)) for system in System],
        "webhook": newest_secret,
    }
    return page_of(request, access, "connections/overview.html", context, integration=integration)


@organization_page("GET", "POST", act=Action.CONNECT)
def connection(request: HttpRequest, access: Access, integration_id: int, system: str) -> HttpResponseBase:
    """The form of one system. Secrets are never shown again; left empty, they stay as they are."""
    integration = integration_of(access, integration_id)
    if system not in CONNECTION_FORMS:
        raise Http404
    stored = _connection(integration, system)
    form = CONNECTION_FORMS[system](request.POST or None, connection=stored)
    if request.method == "POST" and form.is_valid():
        try:
            save_connection(integration, system, form.entered, access.actor)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, f"{System(system).label} is saved. Press Ping systems to see that it answers.")
            page = "portal:start" if request.GET.get("then") == "start" else "portal:connections"
            return redirect(page, access.organization.slug, integration.pk)
    context = {"form": form, "system": System(system), "connection": stored, "regions": BASWARE_REGIONS}
    return page_of(request, access, "connections/form.html", context, integration=integration)


@organization_page("POST", act=Action.PING)
def ping(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Try both systems. The page's script gets a line per check as it completes; without it, the page afterwards."""
    integration = integration_of(access, integration_id)
    if LINES in request.headers.get("Accept", ""):
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy must not collect the lines
        return StreamingHttpResponse(ping_lines(integration, access.actor), content_type=LINES, headers=headers)
    for _ in ping_engine.ping(integration, actor=access.actor):
        pass
    return redirect("portal:connections", access.organization.slug, integration.pk)
