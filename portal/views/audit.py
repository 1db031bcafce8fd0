"""Who did what, when."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal.forms.filters import AuditFilterForm
from portal.views.access import organization_page, page_of
from portal.views.keyset import keyset_page
from syncengine.models import AuditEvent
from tenants.scoping import Access


@organization_page("GET")
def audit(request: HttpRequest, access: Access) -> HttpResponseBase:
    filters = AuditFilterForm(request.GET)
    events = AuditEvent.objects.of(access.organization).select_related("record", "integration")
    events = events.only(
        "actor", "action", "message", "created_at", "run", "record__flow", "record__key", "record__title",
        "integration__name",
    )  # fmt: skip
    context = {"page": keyset_page(filters.narrow(events, access.organization), request.GET), "filters": filters}
    return page_of(request, access, "audit/list.html", context)
