"""What every answer carries beside what Django's own middleware gives."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# What a page of ours never asks the browser for; passkeys are the portal's own.
_NEVER_ASKED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid",
    "magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
_PASSKEYS = ("publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY = ", ".join(
    [*(f"{feature}=()" for feature in _NEVER_ASKED), *(f"{feature}=(self)" for feature in _PASSKEYS)]
)


LARGEST_REQUEST = 4 * 2**20
"""Of all doors. Each has its own limit below this, but the files of a form are on our disk before anybody asks."""


class AnswerHeaders:
    """Permissions-Policy on every answer; Retry-After where a library refused with 429 and did not say how long.

    No answer to who is known, by a session or a key, is kept by a cache or shown from one after logging out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _announced(request) > LARGEST_REQUEST:
            return HttpResponse("The request is too large.", status=413, content_type="text/plain")
        if _holds_what_no_database_takes(request):
            return HttpResponse("The request cannot be read.", status=400, content_type="text/plain")
        response = self._get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", str(round(settings.AXES_COOLOFF_TIME.total_seconds())))
        if settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def _announced(request: HttpRequest) -> int:
    """How long the body is; without a length there is none to be read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0


def _holds_what_no_database_takes(request: HttpRequest) -> bool:
    """A NUL in the address or in a cookie, where `\\000` stands for one: PostgreSQL takes none, whoever sent it."""
    return "\0" in request.path or any("\0" in value for value in request.COOKIES.values())
