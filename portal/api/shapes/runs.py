"""Runs."""

from __future__ import annotations

from rest_framework import serializers

from portal.api.shapes.common import ErrorField, Shape, Text
from syncengine.engine.runs import ALL
from syncengine.flows import registry
from syncengine.models import MODES_TO_ASK_FOR, Run, RunMode, RunStatus


class CountsShape(Shape):
    """Counts of records, never of calls."""

    read = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    sent = serializers.IntegerField()
    confirmed = serializers.IntegerField()
    failed = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    closed = serializers.IntegerField()


class RunShape(serializers.ModelSerializer[Run]):
    """A run in a list."""

    counts = CountsShape(read_only=True)
    progress = serializers.SerializerMethodField()
    error = ErrorField()

    class Meta:
        model = Run
        fields = [
            "id",
            "integration",
            "flow",
            "mode",
            "trigger",
            "requested_by",
            "status",
            "counts",
            "progress",
            "created_at",
            "started_at",
            "finished_at",
            "error",
        ]

    def get_progress(self, run: Run) -> float | None:
        """From 0 to 1; null while nobody knows how much there is."""
        if run.is_final:
            return 1.0
        if run.status == RunStatus.QUEUED:
            return 0.0
        return round(min(run.read / run.expected, 1.0), 3) if run.expected else None


class RunDetailShape(RunShape):
    """A run with what a dry run found."""

    result = serializers.JSONField(read_only=True, allow_null=True)

    class Meta(RunShape.Meta):
        fields = [*RunShape.Meta.fields, "closings_held", "result"]


class RunRequest(Shape):
    """What is to run; the flow's name, or all of them in the order of their dependencies."""

    flow = Text(max_length=40)
    mode = serializers.ChoiceField(choices=MODES_TO_ASK_FOR, default=RunMode.INCREMENTAL)

    def validate_flow(self, flow: str) -> str:
        if flow != ALL and flow not in registry.known():
            names = ", ".join([*registry.flows(), ALL])
            raise serializers.ValidationError(f"There is no flow {flow}: it is one of {names}.", "unknown")
        return flow


class RequestedRun(serializers.ModelSerializer[Run]):
    """One of the runs that were asked for."""

    class Meta:
        model = Run
        fields = ["id", "flow", "status"]


class RequestedRuns(Shape):
    """The answer to a request: `id` and `status` are those of the first run."""

    id = serializers.IntegerField()
    flow = serializers.CharField()
    status = serializers.CharField()
    runs = RequestedRun(many=True)
