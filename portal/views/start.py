"""The guided start: from two systems that do not know each other to the first posted invoice, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of
from syncengine.engine import integrations, ping, sandboxes, start
from syncengine.engine.connections import NotConfigured
from syncengine.engine.runs import ActionRefused
from syncengine.engine.start import Progress, Step, StepState
from tenants.errors import Refused
from tenants.models import Integration, Organization
from tenants.permissions import Action
from tenants.scoping import Access

SANDBOX_NAME = "Sandbox"
WORDS = {
    StepState.DONE: ("ok", "Done"),
    StepState.NEXT: ("info", "Next"),
    StepState.WORKING: ("info", "Under way"),
    StepState.BLOCKED: ("quiet", "Waits"),
}
TITLES = {
    "sap_b1": "Connect SAP Business One",
    "basware": "Connect Basware P2P",
    "ping": "Ping both systems",
    "mapping": "Check the mapping on real records",
    "dry_run": "Dry run",
    "schedule": "Choose schedules",
    "live": "Go live",
}

Deed = Callable[[Integration, Access], None]


@organization_page("GET")
def first_steps(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The whole way; HTMX asks for the steps alone while something goes on by itself."""
    integration = integration_of(access, integration_id)
    context = _shown(start.progress(integration))
    if request.htmx:
        return part_of(request, access, "start/steps.html", context)
    return page_of(request, access, "start/start.html", context, integration=integration)


def _words(step: Step) -> tuple[str, str]:
    """What is done and has a fault since is not simply done."""
    return ("warn", "Needs attention") if step.state is StepState.DONE and step.remark else WORDS[step.state]


def _shown(at: Progress) -> dict[str, Any]:
    steps = [
        {
            "number": number,
            "step": step,
            "title": TITLES[step.name],
            "tone": _words(step)[0],
            "word": _words(step)[1],
            "blocked_by": TITLES[step.blocked_by] if step.blocked_by else "",
        }
        for number, step in enumerate(at.steps, start=1)
    ]
    done = sum(step.state is StepState.DONE for step in at.steps)
    return {
        "integration": at.integration,
        "progress": at,
        "steps": steps,
        "done": done,
        "presets": start.PRESETS.values(),
        "sandbox_offered": settings.SANDBOX and not at.sandbox and not at.connections and not at.is_live,
        "first_posted": start.first_posted(at.integration) if at.is_live else None,
    }


def _step(act: Action, deed: Deed) -> Callable[..., HttpResponseBase]:
    """A button of one step: do it, and show the steps again. What is refused is said on top of them."""

    @organization_page("POST", act=act)
    def view(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
        integration = integration_of(access, integration_id)
        try:
            deed(integration, access)
        except ActionRefused as refused:
            messages.error(request, refused.message)
        except NotConfigured as missing:
            messages.error(request, str(missing))
        if request.htmx:
            return part_of(request, access, "start/steps.html", _shown(start.progress(integration)))
        return redirect("portal:start", access.organization.slug, integration.pk)

    return view


def _ping(integration: Integration, access: Access) -> None:
    for _ in ping.ping(integration, actor=access.actor):
        pass


def _ask(integration: Integration, access: Access) -> None:
    sandboxes.ask_for(integration, access.actor)


def _check(integration: Integration, access: Access) -> None:
    start.check_mapping(integration, access.actor)


def _accept(integration: Integration, access: Access) -> None:
    start.accept_mapping(integration, access.actor)


def _rehearse(integration: Integration, access: Access) -> None:
    start.rehearse(integration, access.actor)


def _go_live(integration: Integration, access: Access) -> None:
    start.go_live(integration, access.actor)


use_sandbox = _step(Action.CONNECT, _ask)
ping_both = _step(Action.PING, _ping)
check_mapping = _step(Action.PREVIEW_MAPPING, _check)
accept_mapping = _step(Action.EDIT_MAPPING, _accept)
rehearse = _step(Action.RUN, _rehearse)
go_live = _step(Action.CONFIGURE, _go_live)


@organization_page("POST", act=Action.CONFIGURE)
def choose_schedule(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """One of the presets; each flow's own page has the rest."""
    integration = integration_of(access, integration_id)
    preset = request.POST.get("preset", "")
    if preset in start.PRESETS:
        start.choose_schedule(integration, preset, access.actor)
    else:
        messages.error(request, "Choose one of the schedules.")
    if request.htmx:
        return part_of(request, access, "start/steps.html", _shown(start.progress(integration)))
    return redirect("portal:start", access.organization.slug, integration.pk)


@organization_page("GET", "POST", view=Action.CONNECT, act=Action.CONNECT)
def leave_sandbox(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """On to the real systems: what goes and what stays is said first, and asked."""
    integration = integration_of(access, integration_id)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        try:
            sandboxes.leave(integration, access.actor)
        except ActionRefused as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, "The sandbox is left, and what was tried out is gone. Connect your own systems.")
            return redirect("portal:start", access.organization.slug, integration.pk)
    elif request.method == "POST":
        messages.error(request, "Say first that what was tried out may be removed.")
    status = 409 if request.method == "POST" else 200
    return page_of(request, access, "start/leave.html", {}, integration=integration, status=status)


@organization_page("POST", act=Action.CONFIGURE)
def look_around(request: HttpRequest, access: Access) -> HttpResponseBase:
    """A first integration in the sandbox, made and connected by one button: a look without any account."""
    name = _free_name(access.organization)
    try:
        with transaction.atomic():  # without a sandbox there shall be no integration either
            integration = integrations.create(access.organization, access.actor, {"name": name})
            sandboxes.ask_for(integration, access.actor)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("portal:organization", access.organization.slug)
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
        return redirect("portal:organization", access.organization.slug)
    return redirect("portal:start", access.organization.slug, integration.pk)


def _free_name(organization: Organization) -> str:
    taken = set(Integration.objects.of(organization).values_list("name", flat=True))
    names = (SANDBOX_NAME, *(f"{SANDBOX_NAME} {number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
