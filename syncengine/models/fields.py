"""A JSON column that keeps money exact (numbers come back as Decimal, never as float), and a lookup for indexes."""

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


@models.CharField.register_lookup
class SpelledIn(models.Lookup):
    """`status__spelled_in=(…)`: IN, its words in the statement itself.

    SQLite uses a partial index only where a statement repeats the index's condition word by word. A parameter is none.
    """

    lookup_name = "spelled_in"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, params = self.process_lhs(compiler, connection)
        words = [str(word) for word in self.rhs]
        if not all(word.isidentifier() for word in words):
            raise ValueError("only plain words can be spelled out")
        spelled = ", ".join(f"'{word}'" for word in words)
        return f"{column} IN ({spelled})", params
