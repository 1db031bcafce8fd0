"""Rows that PostgreSQL makes itself: INSERT … SELECT, with a new object's values where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import Field, Model
from psycopg import sql


def reserve(model: type[Model], count: int) -> int:
    """The first of so many keys that nobody else will get."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(sequence, nextval(sequence) + %s) - %s FROM pg_get_serial_sequence(%s, 'id') AS sequence",
            [count, count, model._meta.db_table],
        )
        return int(cursor.fetchone()[0])


def insert(model: type[Model], columns: Mapping[str, str], source: str) -> None:
    """INSERT … SELECT of these expressions; the other columns get what a new object of the model has."""
    found = {**_defaults(model), **columns}
    with connection.cursor() as cursor:
        names, values = ", ".join(found), ", ".join(found.values())
        cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} {source}')  # ours


def _defaults(model: type[Model]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in cast("Sequence[Field[Any, Any]]", model._meta.local_concrete_fields):
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            found[str(field.column)] = "now()"
        elif not field.primary_key and not field.null and not field.is_relation:
            value: Any = field.get_db_prep_save(field.get_default(), connection)
            found[str(field.column)] = sql.Literal(value).as_string()
    return found


def array(words: tuple[str, ...]) -> str:
    return "ARRAY['" + "', '".join(words) + "']"
