"""What Basware takes: a small language for its entities, and the check that runs before anything is sent.

The tables themselves are in `entities.py`; tests/contracts compares them with Basware's own document.
One refused record refuses its whole request (contracts: Basware §3.8), so every payload is checked here first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

INT32 = 2**31
DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?")


class Kind(StrEnum):
    """The JSON shapes that Basware's entities are made of."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"
    MOMENT = "moment"
    OBJECT = "object"
    LIST = "list"


@dataclass(frozen=True)
class Field:
    """One field: `least` and `most` count characters, `low` and `high` bound numbers, `among` lists the literals.

    `of` is the nested entity of an object or of a list's items; `has` is a (field, value) that one item must carry.
    """

    kind: Kind
    required: bool = False
    least: int = 0
    most: int | None = None
    low: int | None = None
    high: int | None = None
    among: tuple[str | int, ...] = ()
    pattern: str = ""
    of: Mapping[str, Field] | None = None
    has: tuple[str, str] | None = None


Entity: TypeAlias = Mapping[str, Field]


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong with a payload; `path` reads like `addresses[0].streetName`."""

    path: str
    message: str


def text(most: int | None = None, least: int = 0, pattern: str = "") -> Field:
    return Field(Kind.TEXT, most=most, least=least, pattern=pattern)


def choice(literals: str) -> Field:
    """One of these literals, which are separated by blanks."""
    return Field(Kind.TEXT, among=tuple(literals.split()))


def number(low: int | None = None, high: int | None = None) -> Field:
    return Field(Kind.NUMBER, low=low, high=high)


def whole(low: int = -INT32, high: int = INT32 - 1, among: tuple[int, ...] = ()) -> Field:
    return Field(Kind.WHOLE, low=low, high=high, among=among)


def flag() -> Field:
    return Field(Kind.FLAG)


def moment() -> Field:
    return Field(Kind.MOMENT)


def one(entity: Entity) -> Field:
    return Field(Kind.OBJECT, of=entity)


def many(entity: Entity, has: tuple[str, str] | None = None) -> Field:
    return Field(Kind.LIST, of=entity, has=has)


def must(field: Field) -> Field:
    """The same field, required; a required text holds at least one character."""
    least = max(field.least, 1) if field.kind is Kind.TEXT and field.most else field.least
    return replace(field, required=True, least=least)


def series(stem: str, count: int, field: Field) -> dict[str, Field]:
    """`stem1` to `stem<count>`, all alike."""
    return {f"{stem}{position}": field for position in range(1, count + 1)}


def alike(names: str, field: Field) -> dict[str, Field]:
    """Several fields of one kind, their names separated by blanks."""
    return dict.fromkeys(names.split(), field)


def text_limits(entity: Entity, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Dotted path (list positions left out) and most characters of every text field that has a limit."""
    for name, field in entity.items():
        if field.of is not None:
            yield from text_limits(field.of, f"{prefix}{name}.")
        elif field.most is not None:
            yield f"{prefix}{name}", field.most


def fits(entity: Entity, payload: Mapping[str, Any]) -> bool:
    """Whether `problems` has nothing to say, as of most payloads, in a third of the time."""
    if not entity.keys() >= payload.keys() or not _required(entity) <= payload.keys():
        return False
    return all(map(_value_fits, map(entity.__getitem__, payload), payload.values()))


def _value_fits(field: Field, value: Any) -> bool:
    scalar = _SCALARS.get(field.kind)
    if scalar is not None:
        return value is not None and not scalar(field, value)
    # What is nested and not as it should be is left to `problems`.
    items = value if field.kind is Kind.LIST else [value]
    if type(items) is not list or field.has or field.of is None:
        return not any(_value_problems(field, value, ""))
    return all(type(item) is dict and fits(field.of, item) for item in items)


def _required(entity: Entity) -> frozenset[str]:
    """The required fields; looked for once in each of the tables."""
    known = _REQUIRED.get(id(entity))
    if known is None or known[0] is not entity:
        found = frozenset(name for name, field in entity.items() if field.required)
        known = _REQUIRED[id(entity)] = (entity, found)
    return known[1]


_REQUIRED: dict[int, tuple[Entity, frozenset[str]]] = {}


def problems(entity: Entity, payload: Mapping[str, Any], prefix: str = "") -> Iterator[FieldProblem]:
    """Everything about the payload that Basware's schema would refuse, unknown fields included."""
    for name in payload.keys() - entity.keys():
        yield FieldProblem(f"{prefix}{name}", "is not a field that Basware takes here")
    for name, field in entity.items():
        if name in payload:
            yield from _value_problems(field, payload[name], f"{prefix}{name}")
        elif field.required:
            yield FieldProblem(f"{prefix}{name}", "is required and missing")


def _value_problems(field: Field, value: Any, path: str) -> Iterator[FieldProblem]:
    if value is None:
        yield FieldProblem(path, "is null: a field without a value is left out")
    elif field.kind is Kind.OBJECT:
        yield from _object_problems(field, value, path)
    elif field.kind is Kind.LIST:
        yield from _list_problems(field, value, path)
    elif message := _SCALARS[field.kind](field, value):
        yield FieldProblem(path, message)


def _object_problems(field: Field, value: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(value, Mapping):
        yield from problems(field.of or {}, value, f"{path}.")
    else:
        yield FieldProblem(path, "is not an object")


def _list_problems(field: Field, value: Any, path: str) -> Iterator[FieldProblem]:
    if not isinstance(value, list | tuple):
        yield FieldProblem(path, "is not a list")
        return
    for position, item in enumerate(value):
        yield from _object_problems(field, item, f"{path}[{position}]")
    if field.has and not any(isinstance(item, Mapping) and item.get(field.has[0]) == field.has[1] for item in value):
        yield FieldProblem(path, f"has no entry with {field.has[0]} {field.has[1]}")


def _text_message(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        return "is not text"
    if field.among and value not in field.among:
        return f"is none of {', '.join(map(str, field.among))}"
    if len(value) < field.least:
        return f"has {len(value)} characters, at least {field.least} are needed"
    if field.most is not None and len(value) > field.most:
        return f"has {len(value)} characters, {field.most} is the most"
    if field.pattern and not re.fullmatch(field.pattern, value):
        return "does not have the form that Basware takes"
    return ""


def _number_message(field: Field, value: Any) -> str:
    """Floats are refused like text: an amount that went through one is no longer the amount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return "is not an exact number"
    if isinstance(value, Decimal) and not value.is_finite():
        return "is not an exact number"
    return _bounds_message(field, value)


def _whole_message(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not (isinstance(value, int) or _is_whole(value)):
        return "is not a whole number"
    if field.among and value not in field.among:
        return f"is none of {', '.join(map(str, field.among))}"
    return _bounds_message(field, value)


def _is_whole(value: Any) -> bool:
    """A Decimal that goes over the wire without a decimal point."""
    return isinstance(value, Decimal) and value.is_finite() and "." not in format(value, "f")


def _bounds_message(field: Field, value: Decimal | int) -> str:
    if field.low is not None and value < field.low:
        return f"is below {field.low}"
    if field.high is not None and value > field.high:
        return f"is above {field.high}"
    return ""


def _flag_message(_field: Field, value: Any) -> str:
    return "" if isinstance(value, bool) else "is not true or false"


def _moment_message(_field: Field, value: Any) -> str:
    """A date-time, or a plain date, which Basware takes as well (contracts: Basware §6)."""
    if not isinstance(value, str) or not DATE_TIME.fullmatch(value):
        return "is not a date-time such as 2026-05-04T00:00:00Z"
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "is not a date of the calendar"
    return ""


_SCALARS: Mapping[Kind, Callable[[Field, Any], str]] = {
    Kind.TEXT: _text_message,
    Kind.NUMBER: _number_message,
    Kind.WHOLE: _whole_message,
    Kind.FLAG: _flag_message,
    Kind.MOMENT: _moment_message,
}
