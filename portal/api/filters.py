"""Filters that several lists share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django_filters import fields  # type: ignore[import-untyped]  # it has no annotations
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

LARGEST_ID = 2**63 - 1


class _MomentField(fields.IsoDateTimeField):  # type: ignore[misc]  # it has no annotations
    def clean(self, value: Any) -> datetime | None:
        """The moment in UTC; 0001-01-01 with an offset has none that Python could hold."""
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("This time lies too far away.", "invalid") from None


@extend_schema_field({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}]})
class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]  # it has no annotations
    """An ISO 8601 time, as the API shows them."""

    field_class = _MomentField


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})
class IdFilter(filters.NumberFilter):  # type: ignore[misc]  # it has no annotations
    """The id of another object."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, decimal_places=0, **options)
