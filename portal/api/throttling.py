"""API_RATE per key, or per person for sessions; 429 says in Retry-After when to come again.

Every answer says how the caller stands: RateLimit-Limit, RateLimit-Remaining, and RateLimit-Reset in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal.rates import Rate, Standing
from tenants.scoping import Access

if TYPE_CHECKING:
    from portal.api.base import ScopedView


class PerKey(BaseThrottle):
    """Counts in windows that all processes share."""

    standing: Standing | None = None

    def allow_request(self, request: Request, view: ScopedView) -> bool:  # type: ignore[override]  # every view is one
        if isinstance(request.auth, Access):
            self.standing = view.standing = Rate.parse(settings.API_RATE).counted(f"api:{_who(request.auth)}")
        return self.standing is None or not self.standing.wait

    def wait(self) -> float | None:
        return self.standing.wait if self.standing else None


def headers_of(standing: Standing) -> dict[str, str]:
    """What an answer tells a caller."""
    return {
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Remaining": str(max(0, standing.left)),
        "RateLimit-Reset": str(standing.resets),
    }


def _who(access: Access) -> str:
    return f"key:{access.api_key.pk}" if access.api_key else f"user:{access.user.pk if access.user else ''}"
