"""Signing in at one's organization: finding it, going there, coming back; and the way to a second factor."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import oidc, session_scope, single_sign_on
from portal.addresses import client_address
from portal.forms.security import FindOrganizationForm
from portal.rates import Rate
from portal.second_factor import has_one
from portal.views.access import PageRequest
from tenants.models import IdentityProvider, Organization

STARTED = "sign_in_started"


def _provider(**which: Any) -> IdentityProvider | None:
    return IdentityProvider.objects.without_secrets().filter(**which).select_related("organization").first()


def _limited(request: HttpRequest) -> HttpResponse | None:
    """429 for an address that tries too often: each try makes us call somebody."""
    wait = Rate.parse(settings.LOGIN_RATE).exceeded(f"sign-in:{client_address(request)}")
    if not wait:
        return None
    answer = render(request, "429.html", status=429)
    answer["Retry-After"] = str(wait)
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """The short name of one's organization, which stands in the address of its pages."""
    form = FindOrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if limited := _limited(request):
            return limited
        slug = form.cleaned_data["organization"]
        if _provider(organization__slug=slug):
            return redirect("portal:sign-in", slug)
        form.add_error("organization", "No organization of this short name signs in here.")
    return render(request, "sign_in/find.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest, slug: str) -> HttpResponse:
    """A button, and behind it a page that sends the browser to the identity provider.

    No redirect: the policy lets forms lead nowhere but here, and browsers apply it to where a form is redirected.
    """
    provider = _provider(organization__slug=slug)
    if provider is None:
        raise Http404
    context = {"slug": slug, "provider": provider, "next": _safe(request, request.GET.get("next"))}
    if request.method != "POST":
        return render(request, "sign_in/start.html", context)
    if limited := _limited(request):
        return limited
    afresh = session_scope.scope_of(request) is not None
    started = oidc.start(provider.organization_id, _safe(request, request.POST.get("next")), afresh=afresh)
    try:
        context["url"] = oidc.authorization_url(provider, started)
    except oidc.SignInFailed as failed:
        return _failed(request, slug, failed)
    request.session[STARTED] = started.as_session()
    return render(request, "sign_in/leaving.html", context)


def _safe(request: HttpRequest, page: str | None) -> str:
    """A page of ours to go on to, or ""."""
    ours = url_has_allowed_host_and_scheme(page or "", {request.get_host()}, require_https=request.is_secure())
    return page if page and ours else ""


@require_safe
@never_cache
def answer(request: HttpRequest) -> HttpResponse:
    """The browser comes back with a code. It counts only in the session that went, and once."""
    started = _started(request)
    provider = _provider(organization=started.organization) if started else None
    if started is None or provider is None:
        return _failed(request, "", oidc.SignInFailed("This sign-in was not started here, or it is over: try again."))
    slug = provider.organization.slug
    code = request.GET.get("code", "")
    if not code:
        return _failed(request, slug, oidc.SignInFailed("The identity provider let nobody in."))
    try:
        person = oidc.person_of(provider, started, code)
        membership = single_sign_on.admit(provider, person)
    except oidc.SignInFailed as failed:
        return _failed(request, slug, failed)
    single_sign_on.log_in(request, membership)
    return redirect(started.next or reverse("portal:organization", args=[slug]))


def _started(request: HttpRequest) -> oidc.Started | None:
    kept = request.session.pop(STARTED, None)
    state = request.GET.get("state", "")
    if kept is None or not secrets.compare_digest(kept["state"].encode(), state.encode()):
        return None
    return oidc.Started(**kept)


def _failed(request: HttpRequest, slug: str, failed: oidc.SignInFailed) -> HttpResponse:
    single_sign_on.log.warning("sign_in_failed", organization=slug, reason=str(failed))
    return render(request, "sign_in/failed.html", {"slug": slug, "reason": str(failed)}, status=403)


@require_safe
@login_required
def again(request: HttpRequest) -> HttpResponse:
    """Show who one is without a password: at the organization's provider, or by logging in anew."""
    scope = session_scope.scope_of(request)
    page = _safe(request, request.GET.get("next"))
    slug = Organization.objects.filter(pk=scope).values_list("slug", flat=True).first() if scope else None
    return render(request, "sign_in/again.html", {"slug": slug, "next": page})


@require_safe
@login_required
def second_factor(request: PageRequest) -> HttpResponse:
    """Why a second factor is asked for, and the ways to one."""
    if has_one(request.user):
        return redirect("portal:landing")
    return render(request, "mfa/needed.html")


@require_POST
@login_required
def end_session(request: PageRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions, wherever it is."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    session.end()
    messages.success(request, "That session is ended: whoever uses it has to log in again.")
    return redirect("usersessions_list")
