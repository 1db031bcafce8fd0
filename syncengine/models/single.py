"""One row, changed by a statement that is put together once: the ORM makes it anew each time, value by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.db import connection, models


def update(row: models.Model, fields: Iterable[str], still: Mapping[str, Any]) -> bool:
    """Write these fields of a row; False, and nothing is written, when the row does not say `still` any more."""
    model = type(row)
    changed = _fields(model, tuple(fields))
    asked = _fields(model, tuple(still))
    nothing = tuple(value is None for value in still.values())
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in changed]
    told = zip(asked, still.values(), strict=True)
    conditions = [field.get_db_prep_save(value, connection) for field, value in told if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, changed, asked, nothing), [*values, row.pk, *conditions])
        return bool(cursor.rowcount)


@lru_cache(maxsize=128)
def _fields(model: type[models.Model], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(model._meta.get_field(name) for name in names)


@lru_cache(maxsize=128)
def _statement(
    model: type[models.Model], changed: tuple[Any, ...], asked: tuple[Any, ...], nothing: tuple[bool, ...]
) -> str:
    """The names in it are our own."""
    pairs = zip(asked, nothing, strict=True)
    still = "".join(f' AND "{field.column}" {"IS NULL" if is_none else "= %s"}' for field, is_none in pairs)
    sets = ", ".join(f'"{field.column}" = %s' for field in changed)
    return f'UPDATE "{model._meta.db_table}" SET {sets} WHERE "{model._meta.pk.column}" = %s{still}'  # noqa: S608  # names of ours
