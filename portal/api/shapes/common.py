"""Shapes that several resources share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

LONGEST_NAME = 80


class Shape(serializers.Serializer[Any]):
    """A shape that is only shown or only read: nothing is saved through it.

    A field that it does not know is refused: whoever misspells a filter must not replay everything. `ignored` names
    what is shown beside the fields and may come back with them.
    """

    ignored: ClassVar[Collection[str]] = ()

    def to_internal_value(self, data: Any) -> Any:
        names = data if isinstance(data, Mapping) else ()
        unknown = {name[:LONGEST_NAME] for name in names if name not in self.fields and name not in self.ignored}
        errors: dict[str, Any] = {name: [ErrorDetail("There is no such field.", "unknown")] for name in unknown}
        try:
            taken = super().to_internal_value(data)
        except serializers.ValidationError as refused:
            errors.update(refused.detail)  # type: ignore[arg-type]  # of a serializer it is by field
        if errors:
            raise serializers.ValidationError(errors)
        return taken


class Text(serializers.CharField):
    """Text that is sent as text: a number is not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ErrorShape(Shape):
    """What went wrong, for machines and for people."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


@extend_schema_field(ErrorShape(allow_null=True))
class ErrorField(serializers.Field[Any, Any, Any, Any]):
    """`error_code`, `error_message` and `error_hint` of a row as one object; null without a code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, value: Any) -> dict[str, str] | None:
        if not value.error_code:
            return None
        return {"code": value.error_code, "message": value.error_message, "hint": value.error_hint}


@extend_schema_field({"type": "string", "format": "decimal", "nullable": True, "example": "1240.50"})
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """An amount as decimal text: at least two decimals, and no zeros behind them that only the column added."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Decimal) -> str:
        short = value.normalize()
        exponent = short.as_tuple().exponent
        decimals = max(2, -exponent if isinstance(exponent, int) else 2)
        return f"{short:.{decimals}f}"


class ProblemShape(Shape):
    """One thing that is wrong with a record."""

    path = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField(required=False)


class CountShape(Shape):
    """How many."""

    count = serializers.IntegerField()
