"""The plan of a dry run."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from portal.api.shapes.common import AmountField, ProblemShape, Shape
from syncengine.engine import applying
from syncengine.models import Plan, PlanItem


class TotalsField(serializers.DictField):
    """Decimal texts by currency."""

    child = serializers.CharField()


class PlanCauseShape(Shape):
    """Why some items would fail; the most frequent come first."""

    cause = serializers.CharField()
    count = serializers.IntegerField()
    totals = TotalsField()


class PlanShape(serializers.ModelSerializer[Plan]):
    """What a run would do: how many by action, their money, what would fail for what.

    `left_out` items were too many to be kept. `refusal` says why the plan cannot be applied any more, "" while it can.
    """

    counts = serializers.DictField(
        child=serializers.IntegerField(), read_only=True, source="run.result.counts", default=dict
    )
    totals = serializers.DictField(child=TotalsField(), read_only=True, source="run.result.totals", default=dict)
    causes = PlanCauseShape(many=True, read_only=True, source="run.result.causes", default=list)
    refusal = serializers.SerializerMethodField()

    class Meta:
        model = Plan
        fields = [
            "run",
            "created_at",
            "mapping_version",
            "counts",
            "totals",
            "causes",
            "kept",
            "left_out",
            "applied_in",
            "refusal",
        ]

    def get_refusal(self, plan: Plan) -> str:
        return "It was applied." if plan.applied_in_id else applying.staleness(plan, timezone.now())


class PlanItemShape(serializers.ModelSerializer[PlanItem]):
    """One item: what would be done with it, field by field, or every reason why it would fail.

    `changes` is the difference to what the target confirmed last; of them, `more_changes` were too many to be kept.
    `fate` and `remark` say what became of it when the plan was applied.
    """

    amount = AmountField()
    problems = ProblemShape(many=True, read_only=True)
    changes = serializers.SerializerMethodField()

    class Meta:
        model = PlanItem
        fields = [
            "id",
            "key",
            "title",
            "action",
            "amount",
            "currency",
            "message",
            "cause",
            "problems",
            "changes",
            "more_changes",
            "fingerprint",
            "mapping_version",
            "fate",
            "remark",
        ]

    def get_changes(self, item: PlanItem) -> list[dict[str, Any]]:
        """Path, old and new value."""
        changes: list[dict[str, Any]] = item.changes
        return changes
