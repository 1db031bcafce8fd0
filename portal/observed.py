"""One line of log and one span for each request, and its id in the answer: what ties a complaint to what happened."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from syncengine import tracing

log = structlog.get_logger(__name__)

# Asked every few seconds by machines.
_QUIET = frozenset({"healthz/", "metrics"})


class Observed:
    """Stands within django-structlog's middleware, which names the request.

    The route is told, never the address: those of webhooks, invitations and password resets are secrets.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.monotonic()
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        with tracing.span(str(request.method), request_id=request_id) as span:
            response = self._get_response(request)
            route = request.resolver_match.route if request.resolver_match else ""
            if span is not None:
                span.update_name(f"{request.method} /{route}")
                span.set_attribute("http.response.status_code", response.status_code)
            tell = log.debug if route in _QUIET else log.info
            milliseconds = round((time.monotonic() - began) * 1000)
            tell("request", method=request.method, route=f"/{route}", status=response.status_code, ms=milliseconds)
        response.headers["X-Request-Id"] = request_id
        return response
