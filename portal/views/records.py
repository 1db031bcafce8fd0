"""Finding records: filters in the URL, pages by key, and replaying many at once."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.forms.filters import RecordFilterForm
from portal.forms.records import BulkReplayForm
from portal.forms.views import SavedViewForm
from portal.views.access import integration_of, organization_page, page_of
from portal.views.keyset import keyset_page
from portal.views.record_views import views_for
from syncengine.engine import bulk_replays
from syncengine.engine.causes import words_of_cause
from syncengine.engine.replay import MappingOf
from syncengine.engine.search import Found
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
    "found_by",
    "updated_at",
)


@organization_page("GET")
def records(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    integration = integration_of(access, integration_id)
    filters = RecordFilterForm(request.GET)
    rows = filters.exactly(Record.objects.filter(integration=integration).only(*LIST_COLUMNS))
    found = cast("QuerySet[Record]", Found(integration, rows, filters.text))
    context = {
        "page": keyset_page(found, request.GET),
        "filters": filters,
        "views": views_for(access, filters.chosen),
        "view_form": SavedViewForm(),
        "cause": words_of_cause(filters.chosen.get("cause", "")),
    }
    return page_of(request, access, "records/list.html", context, integration=integration)


@organization_page("POST", act=Action.REPLAY)
def replay_many(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """First post: how many it would be, and their sums. Second post, with `confirmed`: replay them as one act."""
    integration = integration_of(access, integration_id)
    chosen = _chosen(integration, request.POST)
    found = bulk_replays.extent(chosen)
    form = BulkReplayForm(request.POST if "confirmed" in request.POST else None)
    if "confirmed" not in request.POST or not form.is_valid() or _has_changed(form, found.count):
        return _ask(request, access, integration, chosen, found, form)
    data = form.cleaned_data
    count = bulk_replays.replay_many(
        chosen,
        access.actor,
        data["reason"],
        mapping=data["mapping"] or MappingOf.TODAY,
        chosen_by={name: request.POST.getlist(name) for name in KEPT if name in request.POST},
    )
    words = "1 record is on its way again." if count == 1 else f"{count} records are on their way again."
    messages.success(request, words)
    return redirect("portal:records", access.organization.slug, integration.pk)


def _has_changed(form: BulkReplayForm, count: int) -> bool:
    """Whether it is another number than the one that was confirmed: then it is shown and asked again."""
    expected = form.cleaned_data.get("expected")
    return expected is not None and expected != count


def _ask(
    request: HttpRequest,
    access: Access,
    integration: Integration,
    chosen: QuerySet[Record],
    found: bulk_replays.Extent,
    form: BulkReplayForm,
) -> HttpResponseBase:
    context = {
        "count": found.count,
        "sums": found.sums.items(),
        "form": form,
        "changed_from": form.cleaned_data.get("expected") if form.is_bound and form.is_valid() else None,
        "cause": words_of_cause(request.POST.get("cause", "")),
        "sample": chosen.only(*LIST_COLUMNS).order_by("-pk")[:SAMPLE],
        "more": max(found.count - SAMPLE, 0),
        "posted": [(name, value) for name, values in request.POST.lists() for value in values if name in KEPT],
    }
    return page_of(request, access, "records/replay_many.html", context, integration=integration)


KEPT = ("record", "all_failed", "flow", "error_code", "cause", "stage", "found_by", "run", "action", "search")
SAMPLE = 10


def _chosen(integration: Integration, posted: QueryDict) -> QuerySet[Record]:
    """The ticked records that can be replayed, or all failed ones that the filters show."""
    rows = bulk_replays.replayable(Record.objects.filter(integration=integration))
    if "all_failed" in posted:
        return RecordFilterForm(posted).narrow(rows).filter(status=RecordStatus.FAILED)
    ticked = [int(value) for value in posted.getlist("record") if value.isascii() and value.isdigit()]
    return rows.filter(pk__in=ticked)
