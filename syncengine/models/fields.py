"""A JSON column that keeps money exact: numbers come back as Decimal, never as float."""

from __future__ import annotations

from typing import Any

from django.db import models

from syncengine.connectors import jsonio


class ExactJSONField(models.TextField):  # type: ignore[type-arg]  # django-stubs wants set and get types here
    """JSON as text. Django's own JSONField would turn 10.10 into a float."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else jsonio.loads(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else jsonio.dumps(value)
