"""`/healthz/` for load balancers and people (interface.md, "Health")."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.version import VERSION
from syncengine.engine.health import site_health


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 also when degraded: workers that are away must not take the web down; 503 when the database is gone."""
    state = site_health(timezone.now())
    return JsonResponse(
        {**state, "version": VERSION},
        status=200 if state["database"]["ok"] else 503,
        headers={"Cache-Control": "no-store"},
    )
