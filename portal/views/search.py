"""Where is my invoice? One box on every page, over all integrations of the organization."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.views.access import organization_page, page_of, part_of
from syncengine.engine.search import LONGEST, best, cleaned
from syncengine.models import Record
from tenants.models import Integration
from tenants.scoping import Access

SUGGESTED, FOUND = 8, 50
SHORTEST = 2
COLUMNS = (
    "flow",
    "key",
    "title",
    "reference",
    "party",
    "status",
    "stage",
    "amount",
    "currency",
    "updated_at",
    "integration__name",
)


@organization_page("GET")
def search(request: HttpRequest, access: Access) -> HttpResponseBase:
    """What was found; a single find opens at once."""
    found = _found(request, access, FOUND)
    if len(found["records"]) == 1:
        return redirect("portal:record", access.organization.slug, found["records"][0].pk)
    return page_of(request, access, "search/search.html", {**found, "cut": len(found["records"]) == FOUND})


@organization_page("GET")
def suggestions(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The first few, shown under the box while one types."""
    return part_of(request, access, "search/suggestions.html", _found(request, access, SUGGESTED))


def _found(request: HttpRequest, access: Access, count: int) -> dict[str, Any]:
    asked = cleaned(request.GET.get("q", ""))[:LONGEST]
    integrations = list(Integration.objects.of(access.organization).order_by("pk"))
    shown = access.of(Record).select_related("integration").only(*COLUMNS)
    records = best(integrations, asked, count, shown) if len(asked) >= SHORTEST else []
    return {"asked": asked, "records": records, "several": len(integrations) > 1, "too_short": len(asked) < SHORTEST}
