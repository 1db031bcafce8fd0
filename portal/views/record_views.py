"""What one does with a list of records: keep its filters under a name, and take it along as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from portal.forms.filters import RecordFilterForm
from portal.forms.views import SavedViewForm
from portal.views.access import PageRequest, integration_of, organization_page, require
from syncengine.audit import record_event
from syncengine.engine.search import Found
from syncengine.models import Record
from syncengine.spreadsheets import plain_text
from tenants.models import Integration, SavedView
from tenants.permissions import Action
from tenants.row_security import bound_to
from tenants.scoping import Access

EXPORTED = (
    "id", "flow", "key", "title", "reference", "party", "status", "stage", "amount", "currency", "found_by",
    "error_code", "error_message", "created_at", "updated_at",
)  # fmt: skip
LONGEST_CELL = 1000
CHUNK = 1000


def views_for(access: Access, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """One's own views and those that are shared; `here` is the one whose filters are at hand."""
    rows = SavedView.objects.of(access.organization).filter(Q(owner=access.user) | Q(shared=True))
    return [
        {
            "view": view,
            "query": urlencode(view.filters),
            "here": view.filters == chosen,
            "may_remove": view.owner_id == getattr(access.user, "pk", None) or access.may(Action.CONFIGURE),
        }
        for view in rows.order_by("name", "pk")[: SavedView.MOST]
    ]


@organization_page("POST")
def save(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Keep the filters that the form was posted with. Sharing needs an operator and is audited."""
    integration = integration_of(access, integration_id)
    form = SavedViewForm(request.POST)
    filters = RecordFilterForm(request.POST).chosen
    if not form.is_valid():
        messages.error(request, "Give the view a name of up to 60 characters.")
    else:
        if form.cleaned_data["shared"]:
            require(access, Action.REPLAY)
        _keep(request, access, form.cleaned_data, filters)
    return _back(access, integration, filters)


def _keep(request: PageRequest, access: Access, data: dict[str, Any], filters: dict[str, Any]) -> None:
    mine = SavedView.objects.of(access.organization).filter(owner=request.user)
    if mine.count() >= SavedView.MOST:
        messages.error(request, f"You have {SavedView.MOST} views already: remove one first.")
        return
    try:
        with transaction.atomic():
            view = SavedView.objects.create(
                organization=access.organization, owner=request.user, filters=filters, **data
            )
            if view.shared:
                _tell(access, "view.shared", view)
    except IntegrityError:
        messages.error(request, f"You have a view called {data['name']} already: remove it, or take another name.")
    else:
        messages.success(request, f"Kept as {view.name}.")


def _tell(access: Access, action: str, view: SavedView) -> None:
    record_event(access.organization, access.actor, action, view.name, view=view.pk, filters=view.filters)


@organization_page("POST")
def remove(request: PageRequest, access: Access, integration_id: int, view_id: int) -> HttpResponseBase:
    """One's own, or as an admin one that is shared."""
    integration = integration_of(access, integration_id)
    seen = SavedView.objects.of(access.organization).filter(Q(owner=request.user) | Q(shared=True))
    view = get_object_or_404(seen, pk=view_id)
    if view.owner_id != request.user.pk:
        require(access, Action.CONFIGURE)
    with transaction.atomic():
        if view.shared:
            _tell(access, "view.removed", view)
        view.delete()
    messages.success(request, f"The view {view.name} is gone.")
    return _back(access, integration, {})


def _back(access: Access, integration: Integration, filters: dict[str, Any]) -> HttpResponseBase:
    address = reverse("portal:records", args=[access.organization.slug, integration.pk])
    return redirect(f"{address}?{urlencode(filters)}" if filters else address)


@organization_page("GET")
def export(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Every record that the filters fit, newest first, a line at a time; no cell is taken for a formula."""
    integration = integration_of(access, integration_id)
    filters = RecordFilterForm(request.GET)
    rows = filters.exactly(Record.objects.filter(integration=integration).only(*EXPORTED))
    headers = {"Content-Disposition": f'attachment; filename="records-{timezone.localdate()}.csv"'}
    lines = _lines(access, Found(integration, rows, filters.text))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


class _Echo:
    """A file for the csv writer that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def _lines(access: Access, found: Found) -> Iterator[str]:
    """Read while the answer is sent, which is after the view has returned: so many records at a time."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + cast("str", writer.writerow(EXPORTED))  # without the mark Excel reads UTF-8 as an old code page
    page = found
    while True:
        with bound_to(access.organization):
            rows = page.order_by("-pk")[:CHUNK]
        for record in rows:
            yield writer.writerow([_cell(getattr(record, column)) for column in EXPORTED])
        if len(rows) < CHUNK:
            return
        page = found.filter(pk__lt=rows[-1].pk)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return plain_text(value[:LONGEST_CELL])
    return value.isoformat() if hasattr(value, "isoformat") else value
