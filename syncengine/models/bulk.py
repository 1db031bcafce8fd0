"""Many rows at once, at a fraction of what the ORM takes to put a statement together value by value.

PostgreSQL is given one JSON text and takes it apart itself; SQLite, in our own process, is given row after row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from syncengine.models.fields import ExactJSONField

AT_ONCE = 500
_AS_THEY_ARE = (models.TextField, models.CharField, models.IntegerField, models.BooleanField, models.ForeignKey)

_EMPTY: dict[type, str] = {list: "[]", dict: "{}"}  # what most columns of JSON hold

Row = tuple[Any, ...]
Writer = Callable[[Any], Any]


def insert(rows: Sequence[models.Model], *, unique: Sequence[str] = (), changed: Collection[str] = ()) -> int:
    """Insert these rows of one model; where `unique` is taken already, set the `changed` fields of the row there.

    With nothing to change the row there stays as it is. A single row is a transaction of its own. The answer is how
    many rows were written.

    Rows get no primary key by this; those that have one keep it, but where `unique` decides which row it is.
    """
    if not rows:
        return 0
    keyed = rows[0].pk is not None and not unique
    statement = _statement(type(rows[0]), connection.vendor, keyed, tuple(unique), tuple(changed))
    values = _values(rows, statement)
    put = _put_into_postgresql if connection.vendor == "postgresql" else _put_into_sqlite
    with nullcontext() if len(rows) == 1 else transaction.atomic(savepoint=False):
        written = put(statement, values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return written


@dataclass(frozen=True)
class _Statement:
    """What is the same for all rows of a kind: the SQL, the columns it names, and how a row is read."""

    text: str
    fields: Sequence[Any]
    read: Callable[[models.Model], Row]

    @cached_property
    def columns(self) -> list[str]:
        return [field.column for field in self.fields]


@lru_cache(maxsize=64)
def _statement(
    model: type[models.Model], vendor: str, keyed: bool, unique: tuple[str, ...], changed: tuple[str, ...]
) -> _Statement:
    """Put together once; the names in it are our own."""
    fields = [field for field in model._meta.concrete_fields if keyed or not field.primary_key]
    columns = ", ".join(map(_quoted, fields))
    start = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns})"
    ending = _on_conflict([field for field in fields if field.name in unique], fields, changed)
    if vendor == "postgresql":
        typed = ", ".join(f"{_quoted(field)} {field.db_type(connection)}" for field in fields)
        rest = f" SELECT {columns} FROM json_to_recordset(%s) AS given({typed})"  # noqa: S608  # names of ours
    else:
        rest = f" VALUES ({', '.join(['%s'] * len(fields))})"
    return _Statement(start + rest + ending, fields, attrgetter(*(field.attname for field in fields)))


def _put_into_postgresql(statement: _Statement, values: Iterator[Row]) -> int:
    written = 0
    with connection.cursor() as cursor:
        while some := [dict(zip(statement.columns, row, strict=True)) for row in islice(values, AT_ONCE)]:
            cursor.execute(statement.text, [json.dumps(some)])
            written += cursor.rowcount
    return written


def _put_into_sqlite(statement: _Statement, values: Iterator[Row]) -> int:
    with connection.cursor() as cursor:
        cursor.executemany(statement.text, list(values))
        return int(cursor.rowcount)


def _on_conflict(unique: Sequence[Any], fields: Sequence[Any], changed: Collection[str]) -> str:
    if not unique:
        return ""
    sets = ", ".join(f"{_quoted(field)} = excluded.{_quoted(field)}" for field in fields if field.name in changed)
    deed = f"UPDATE SET {sets}" if sets else "NOTHING"
    return f" ON CONFLICT ({', '.join(map(_quoted, unique))}) DO {deed}"


def _quoted(field: Any) -> str:
    return str(connection.ops.quote_name(field.column))


def _values(rows: Sequence[models.Model], statement: _Statement) -> Iterator[Row]:
    """Each row as what the database takes; most columns need nothing done to them."""
    _stamp(rows, statement.fields)
    writers = [(place, writer) for place, writer in enumerate(map(_writer, statement.fields)) if writer]
    for row in rows:
        values = list(statement.read(row))
        for place, writer in writers:
            if values[place] is not None:
                values[place] = writer(values[place])
        yield tuple(values)


def _stamp(rows: Sequence[models.Model], fields: Sequence[Any]) -> None:
    now = timezone.now()
    for field in fields:
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            for row in rows:
                if field.auto_now or getattr(row, field.attname) is None:
                    setattr(row, field.attname, now)


def _writer(field: Any) -> Writer | None:
    """What makes a value of this column ready, but for None; nothing where it is ready as it is."""
    if isinstance(field, ExactJSONField):
        return field.get_prep_value
    on_postgresql = connection.vendor == "postgresql"
    if isinstance(field, models.JSONField):
        return None if on_postgresql else _json
    if isinstance(field, _AS_THEY_ARE):
        return None
    write: Writer = str if on_postgresql else lambda value: field.get_db_prep_save(value, connection)
    # Rows of one statement share most of their dates. (Not so decimals: 1.0 equals 1.00 and is written differently.)
    return lru_cache(maxsize=16)(write) if isinstance(field, models.DateField) else write


def _json(value: Any) -> str:
    return json.dumps(value) if value else _EMPTY.get(type(value)) or json.dumps(value)
