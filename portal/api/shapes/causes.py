"""Causes of failure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from portal.api.shapes.common import AmountField, Shape
from syncengine.repairs.groups import State

STATES = [str(state) for state in State]


class CauseQuery(Shape):
    """Which of them."""

    state = serializers.ChoiceField(choices=STATES, required=False, default=str(State.OPEN))
    sort = serializers.ChoiceField(choices=["money", "newest"], required=False, default="money")


class SumShape(Shape):
    """What waits on it, in one currency."""

    currency = serializers.CharField()
    amount = AmountField()


class CauseShape(Shape):
    """All records of a flow that failed for one thing.

    `cause` narrows the list of records while they are failed; `table` and `value` are what a translation would mend.
    """

    flow = serializers.CharField()
    cause = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    count = serializers.IntegerField()
    sums = SumShape(many=True)
    newest_at = serializers.DateTimeField(allow_null=True)
    cure = serializers.CharField()
    table = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    assigned_to = serializers.EmailField(allow_null=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)


class CausesShape(Shape):
    """One page has all of them."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = CauseShape(many=True)


def sums_of(sums: dict[str, Decimal]) -> list[dict[str, Any]]:
    """By currency, as SumShape shows them."""
    return [{"currency": currency, "amount": amount} for currency, amount in sorted(sums.items())]
