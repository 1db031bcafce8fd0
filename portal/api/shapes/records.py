"""Records, and what people do with them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.api.shapes.audit import CallShape, EventShape
from portal.api.shapes.common import AmountField, CountShape, ErrorField, ProblemShape, Shape, Text
from syncengine.engine import mappings
from syncengine.engine.replay import MappingOf
from syncengine.flows import registry
from syncengine.models import Attempt, AttemptItem, Call, Record, RecordStatus

DECISIONS = ("adopt", "post", "reject", "accept_difference", "link_successor", "approve_bank_change", "close")
MOST_CALLS = 500
Choice = serializers.ChoiceField


class Key(serializers.IntegerField):
    """An id or a document number: what the databases' 64 bits hold."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **options)


class RecordShape(serializers.ModelSerializer[Record]):
    """A record in a list."""

    amount = AmountField()
    error = ErrorField()
    flags = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Record
        fields = [
            "id",
            "integration",
            "flow",
            "key",
            "title",
            "status",
            "stage",
            "flags",
            "attempts",
            "next_attempt_at",
            "amount",
            "currency",
            "error",
            "updated_at",
        ]


class RecordDetailShape(RecordShape):
    """A record with its whole story; amounts inside payloads are decimal strings too."""

    problems = ProblemShape(many=True, read_only=True)
    notes = serializers.ListField(read_only=True)
    decisions = serializers.ListField(child=serializers.CharField(), read_only=True)
    events = serializers.SerializerMethodField()
    calls = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field that is called source
    target = serializers.SerializerMethodField()
    target_keys = serializers.JSONField(read_only=True)
    mapping_today = serializers.SerializerMethodField()
    replay_remembered = serializers.SerializerMethodField()

    class Meta(RecordShape.Meta):
        fields = [
            *RecordShape.Meta.fields,
            "run",
            "reference",
            "party",
            "problems",
            "notes",
            "decisions",
            "cause",
            "mapping_version",
            "mapping_today",
            "pinned_version",
            "replay_remembered",
            "target_keys",
            "source",
            "target",
            "events",
            "calls",
            "created_at",
        ]

    def get_mapping_today(self, record: Record) -> int:
        """The version in force, which may be newer than the record's."""
        known: int | None = getattr(record, "mapping_today", None)
        return mappings.current(record.integration, record.flow).version if known is None else known

    def get_replay_remembered(self, record: Record) -> bool:
        """Whether a replay waits for the worker that holds the record."""
        return bool(record.wishes)

    @extend_schema_field(EventShape(many=True))
    def get_events(self, record: Record) -> list[dict[str, Any]]:
        return [dict(EventShape(event).data) for event in record.events.order_by("id")]

    @extend_schema_field(CallShape(many=True))
    def get_calls(self, record: Record) -> list[dict[str, Any]]:
        newest = list(calls_of(record).order_by("-id")[:MOST_CALLS])
        return [dict(CallShape(call).data) for call in reversed(newest)]

    @extend_schema_field(OpenApiTypes.ANY)
    def get_source(self, record: Record) -> Any:
        return record.source

    @extend_schema_field(OpenApiTypes.ANY)
    def get_target(self, record: Record) -> Any:
        return record.target


def calls_of(record: Record) -> QuerySet[Call]:
    """Calls made for the record itself, for one of its writes, or for a batch that it was part of."""
    own = Attempt.objects.filter(record=record).order_by("-pk").values_list("pk", flat=True)[:MOST_CALLS]
    batches = AttemptItem.objects.filter(record=record).order_by("-pk").values_list("attempt", flat=True)[:MOST_CALLS]
    # Read first: with their queries inside, no index could answer the three together.
    return Call.objects.filter(Q(record=record) | Q(attempt__in=[*own, *batches]))


class WhyField(Text):
    """A reason that may be left out; null is none too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, allow_null=True, max_length=1000, default="", **options)

    def run_validation(self, data: Any = serializers.empty) -> str:
        return super().run_validation(data) or ""


class Reason(Shape):
    """Why, for the trail."""

    reason = WhyField()


class MappingChoice(Choice):
    """With today's mapping, or the version that the record was mapped with."""

    def __init__(self) -> None:
        super().__init__(choices=[str(choice) for choice in MappingOf], required=False, default=str(MappingOf.TODAY))


class ReplayRequest(Reason):
    """`dry` tries it without writing anything anywhere."""

    mapping = MappingChoice()
    dry = serializers.BooleanField(required=False, default=False)


class DifferenceShape(Shape):
    """One field that would be sent with another value."""

    path = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class TriedShape(Shape):
    """What a replay would do: post, adopt, confirm, send, nothing, wait, ask, stop or fail."""

    would = serializers.CharField()
    message = serializers.CharField()
    problems = ProblemShape(many=True)
    source = serializers.JSONField(allow_null=True)  # type: ignore[assignment]  # a field that is called source
    target = serializers.JSONField(allow_null=True)
    difference = DifferenceShape(many=True)
    mapping_version = serializers.IntegerField()


class IgnoreRequest(Reason):
    """An invoice that we hold needs one of the two (default-mapping.md, "Ignore")."""

    give_back = serializers.BooleanField(required=False, default=False)
    booked_as = Key(required=False, allow_null=True, default=None)


class DecisionRequest(Shape):
    """What a person decided; `document` where the decision names one."""

    decision = serializers.ChoiceField(choices=DECISIONS)
    document = Key(required=False, allow_null=True, default=None)
    reason = Text(max_length=1000)


class ExtentShape(CountShape):
    """How many records a bulk replay would take, and their amounts by currency."""

    sums = serializers.DictField(child=AmountField())


class ReplayFilter(Shape):
    """Which records are replayed; without a status those that failed. `dry` only counts them."""

    flow = Text(required=False, max_length=40)
    status = Choice(choices=RecordStatus.choices, required=False, default=RecordStatus.FAILED)
    error_code = Text(required=False, max_length=60)
    cause = Text(required=False, max_length=200)
    record_ids = serializers.ListField(child=Key(), required=False, max_length=10_000)
    reason = WhyField()
    mapping = MappingChoice()
    dry = serializers.BooleanField(required=False, default=False)

    def validate_flow(self, flow: str) -> str:
        if flow not in registry.known():
            raise serializers.ValidationError(f"There is no flow {flow}.", "unknown")
        return flow
