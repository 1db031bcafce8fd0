"""Choosing the language of the pages, and the clock of the times on them."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.forms.preferences import PreferencesForm
from portal.session_scope import scope_of
from portal.views.access import PageRequest
from portal.views.theme import way_back


@require_POST
def choose(request: PageRequest) -> HttpResponse:
    """Remember the language with the person and in this browser, and go back to where it was chosen."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest("There is no such language.", content_type="text/plain")
    if request.user.is_authenticated and scope_of(request) is None:
        request.user.language = language
        request.user.save(update_fields=["language"])
    return _remembered(redirect(way_back(request)), language)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: PageRequest) -> HttpResponse:
    """The language and the time zone of one's own pages, wherever one is logged in."""
    form = PreferencesForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        form.store(request.user)
        messages.success(request, "Your choices are saved.")
        return _remembered(redirect("portal:preferences"), form.cleaned_data["language"])
    return render(request, "account/preferences.html", {"form": form}, status=400 if form.errors else 200)


def _remembered(response: HttpResponse, language: str) -> HttpResponse:
    """The cookie that Django reads for people who are not logged in."""
    name = settings.LANGUAGE_COOKIE_NAME
    if not language:
        response.delete_cookie(name, samesite="Lax")
        return response
    secure = settings.LANGUAGE_COOKIE_SECURE
    response.set_cookie(
        name, language, max_age=settings.LANGUAGE_COOKIE_AGE, secure=secure, httponly=True, samesite="Lax"
    )
    return response
