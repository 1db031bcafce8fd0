"""The organization as a whole: its settings, who may come in and how, handing it over, leaving it, ending it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal import organizations, people
from portal.forms.base import add_refusal
from portal.forms.security import DeleteOrganizationForm, IdentityProviderForm, OfferForm, OrganizationSettingsForm
from portal.oidc import redirect_uri
from portal.second_factor import has_one
from portal.views.access import organization_page, page_of
from tenants.errors import Refused
from tenants.models import IdentityProvider, Membership
from tenants.permissions import Action
from tenants.scoping import Access


def _provider(access: Access) -> IdentityProvider | None:
    return IdentityProvider.objects.without_secrets().filter(organization=access.organization).first()


def _own(access: Access) -> Membership:
    return Membership.objects.of(access.organization).select_related("user", "organization").get(user=access.user)


def _back(access: Access) -> HttpResponse:
    return redirect("portal:organization-settings", access.organization.slug)


def _try(request: HttpRequest, access: Access, deed: Callable[[], object], done: str) -> HttpResponse:
    """Do it, and say so, or say why not."""
    try:
        deed()
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
    else:
        messages.success(request, done)
    return _back(access)


@organization_page("GET", "POST", act=Action.CONFIGURE)
def organization_settings(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Name and time zone; who may come in and how; handing over, leaving, deleting."""
    form = OrganizationSettingsForm(request.POST or None, access.organization)
    if request.method == "POST" and form.is_valid():
        organizations.rename(access, form.cleaned_data["name"], form.cleaned_data["time_zone"])
        messages.success(request, "The settings of the organization are saved.")
        return _back(access)
    return page_of(request, access, "organization/settings.html", {"form": form, **_context(access)})


def _context(access: Access) -> dict[str, Any]:
    offer = organizations.open_offer(access.organization)
    return {
        "provider": _provider(access),
        "offer": offer,
        "offered_to_me": offer is not None and offer.offered_to.user == access.user,
        "offer_form": OfferForm(None, access.organization),
        "is_owner": access.may(Action.MANAGE_OWNERS),
        "has_second_factor": access.user is not None and has_one(access.user),
    }


@organization_page("POST", act=Action.MANAGE_SIGN_IN)
def second_factor(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Ask everybody for a second factor, or nobody."""
    wanted = request.POST.get("wanted") == "true"
    organizations.ask_for_second_factor(access, wanted)
    after = "Members set up a second factor when they next log in." if wanted else "A second factor is no longer asked."
    messages.success(request, after)
    return _back(access)


@organization_page("GET", "POST", view=Action.MANAGE_SIGN_IN, act=Action.MANAGE_SIGN_IN)
def sign_in(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The organization's own identity provider."""
    provider = _provider(access)
    form = IdentityProviderForm(request.POST or None, provider)
    if request.method == "POST" and form.is_valid():
        try:
            organizations.save_provider(access, form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, "The sign-in is saved. Try it in a private window before you require it.")
            return redirect("portal:organization-sign-in", access.organization.slug)
    context = {"form": form, "provider": provider, "redirect_uri": redirect_uri()}
    return page_of(request, access, "organization/sign_in.html", context)


@organization_page("POST", act=Action.MANAGE_SIGN_IN)
def remove_sign_in(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Back to passwords."""
    organizations.remove_provider(access)
    messages.success(request, "The sign-in is removed: members log in with their own passwords.")
    return _back(access)


@organization_page("POST", act=Action.MANAGE_OWNERS)
def offer(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Ask a member to become the owner in one's place."""
    form = OfferForm(request.POST, access.organization)
    if not form.is_valid():
        messages.error(request, "Choose a member who is not an owner yet.")
        return _back(access)
    chosen = form.cleaned_data["member"]
    done = f"{chosen.user.email} is asked. Nothing changes before they accept."
    return _try(request, access, lambda: organizations.offer_ownership(access, _own(access), chosen), done)


@organization_page("POST", act=Action.MANAGE_OWNERS)
def withdraw_offer(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Take the offer back."""
    return _try(request, access, lambda: organizations.withdraw_offer(access), "The offer is withdrawn.")


@organization_page("POST", act=Action.TAKE_OVER)
def accept_offer(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Become the owner; only whom it was offered to can."""
    done = f"You own {access.organization.name} now."
    return _try(request, access, lambda: organizations.accept_ownership(access), done)


@organization_page("POST")
def decline_offer(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Stay what one is."""
    return _try(request, access, lambda: organizations.decline_ownership(access), "You declined.")


@organization_page("POST")
def leave(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Go; the last owner hands over or deletes instead."""
    try:
        people.leave(access, _own(access))
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
        return _back(access)
    messages.success(request, f"You left {access.organization.name}.")
    return redirect("portal:landing")


@organization_page("GET", "POST", view=Action.DELETE_ORGANIZATION, act=Action.DELETE_ORGANIZATION)
def delete(request: HttpRequest, access: Access) -> HttpResponseBase:
    """What will be gone, what stays, and the name to type."""
    waiting = organizations.invoices_open(access.organization)
    form = DeleteOrganizationForm(request.POST or None, waiting)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        despite = data.get("despite_open_invoices", False)
        try:
            organizations.delete(access, data["typed_name"], despite_open_invoices=despite)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, f"{access.organization.name} is deleted.")
            return redirect("portal:landing")
    return page_of(request, access, "organization/delete.html", {"form": form, "invoices_open": waiting})
