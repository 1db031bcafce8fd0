"""Records: found, looked into, replayed, decided."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django_filters import rest_framework as filters  # type: ignore[import-untyped]  # it has no annotations
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.api.base import IntegrationView, ScopedView
from portal.api.filters import MomentFilter
from portal.api.idempotency import idempotent
from portal.api.shapes.common import CountShape
from portal.api.shapes.records import (
    DecisionRequest,
    ExtentShape,
    IgnoreRequest,
    Reason,
    RecordDetailShape,
    RecordShape,
    ReplayFilter,
    ReplayRequest,
    TriedShape,
)
from syncengine.engine import bulk_replays, dry_replays, replay
from syncengine.engine.search import Found
from syncengine.models import Record, RecordStatus, Stage
from tenants.models import FieldMapping
from tenants.permissions import Action

APPROVE_BANK_CHANGE = "approve_bank_change"
# Payloads and notebooks are not listed, so they are not read either.
_HEAVY = ("source", "target", "confirmed_target", "memo", "search", "problems", "notes")


class RecordFilter(filters.FilterSet):  # type: ignore[misc]  # it has no annotations
    """What a list of records can be narrowed to."""

    flow = filters.CharFilter()
    status = filters.ChoiceFilter(choices=RecordStatus.choices)
    stage = filters.ChoiceFilter(choices=Stage.choices)
    search = filters.CharFilter(method="searched", label="keys, document numbers, vendor codes and names, amounts")
    updated_after = MomentFilter(field_name="updated_at", lookup_expr="gt")
    error_code = filters.CharFilter()
    cause = filters.CharFilter(label="what records that failed for the same thing have in common")

    class Meta:
        model = Record
        fields = ["flow", "status", "stage", "error_code", "cause"]

    def searched(self, rows: QuerySet[Record], name: str, value: str) -> QuerySet[Record]:
        return rows  # by the search that the pages have too, when a page is cut: see Records


class Records(IntegrationView):
    """The records of an integration."""

    needs = {"GET": Action.VIEW}
    serializer_class = RecordShape
    filterset_class = RecordFilter
    queryset = Record.objects.none()

    @extend_schema(operation_id="records_list", responses=RecordShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List records, newest first."""
        rows = self.access.of(Record).filter(integration=self.integration).defer(*_HEAVY)
        found = Found(self.integration, self.filter_queryset(rows), request.query_params.get("search", ""))
        page = self.paginate_queryset(cast("Any", found))
        return self.get_paginated_response(RecordShape(page, many=True).data)


_NEWEST_MAPPING = (
    FieldMapping.objects.filter(integration=OuterRef("integration"), flow=OuterRef("flow"))
    .order_by("-version")
    .values("version")[:1]
)


class OneRecord(ScopedView):
    """Base of what concerns one record."""

    record: Record
    serializer_class: type[BaseSerializer[Any]] = RecordDetailShape

    def locate(self) -> None:
        rows = self.access.of(Record).select_related("integration__organization")
        rows = rows.annotate(mapping_today=Coalesce(Subquery(_NEWEST_MAPPING), 0))
        self.record = self.one(Record, self.kwargs["record_id"], rows)

    def accepted(self) -> Response:
        """202 with the record as it is after the commit."""
        return Response(RecordShape(self.record_now()).data, status=202)

    def record_now(self) -> Record:
        return self.one(Record, self.record.pk)


class RecordDetail(OneRecord):
    """One record with its whole story."""

    needs = {"GET": Action.VIEW}

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show a record: problems, events, calls, payloads, decisions."""
        return self.answer(RecordDetailShape(self.record).data)


class RecordAction(OneRecord):
    """Base of replay, ignore, resend and decide: 202, or 400 when it is not possible now."""

    needs = {"POST": Action.REPLAY}
    serializer_class: type[BaseSerializer[Any]] = Reason


class ReplayRecord(RecordAction):
    """Run the record's open step again."""

    serializer_class = ReplayRequest

    @extend_schema(responses={202: RecordShape, 200: TriedShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Replay with today's mapping or that of then; the record is pending when this is answered.

        One that a worker holds is replayed as soon as it has let go of it. `dry` answers with what would be done.
        """
        wanted = self.checked()
        if wanted["dry"]:
            return Response(dry_replays.try_replay(self.record, wanted["mapping"]).as_dict())
        replay.replay(self.record, self.access.actor, wanted["reason"], wanted["mapping"])
        return self.accepted()


class HoldRecord(RecordAction):
    """Cancel the next try."""

    @extend_schema(responses={202: RecordShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Hold a record that waits for its next try, where nothing is in doubt at the target."""
        replay.hold(self.record, self.access.actor, self.checked()["reason"])
        return self.accepted()


class ResendRecord(RecordAction):
    """Send an unchanged record so that Basware takes it."""

    @extend_schema(responses={202: RecordShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Resend with the resend field changed."""
        replay.resend(self.record, self.access.actor, self.checked()["reason"])
        return self.accepted()


class IgnoreRecord(RecordAction):
    """A person decides that nothing is to be done."""

    serializer_class = IgnoreRequest

    @extend_schema(responses={202: RecordShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Ignore; an invoice that we hold is given back, or named as booked by hand."""
        wanted = self.checked()
        replay.ignore(
            self.record,
            self.access.actor,
            wanted["reason"] or "No reason was given.",
            give_back=wanted["give_back"],
            booked_as=wanted["booked_as"],
        )
        return self.accepted()


class DecideRecord(RecordAction):
    """Answer what the product does not decide by itself."""

    serializer_class = DecisionRequest

    @extend_schema(responses={202: RecordShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Decide; bank changes are for admins."""
        wanted = self.checked()
        if wanted["decision"] == APPROVE_BANK_CHANGE and not self.access.may(Action.APPROVE_BANK_CHANGE):
            raise PermissionDenied("A bank change is approved by an admin.")
        replay.decide(self.record, self.access.actor, wanted["decision"], wanted["document"], wanted["reason"])
        return self.accepted()


class BulkReplay(IntegrationView):
    """Replay many."""

    needs = {"POST": Action.REPLAY}
    serializer_class = ReplayFilter

    @extend_schema(responses={202: CountShape, 200: ExtentShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Replay every record that fits; without a status those that failed. `dry` counts and adds them up first."""
        wanted = self.checked()
        rows = self.access.of(Record).filter(integration=self.integration, status=wanted["status"])
        for field, lookup in _CHOSEN_BY.items():
            if field in wanted:
                rows = rows.filter(**{lookup: wanted[field]})
        if wanted["dry"]:
            found = bulk_replays.extent(rows)
            return Response(ExtentShape(found).data)
        chosen_by = {name: wanted[name] for name in ("status", *_CHOSEN_BY) if name in wanted}
        count = bulk_replays.replay_many(
            rows, self.access.actor, wanted["reason"], mapping=wanted["mapping"], chosen_by=chosen_by
        )
        return Response({"count": count}, status=202)


_CHOSEN_BY = {"flow": "flow", "error_code": "error_code", "cause": "cause", "record_ids": "pk__in"}
