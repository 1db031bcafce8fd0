"""API_RATE per key, or per person for sessions; 429 says in Retry-After when to come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal.rates import Rate
from tenants.scoping import Access

if TYPE_CHECKING:
    from rest_framework.views import APIView


class PerKey(BaseThrottle):
    """Counts in windows that all processes share."""

    def __init__(self) -> None:
        self._wait = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, Access):
            self._wait = Rate.parse(settings.API_RATE).exceeded(f"api:{_who(request.auth)}")
        return not self._wait

    def wait(self) -> float:
        return self._wait


def _who(access: Access) -> str:
    return f"key:{access.api_key.pk}" if access.api_key else f"user:{access.user.pk if access.user else ''}"
