"""Who belongs to the organization, with what role; inviting people and joining."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from portal import people
from portal.accounts import INVITATION
from portal.forms.base import add_refusal
from portal.forms.organizations import InviteForm, RoleForm
from portal.second_factor import FACTORS
from portal.views.access import organization_page, page_of
from tenants import services
from tenants.errors import Refused
from tenants.models import Invitation, Membership, Role
from tenants.permissions import Action
from tenants.scoping import Access


@organization_page("GET")
def members(request: HttpRequest, access: Access) -> HttpResponseBase:
    return _members_page(request, access, InviteForm())


def _members_page(request: HttpRequest, access: Access, form: InviteForm, status: int = 200) -> HttpResponseBase:
    context = {
        "form": form,
        "roles": Role.choices,
        "memberships": _with_second_factor(access),
        "invitations": Invitation.objects.of(access.organization).filter(accepted_at=None).order_by("email"),
        "now": timezone.now(),
    }
    return page_of(request, access, "members/members.html", context, status=status)


def _with_second_factor(access: Access) -> models.QuerySet[Membership]:
    """Everybody, and whether a second factor guards their log-in."""
    factors = Authenticator.objects.filter(user=models.OuterRef("user"), type__in=FACTORS)
    rows = Membership.objects.of(access.organization).annotate(has_second_factor=models.Exists(factors))
    return rows.select_related("user").order_by("user__email")


@organization_page("POST", act=Action.MANAGE_MEMBERS)
def invite(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Send an invitation by e-mail."""
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            people.invite(access, form.cleaned_data["email"], Role(form.cleaned_data["role"]))
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, f"The invitation to {form.cleaned_data['email']} is on its way.")
            return redirect("portal:members", access.organization.slug)
    return _members_page(request, access, form, status=400)


@organization_page("POST", act=Action.MANAGE_MEMBERS)
def change_role(request: HttpRequest, access: Access, membership_id: int) -> HttpResponseBase:
    """Give a member another role; only owners make or unmake owners."""
    membership = _membership(access, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such role. Choose one from the list.")
        return redirect("portal:members", access.organization.slug)
    role = Role(form.cleaned_data["role"])
    done = f"{membership.user.email} is {role.label.lower()} now."
    _do(request, lambda: people.change_role(access, membership, role), done)
    return redirect("portal:members", access.organization.slug)


@organization_page("POST", act=Action.MANAGE_MEMBERS)
def remove(request: HttpRequest, access: Access, membership_id: int) -> HttpResponseBase:
    """Take somebody out of the organization."""
    membership = _membership(access, membership_id)
    done = f"{membership.user.email} no longer belongs to {access.organization.name}."
    _do(request, lambda: people.remove_member(access, membership), done)
    return redirect("portal:members", access.organization.slug)


def _do(request: HttpRequest, deed: Callable[[], object], done: str) -> None:
    """Say that it is done, or why not; 403 for what the role does not allow."""
    try:
        deed()
    except people.NotAllowed as refused:
        raise PermissionDenied(str(refused)) from refused
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
    else:
        messages.success(request, done)


def _membership(access: Access, membership_id: int) -> Membership:
    rows = Membership.objects.of(access.organization).select_related("user", "organization")
    return get_object_or_404(rows, pk=membership_id)


def _invitation(access: Access, invitation_id: int) -> Invitation:
    waiting = Invitation.objects.of(access.organization).filter(accepted_at=None)
    return get_object_or_404(waiting.select_related("organization"), pk=invitation_id)


@organization_page("POST", act=Action.MANAGE_MEMBERS)
def resend(request: HttpRequest, access: Access, invitation_id: int) -> HttpResponseBase:
    """Send an invitation again, with a new link."""
    found = _invitation(access, invitation_id)
    people.resend_invitation(access, found)
    messages.success(request, f"A new invitation to {found.email} is on its way; the link before it ended.")
    return redirect("portal:members", access.organization.slug)


@organization_page("POST", act=Action.MANAGE_MEMBERS)
def withdraw(request: HttpRequest, access: Access, invitation_id: int) -> HttpResponseBase:
    """Make the invitation's link lead nowhere."""
    found = _invitation(access, invitation_id)
    people.withdraw_invitation(access, found)
    messages.success(request, f"The invitation to {found.email} is withdrawn.")
    return redirect("portal:members", access.organization.slug)


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Where the e-mail's link leads: sign up or log in first if need be, then join with one click."""
    found = services.open_invitation(token, timezone.now())
    if found is None:
        raise Http404
    if request.method != "POST":
        return render(request, "members/invitation.html", {"invitation": found})
    if not request.user.is_authenticated:
        return _sign_up_first(request, token)
    try:
        membership = people.accept_invitation(token, request.user)
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
        return redirect(request.path)
    messages.success(request, f"Welcome to {membership.organization.name}.")
    return redirect("portal:organization", membership.organization.slug)


def _sign_up_first(request: HttpRequest, token: str) -> HttpResponseBase:
    """The session carries the invitation, which opens the sign-up where SIGNUP is `invite`."""
    request.session[INVITATION] = token
    page = "account_login" if request.POST.get("has_account") else "account_signup"
    return redirect(f"{reverse(page)}?{urlencode({'next': request.path})}")
