"""The functions that rules may call, besides those of JMESPath itself.

    concat(a, b, …)            texts joined, empty ones left out
    lookup('table', value)     what the customer's lookup table says; null when it says nothing
    lookup('table', value, x)  … else x
    default(value, x)          value, or x when it is empty
    truncate(value, n)         the first n characters, trimmed
    upper(value)               in capitals
    date(value)                the calendar date as written, YYYY-MM-DD; null when there is none
    number(value)              as a number; null when it is none
    number(value, n)           … rounded half up to n decimals
    hash(a, b, …)              SHA-256 of the texts joined by NUL, 64 hex digits

Numbers are Decimal throughout; JMESPath's own functions are taught to take them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date as calendar_date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from jmespath import functions as builtin
from jmespath.exceptions import JMESPathError

from syncengine.mapping.text import as_text, is_empty, to_decimal
from syncengine.mapping.tracing import Looked

Lookups = Mapping[str, Mapping[str, str]]

OWN_ARITY: dict[str, tuple[int, int | None]] = {
    "concat": (1, None),
    "lookup": (2, 3),
    "default": (2, 2),
    "truncate": (2, 2),
    "upper": (1, 1),
    "date": (1, 1),
    "number": (1, 2),
    "hash": (1, None),
}
"""How many arguments our own functions take, at least and at most."""

_MAX_DECIMALS = 12


def own_function(method: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a method named `_func_<name>`; its arguments were counted when the rule was compiled."""
    method.signature = ({"types": [], "variadic": True},)  # type: ignore[attr-defined]  # how jmespath finds functions
    return method


def calendar_day(value: Any) -> str | None:
    """The first ten characters as written, when they are a date; never converted between zones."""
    text = as_text(value)[:10]
    try:
        return calendar_date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, as people round money; a number too long to be rounded exactly is left as it is."""
    try:
        return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return value


def _whole(value: Any, name: str, highest: int) -> int:
    number = to_decimal(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= highest:
        raise JMESPathError(f"{name}() needs a whole number from 0 to {highest}")
    return int(number)


class MappingFunctions(builtin.Functions):
    """JMESPath's functions with exact numbers, and our own with one customer's lookup tables."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self.looked: list[Looked] = []
        """What the tables were asked since the list was emptied last."""

    def _get_allowed_pytypes(self, types: Sequence[str]) -> tuple[list[str], list[Sequence[str]]]:
        allowed, subtypes = super()._get_allowed_pytypes(types)  # type: ignore[misc]  # not in the stubs
        numbers = ["Decimal"] if "int" in allowed else []
        return [*allowed, *numbers], [(*names, "Decimal") if "int" in names else names for names in subtypes]

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        found = super()._convert_to_jmespath_type(pyobject)  # type: ignore[misc]  # not in the stubs
        return "number" if pyobject == "Decimal" else str(found)

    @builtin.signature({"types": ["array-number"]})
    def _func_avg(self, values: list[Any]) -> Decimal | None:
        numbers = [number for value in values if (number := to_decimal(value)) is not None]
        return sum(numbers, Decimal()) / len(numbers) if numbers else None

    @builtin.signature({"types": []})
    def _func_type(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return "number"
        return super()._func_type(value)  # type: ignore[misc]  # not in the stubs

    @builtin.signature({"types": []})
    def _func_to_number(self, value: Any) -> Decimal | None:
        return to_decimal(value)

    @builtin.signature({"types": []})
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, (dict, list)):
            return json.dumps(value, separators=(",", ":"), default=as_text)
        return "null" if value is None else as_text(value)

    @own_function
    def _func_concat(self, *values: Any) -> str | None:
        parts = [item for value in values for item in (value if isinstance(value, list) else [value])]
        # Blanks between the parts are the point of a separator, so texts are not trimmed here.
        texts = [part if isinstance(part, str) else as_text(part) for part in parts]
        return "".join(texts) or None

    @own_function
    def _func_lookup(self, table: Any, value: Any, fallback: Any = None) -> Any:
        name, text = as_text(table), as_text(value)
        found = self._lookups.get(name, {}).get(text)
        self.looked.append(Looked(name, text, found))
        return fallback if found is None else found

    @own_function
    def _func_default(self, value: Any, fallback: Any) -> Any:
        return fallback if is_empty(value) else value

    @own_function
    def _func_truncate(self, value: Any, length: Any) -> str | None:
        return as_text(value)[: _whole(length, "truncate", 100_000)].strip() or None

    @own_function
    def _func_upper(self, value: Any) -> str | None:
        return as_text(value).upper() or None

    @own_function
    def _func_date(self, value: Any) -> str | None:
        return calendar_day(value)

    @own_function
    def _func_number(self, value: Any, decimals: Any = None) -> Decimal | None:
        number = to_decimal(value.strip() if isinstance(value, str) else value)
        if number is None or decimals is None:
            return number
        return rounded(number, _whole(decimals, "number", _MAX_DECIMALS))

    @own_function
    def _func_hash(self, *values: Any) -> str:
        return hashlib.sha256("\0".join(as_text(value) for value in values).encode()).hexdigest()
