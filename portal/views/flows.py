"""The flows of an integration: switch, schedule, run now."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from portal.forms.base import add_refusal
from portal.forms.flows import CRON_PRESETS, FlowForm, RunForm
from portal.templatetags.portal_ui import flow_title
from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of
from portal.views.flow_rows import flow_rows
from portal.views.schedule_words import words_of
from syncengine.engine import flow_states, runs
from syncengine.flows import registry
from syncengine.models import FlowState, RunMode, RunTrigger
from tenants.errors import Refused
from tenants.models import Integration
from tenants.permissions import Action
from tenants.scoping import Access


@organization_page("GET")
def flows(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """All flows; HTMX asks for the table alone while something runs."""
    integration = integration_of(access, integration_id)
    rows = flow_rows(integration)
    context: dict[str, Any] = {"rows": rows, "busy": any(row.health.busy for row in rows), "integration": integration}
    if request.htmx:
        return part_of(request, access, "flows/table.html", context)
    return page_of(request, access, "flows/flows.html", context, integration=integration)


@organization_page("GET", "POST", act=Action.CONFIGURE)
def flow(request: HttpRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """One flow's switch, schedules and resend field."""
    integration = integration_of(access, integration_id)
    state = _state(integration, flow)
    form = FlowForm(request.POST or None, state=state)
    if request.method == "POST" and form.is_valid():
        try:
            flow_states.apply(integration, {flow: form.patch}, access.actor)
        except Refused as refused:
            add_refusal(form, refused, within=f"flows.{flow}.")
        else:
            messages.success(request, f"{flow_title(flow)}: saved.")
            return redirect("portal:flows", access.organization.slug, integration.pk)
    context = {"form": form, "flow": registry.get(flow), "presets": CRON_PRESETS.items(), **_said(form, access)}
    return page_of(request, access, "flows/flow.html", context, integration=integration)


def _said(form: FlowForm, access: Access) -> dict[str, Any]:
    """What both schedules of the form mean, so that nothing moves when the page asks again while one types."""
    now = timezone.now().astimezone(access.organization.zone)
    return {
        "said": words_of(form["schedule"].value() or "", now),
        "full_said": words_of(form["full_schedule"].value() or "", now, full=True),
    }


@organization_page("POST", act=Action.CONFIGURE)
def toggle(request: HttpRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """Switch one flow on or off."""
    integration = integration_of(access, integration_id)
    _state(integration, flow)
    enabled = request.POST.get("enabled") == "true"
    try:
        flow_states.apply(integration, {flow: {"enabled": enabled}}, access.actor)
    except Refused as refused:
        messages.error(request, f"{flow_title(flow)} stays off. {refused.errors[0].message}")
    else:
        words = "is on" if enabled else "is off: it no longer runs by itself"
        messages.success(request, f"{flow_title(flow)} {words}.")
    return redirect("portal:flows", access.organization.slug, integration.pk)


def _state(integration: Integration, flow: str) -> FlowState:
    """The flow's state as stored or as it would be made; 404 for a flow that does not exist."""
    stored = FlowState.objects.filter(integration=integration, flow=flow)
    state = flow_states.with_defaults(integration, stored).get(flow)
    if state is None:
        raise Http404
    return state


@organization_page("GET")
def schedule_words(request: HttpRequest, access: Access) -> HttpResponseBase:
    """What a cron expression means, and its next times, as one types it."""
    full = "full_schedule" in request.GET
    expression = request.GET.get("full_schedule" if full else "schedule", "").strip()
    now = timezone.now().astimezone(access.organization.zone)
    return part_of(request, access, "flows/schedule_words.html", words_of(expression, now, full=full))


@organization_page("POST", act=Action.RUN)
def start(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Run a flow, or all of them, now. Who asks twice is shown the run that is open."""
    integration = integration_of(access, integration_id)
    form = RunForm(request.POST, integration=integration)
    if not form.is_valid():
        messages.error(request, "There is no such flow or kind of run. Choose one from the list.")
        return redirect("portal:flows", access.organization.slug, integration.pk)
    started = runs.request_runs(
        integration,
        form.cleaned_data["flow"],
        RunMode(form.cleaned_data["mode"]),
        trigger=RunTrigger.PERSON,
        actor=access.actor,
    )
    if all(run.mode == RunMode.DRY_RUN for run in started):
        if len(started) == 1:
            return redirect("portal:plan", access.organization.slug, started[0].pk)
        return redirect("portal:what-if", access.organization.slug, integration.pk)
    if len(started) == 1:
        return redirect("portal:run", access.organization.slug, started[0].pk)
    messages.success(request, f"{len(started)} runs are on their way, one after another.")
    return redirect("portal:runs", access.organization.slug, integration.pk)
