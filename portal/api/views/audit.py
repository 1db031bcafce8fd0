"""The audit trail of the organization: listed, and exported as a stream."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django_filters import rest_framework as filters  # type: ignore[import-untyped]  # it has no annotations
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import ScopedView
from portal.api.filters import IdFilter, MomentFilter
from portal.api.shapes.audit import EventShape
from syncengine.audit.finding import narrowed
from syncengine.models import AuditEvent
from syncengine.spreadsheets import plain_text
from tenants.permissions import Action
from tenants.row_security import bound_to

COLUMNS = ("id", "created_at", "actor", "action", "message", "integration", "record", "run", "data")
CHUNK = 1000


class AuditFilter(filters.FilterSet):  # type: ignore[misc]  # it has no annotations
    """What the trail can be narrowed to."""

    record = IdFilter(field_name="record_id")
    integration = IdFilter(field_name="integration_id")
    actor = filters.CharFilter()
    action = filters.CharFilter()
    after = MomentFilter(field_name="created_at", lookup_expr="gt")
    before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = AuditEvent
        fields = ["record", "integration", "actor", "action"]

    def filter_queryset(self, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        chosen = {name: self.form.cleaned_data[name] for name in ("actor", "action", "after", "before")}
        return narrowed(super().filter_queryset(queryset), self.request.auth.organization, **chosen)


class AuditView(ScopedView):
    """Base of both: the events of the organization, filtered."""

    needs = {"GET": Action.VIEW}
    serializer_class = EventShape
    filterset_class = AuditFilter
    queryset = AuditEvent.objects.none()

    def rows(self) -> QuerySet[AuditEvent]:
        return self.filter_queryset(self.access.of(AuditEvent))


class Audit(AuditView):
    """Who did what."""

    @extend_schema(operation_id="audit_list", responses=EventShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List events, newest first."""
        return self.get_paginated_response(EventShape(self.paginate_queryset(self.rows()), many=True).data)


class AuditExport(AuditView):
    """The whole trail, oldest first, in the memory of one row."""

    pagination_class = None

    @extend_schema(
        operation_id="audit_export",
        parameters=[OpenApiParameter("format", str, enum=["csv", "jsonl"], default="jsonl")],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request, **kwargs: Any) -> StreamingHttpResponse:
        """Export events as CSV or as one JSON object a line."""
        wanted = request.query_params.get("format", "jsonl")
        if wanted not in _FORMATS:
            raise ValidationError({"format": ["It is csv or jsonl."]})
        media_type, write = _FORMATS[wanted]
        events = (EventShape(event).data for event in self._all_rows())
        headers = {"Content-Disposition": f'attachment; filename="audit.{wanted}"'}
        return StreamingHttpResponse(write(events), content_type=media_type, headers=headers)

    def _all_rows(self) -> Iterator[AuditEvent]:
        """Read while the answer is sent, which is after the view has returned."""
        with bound_to(self.access.organization):
            rows, last = self.rows().order_by("pk"), 0
            # In pages by key: PostgreSQL would put all that a cursor is to give aside before the first row.
            while page := list(rows.filter(pk__gt=last)[:CHUNK]):
                yield from page
                last = page[-1].pk


class _Echo:
    """A file for the csv writer that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def _csv(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for event in events:
        yield writer.writerow([_cell(event[column]) for column in COLUMNS])


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return plain_text(value) if isinstance(value, str) else value


def _jsonl(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(event, ensure_ascii=False) + "\n" for event in events)


_FORMATS = {"csv": ("text/csv; charset=utf-8", _csv), "jsonl": ("application/x-ndjson", _jsonl)}
