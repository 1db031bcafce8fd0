"""SAP's spellings of values, in filters, keys and answers, over v1 and v2 alike (contracts: SAP §1, §4, §6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

Key = str | int | Mapping[str, str | int]

_SAFE = "$'(),:/*@!~"  # what needs no percent sign inside a query option
_WCF_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")


def text_literal(text: str) -> str:
    """A string in a filter: `O'Reilly` → `'O''Reilly'`."""
    return "'" + text.replace("'", "''") + "'"


def date_literal(day: date) -> str:
    """A date in a filter, quoted ISO: unquoted dates are unconfirmed."""
    return f"'{day.isoformat()[:10]}'"


def literal(value: str | int) -> str:
    """A key or code in a filter: text quoted, numbers as they are."""
    return text_literal(value) if isinstance(value, str) else str(value)


def equals(field: str, value: str | int) -> str:
    """`Field eq value`."""
    return f"{field} eq {literal(value)}"


def starts_with(field: str, text: str) -> str:
    """The same in v1 and v2."""
    return f"startswith({field},{text_literal(text)})"


def contains(field: str, text: str, *, v1: bool = False) -> str:
    """`contains` is OData 4; v1 has `substringof` with its arguments the other way round."""
    return f"substringof({text_literal(text)},{field})" if v1 else f"contains({field},{text_literal(text)})"


def all_of(*conditions: str) -> str:
    """Conditions joined by `and`, each in parentheses; empty ones left out."""
    kept = [condition for condition in conditions if condition]
    return kept[0] if len(kept) == 1 else " and ".join(f"({condition})" for condition in kept)


def entity_path(entity_set: str, key: Key) -> str:
    """`PurchaseInvoices(4711)`, `BusinessPartners('V1000')`, `X(A='1',B=2)`, percent-encoded for a path."""
    if isinstance(key, Mapping):
        return f"{entity_set}({','.join(f'{name}={_key(value)}' for name, value in key.items())})"
    return f"{entity_set}({_key(key)})"


def _key(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + quote(value.replace("'", "''"), safe="") + "'"


def query_string(options: Mapping[str, str]) -> str:
    """Query options percent-encoded; a blank is %20, never `+`, and `& + # %` cannot cut the query."""
    return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value)


def parse_date(value: Any) -> date | None:
    """A calendar date as written: the first ten characters, never converted between zones.

    Takes `2026-11-20`, `2026-11-20T00:00:00Z`, `20261120` and WCF's `/Date(ms)/`. None for nothing.
    """
    if not value:
        return None
    text = str(value)
    wcf = _WCF_DATE.fullmatch(text)
    if wcf:
        return _wcf_day(int(wcf[1]), wcf[2])
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return date.fromisoformat(text[:10])


def _wcf_day(milliseconds: int, offset: str | None) -> date:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    if offset:
        minutes = int(offset[1:3]) * 60 + int(offset[3:])
        moment += timedelta(minutes=-minutes if offset[0] == "-" else minutes)
    return moment.date()


def is_yes(value: Any) -> bool:
    """`tYES` or `boYES`: some yes/no fields use the one spelling, some the other."""
    return value in {"tYES", "boYES"}


def etag(data_version: int) -> str:
    """The ETag that SAP gives a DataVersion; that of a $select read is false (contracts: SAP §6)."""
    return f'W/"{hashlib.sha1(str(data_version).encode(), usedforsecurity=False).hexdigest().upper()}"'
