"""Finding records: filters in the URL, pages by key, and replaying many at once."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.forms.filters import RecordFilterForm
from portal.views.access import integration_of, organization_page, page_of
from portal.views.keyset import keyset_page
from syncengine.engine import bulk_replays, replay
from syncengine.engine.runs import ActionRefused
from syncengine.models import Record, RecordStatus
from tenants.models import Integration
from tenants.permissions import Action
from tenants.scoping import Access

LIST_COLUMNS = (
    "flow",
    "key",
    "title",
    "status",
    "stage",
    "flags",
    "amount",
    "currency",
    "error_code",
    "error_message",
    "updated_at",
)


@organization_page("GET")
def records(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    integration = integration_of(access, integration_id)
    filters = RecordFilterForm(request.GET)
    rows = filters.narrow(Record.objects.filter(integration=integration).only(*LIST_COLUMNS))
    context = {"page": keyset_page(rows, request.GET), "filters": filters}
    return page_of(request, access, "records/list.html", context, integration=integration)


@organization_page("POST", act=Action.REPLAY)
def replay_many(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """First post: how many it would be. Second post, with `confirmed`: replay them as one act."""
    integration = integration_of(access, integration_id)
    chosen = _chosen(integration, request.POST)
    if "confirmed" not in request.POST:
        context = {
            "count": chosen.count(),
            "sample": chosen.only(*LIST_COLUMNS).order_by("-pk")[:10],
            "posted": [(name, value) for name, values in request.POST.lists() for value in values if name in KEPT],
        }
        return page_of(request, access, "records/replay_many.html", context, integration=integration)
    try:
        count = bulk_replays.replay_many(chosen, access.actor, request.POST.get("reason", ""))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"{count} records are on their way again.")
    return redirect("portal:records", access.organization.slug, integration.pk)


REPLAYABLE = (RecordStatus.FAILED, RecordStatus.WAITING, RecordStatus.DONE)
KEPT = ("record", "all_failed", "flow", "error_code", "stage", "search")


def _chosen(integration: Integration, posted: QueryDict) -> QuerySet[Record]:
    """The ticked records that can be replayed, or all failed ones that the filters show."""
    rows = Record.objects.filter(integration=integration, status__in=REPLAYABLE)
    if "all_failed" in posted:
        return RecordFilterForm(posted).narrow(rows).filter(status=RecordStatus.FAILED)
    ticked = [int(value) for value in posted.getlist("record") if value.isascii() and value.isdigit()]
    return rows.filter(pk__in=ticked)
