"""Dark or light: the system's choice, or what a person chose in this browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

AUTO = "auto"
THEMES = {AUTO: "Auto", "light": "Light", "dark": "Dark"}
COOKIE = "theme"
A_YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest | None) -> str:
    """What the browser's cookie says; the system's choice where it says nothing that is known."""
    chosen = request.COOKIES.get(COOKIE, AUTO) if request else AUTO
    return chosen if chosen in THEMES else AUTO


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the choice in this browser and go back to where it was made."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("There is no such theme.", content_type="text/plain")
    response = redirect(way_back(request))
    if chosen == AUTO:
        response.delete_cookie(COOKIE, samesite="Lax")
    else:
        response.set_cookie(COOKIE, chosen, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure())
    return response


def way_back(request: HttpRequest) -> str:
    """A page of ours, whoever wrote the form."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else "/"
