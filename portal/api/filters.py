"""Filters that several lists share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django_filters import fields  # type: ignore[import-untyped]  # it has no annotations
from django_filters import rest_framework as filters


class _MomentField(fields.IsoDateTimeField):  # type: ignore[misc]  # it has no annotations
    def clean(self, value: Any) -> datetime | None:
        """The moment in UTC; 0001-01-01 with an offset has none that Python could hold."""
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("This time lies too far away.", "invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]  # it has no annotations
    """An ISO 8601 time, as the API shows them."""

    field_class = _MomentField
