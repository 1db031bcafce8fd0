"""JSON without floats: amounts are Decimal from parsing to sending (conventions.md, contracts: SAP §8).

The standard encoder can write a Decimal only through float or as text, so writing is done here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

MOST_DIGITS = 60  # a plain number longer than this is no amount, and 1E+999999 would fill the memory


def loads(text: str | bytes) -> Any:
    """Parse JSON; numbers become int or Decimal. Raises ValueError for anything that is not JSON, NaN included."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None


def dumps(value: Any) -> str:
    """Compact JSON; a Decimal is written digit by digit as it is (100.10), a date as YYYY-MM-DD. Refuses floats."""
    return "".join(_chunks(value))


def dump_bytes(value: Any) -> bytes:
    """`dumps` as the bytes of a request body."""
    return dumps(value).encode()


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(f"no finite number: {text[:40]}")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _chunks(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _object(value)
    elif isinstance(value, list | tuple):
        yield from _array(value)
    else:
        yield _scalar(value)


def _object(value: Mapping[Any, Any]) -> Iterator[str]:
    separator = "{"
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"JSON keys are text, not {type(key).__name__}")
        yield f"{separator}{encode_basestring_ascii(key)}:"
        yield from _chunks(item)
        separator = ","
    yield "{}" if separator == "{" else "}"


def _array(value: list[Any] | tuple[Any, ...]) -> Iterator[str]:
    separator = "["
    for item in value:
        yield separator
        yield from _chunks(item)
        separator = ","
    yield "[]" if separator == "[" else "]"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    raise TypeError(f"{type(value).__name__} has no exact form in JSON here")


def _number(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS or len(value.as_tuple().digits) > MOST_DIGITS:
        raise ValueError("not a number that JSON should carry")
    return format(value, "f")
