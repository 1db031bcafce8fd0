"""Whose request it is: the client's address, seen through as many proxies as the operator says there are."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

FORWARDED = "X-Forwarded-For"


def client_address(request: HttpRequest) -> str:
    """The address that the outermost trusted proxy saw; what lies before it in the header anyone can write."""
    hops = [hop.strip() for hop in request.headers.get(FORWARDED, "").split(",") if hop.strip()]
    peer = str(request.META.get("REMOTE_ADDR", ""))
    trusted: int = settings.TRUSTED_PROXIES
    if not trusted or not hops:
        return peer
    return hops[-min(trusted, len(hops))]
