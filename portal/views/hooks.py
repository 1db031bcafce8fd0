"""Outgoing webhooks: who is told of what, the secret, and the log of each message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from portal.forms.base import add_refusal
from portal.forms.hooks import HookForm
from portal.views.access import organization_page, page_of
from portal.views.keyset import keyset_page
from portal.views.payloads import pretty
from syncengine.connectors import jsonio
from syncengine.hooks import service
from syncengine.hooks.signing import PREFIX
from syncengine.models import DeliveryState, Hook, HookDelivery
from tenants.errors import Refused
from tenants.permissions import Action
from tenants.scoping import Access

STATES = {
    DeliveryState.WAITING: ("info", "Waiting"),
    DeliveryState.SENDING: ("info", "On its way"),
    DeliveryState.SENT: ("ok", "Taken"),
    DeliveryState.FAILED: ("bad", "Given up"),
}


@organization_page("GET", "POST", act=Action.MANAGE_HOOKS)
def hooks(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The list; a POST makes one, and its page shows the secret."""
    form = HookForm(request.POST or None, organization=access.organization)
    if request.method == "POST" and form.is_valid():
        try:
            made = service.create(access.organization, form.cleaned_data, access.actor)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return _page(request, access, made, secret=made.secret["value"])
    rows = Hook.objects.of(access.organization).defer("secret").select_related("integration").order_by("-pk")
    context = {"hooks": [(hook, *_state_of(hook)) for hook in rows], "form": form}
    return page_of(request, access, "hooks/list.html", context, status=400 if form.errors else 200)


@organization_page("GET", "POST", act=Action.MANAGE_HOOKS)
def hook(request: HttpRequest, access: Access, hook_id: int) -> HttpResponseBase:
    """One of them with its log; a POST changes it."""
    found = _hook_of(access, hook_id)
    if request.method != "POST":
        return _page(request, access, found)
    form = HookForm(request.POST, organization=access.organization)
    if form.is_valid():
        try:
            service.change(found, form.cleaned_data, access.actor)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, "Saved.")
            return redirect("portal:hook", access.organization.slug, found.pk)
    return _page(request, access, found, form=form)


@organization_page("POST", act=Action.MANAGE_HOOKS)
def secret(request: HttpRequest, access: Access, hook_id: int) -> HttpResponseBase:
    """Show the secret in force; the trail keeps who looked."""
    return _with_secret(request, access, hook_id, service.show_secret)


@organization_page("POST", act=Action.MANAGE_HOOKS)
def rotate(request: HttpRequest, access: Access, hook_id: int) -> HttpResponseBase:
    """Another secret, shown at once; the one before signs for a day too."""
    return _with_secret(request, access, hook_id, lambda one, actor: service.rotate(one, actor).secret["value"])


@organization_page("POST", act=Action.MANAGE_HOOKS)
def test(request: HttpRequest, access: Access, hook_id: int) -> HttpResponseBase:
    """Send a test message; the log tells how it went."""
    found = _hook_of(access, hook_id)
    try:
        service.test(found, access.actor)
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
    else:
        messages.success(request, "A test is on its way: the log below tells how it went.")
    return redirect("portal:hook", access.organization.slug, found.pk)


@organization_page("POST", act=Action.MANAGE_HOOKS)
def remove(request: HttpRequest, access: Access, hook_id: int) -> HttpResponseBase:
    """Forget it with its log."""
    found = _hook_of(access, hook_id)
    service.remove(found, access.actor)
    messages.success(request, f"{found.name} is told nothing more.")
    return redirect("portal:hooks", access.organization.slug)


@organization_page("GET")
def delivery(request: HttpRequest, access: Access, delivery_id: int) -> HttpResponseBase:
    """One message: what was sent, what came back."""
    found = _delivery_of(access, delivery_id)
    tone, word = STATES[DeliveryState(found.state)]
    context = {"delivery": found, "tone": tone, "word": word, "body": pretty(jsonio.loads(found.body))}
    return page_of(request, access, "hooks/delivery.html", context)


@organization_page("POST", act=Action.REPLAY)
def replay(request: HttpRequest, access: Access, delivery_id: int) -> HttpResponseBase:
    """Send the same message once more."""
    found = _delivery_of(access, delivery_id)
    try:
        again = service.replay(found, access.actor)
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
        return redirect("portal:hook-delivery", access.organization.slug, found.pk)
    messages.success(request, "It is sent once more, under the id that it had.")
    return redirect("portal:hook-delivery", access.organization.slug, again.pk)


def _with_secret(
    request: HttpRequest, access: Access, hook_id: int, deed: Callable[[Hook, str], str]
) -> HttpResponseBase:
    """The page with the secret that the deed gives, or with why it gives none."""
    try:
        secret = deed(_hook_of(access, hook_id), access.actor)
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
        return redirect("portal:hook", access.organization.slug, hook_id)
    return _page(request, access, _hook_of(access, hook_id), secret=secret)


def _hook_of(access: Access, hook_id: int) -> Hook:
    found = get_object_or_404(
        Hook.objects.of(access.organization).defer("secret").select_related("integration"), pk=hook_id
    )
    found.organization = access.organization
    return found


def _delivery_of(access: Access, delivery_id: int) -> HookDelivery:
    rows = HookDelivery.objects.of(access.organization).select_related("hook__organization").defer("hook__secret")
    return get_object_or_404(rows, pk=delivery_id)


def _page(
    request: HttpRequest, access: Access, found: Hook, *, form: HookForm | None = None, secret: str = ""
) -> HttpResponseBase:
    rows = HookDelivery.objects.of(access.organization).filter(hook=found)
    page = keyset_page(rows.defer("body", "request_headers", "response_headers", "response_body"), request.GET)
    tone, word = _state_of(found)
    context: dict[str, Any] = {
        "hook": found,
        "tone": tone,
        "word": word,
        "form": form or HookForm(organization=access.organization, hook=found),
        "secret": secret,
        "prefix": PREFIX,
        "page": page,
        "deliveries": [(row, *STATES[DeliveryState(row.state)]) for row in page.rows],
    }
    response = page_of(request, access, "hooks/hook.html", context, status=400 if form and form.errors else 200)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


def _state_of(found: Hook) -> tuple[str, str]:
    if found.stopped_at:
        return "bad", "Stopped"
    if not found.enabled:
        return "quiet", "Off"
    return ("warn", "Failing") if found.failing_since else ("ok", "On")
