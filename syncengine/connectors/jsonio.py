"""JSON without floats: amounts are Decimal from parsing to sending (conventions.md, contracts: SAP §8).

The standard encoder can write a Decimal only through float or as text, so writing is done here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

MOST_DIGITS = 60  # a plain number longer than this is no amount, and 1E+999999 would fill the memory


def loads(text: str | bytes, *, doubles: bool = False) -> Any:
    """Parse JSON; numbers become int or Decimal. Raises ValueError for anything that is not JSON, NaN included.

    `doubles`: whoever wrote it keeps its numbers as doubles (contracts: Basware §6, SAP §8), so digits that no double
    carries are noise: 33.330000000000005 is 33.33.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        return json.loads(text, parse_float=_double if doubles else _finite, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None


_CARRIED = Context(prec=15)  # significant digits that survive in a double, whatever they are


def _double(text: str) -> Decimal:
    number = _finite(text)
    if len(number.as_tuple().digits) <= _CARRIED.prec:
        return number
    return _CARRIED.create_decimal(number).normalize(_CARRIED)


class Written(str):
    """JSON that is written already, to be put into other JSON as it is."""

    __slots__ = ()


def dumps(value: Any) -> str:
    """Compact JSON; a Decimal is written digit by digit as it is (100.10), a date as YYYY-MM-DD. Refuses floats."""
    return _text(value)


def dump_bytes(value: Any) -> bytes:
    """`dumps` as the bytes of a request body."""
    return dumps(value).encode()


def _finite(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that Decimal itself cannot hold
        raise ValueError(f"no finite number: {text[:40]}") from None
    if not number.is_finite():
        raise ValueError(f"no finite number: {text[:40]}")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _text(value: Any) -> str:
    """By exact type first: this runs for every field of every record."""
    write = _BY_TYPE.get(type(value))
    return write(value) if write else _rare(value)


def _object(value: Mapping[Any, Any]) -> str:
    # Most values are text: those are spared a call of their own.
    fields = [
        _key(key) + (encode_basestring_ascii(item) if type(item) is str else _text(item)) for key, item in value.items()
    ]
    return "{" + ",".join(fields) + "}"


@lru_cache(maxsize=4096, typed=True)
def _key(key: Any) -> str:
    """The name with its colon; the same few hundred names come again with every record."""
    if not isinstance(key, str):
        raise TypeError(f"JSON keys are text, not {type(key).__name__}")
    return encode_basestring_ascii(key) + ":"


def _array(value: Iterable[Any]) -> str:
    return "[" + ",".join([_text(item) for item in value]) + "]"


def _rare(value: Any) -> str:
    for kind, write in _BY_BASE:
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"{type(value).__name__} has no exact form in JSON here")


def _number(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS or len(value.as_tuple().digits) > MOST_DIGITS:
        raise ValueError("not a number that JSON should carry")
    return format(value, "f")


def _day(value: date) -> str:
    return f'"{value.isoformat()}"'


_BY_TYPE: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    dict: _object,
    list: _array,
    tuple: _array,
    int: int.__repr__,
    Decimal: _number,
    date: _day,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    Written: str,
}
# Subclasses, text enums among them; datetime is a date too and has no form here.
_BY_BASE: list[tuple[type, Callable[[Any], str]]] = [
    (str, encode_basestring_ascii),
    (Mapping, _object),
    (list, _array),
    (tuple, _array),
    (int, int.__repr__),
    (Decimal, _number),
]
