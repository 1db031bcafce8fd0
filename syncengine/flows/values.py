"""How SAP writes yes, dates, windows and amounts, and how Basware wants names and dates: what all flows share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import parse_date
from syncengine.mapping.functions import rounded
from syncengine.mapping.text import as_text, to_decimal
from syncengine.posting.sap_values import is_frozen, is_out_of_validity

FIRST_DAY = "2000-01-01T00:00:00Z"
LAST_DAY = "2099-12-31T00:00:00Z"
ENGLISH = "en-US"
ZERO = Decimal(0)


def day(value: Any) -> date | None:
    """The calendar date as SAP wrote it; None for nothing and for what is no date."""
    try:
        return parse_date(value)
    except ValueError:
        return None


def moment(value: Any) -> str | None:
    """A calendar date as Basware's date-time: midnight, never converted (contracts: Basware §6)."""
    found = day(value)
    return f"{found.isoformat()}T00:00:00Z" if found else None


def instant(value: Any) -> datetime | None:
    """A date-time of Basware's with its zone, UTC where it names none; None for what is no date-time."""
    try:
        found = datetime.fromisoformat(as_text(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def usable(record: Mapping[str, Any], today: date, *, valid: str = "Valid", frozen: str = "Frozen") -> bool:
    """The rule on Valid and Frozen with their windows (contracts: SAP §8.1); `Valid` alone says nothing."""
    return not is_frozen(record, today, frozen) and not is_out_of_validity(record, today, valid)


def window_edges(record: Mapping[str, Any], *names: str) -> list[date]:
    """The days on which the windows `<name>From`/`<name>To` open, and those after they close."""
    edges: set[date] = set()
    for name in names:
        first, last = day(record.get(f"{name}From")), day(record.get(f"{name}To"))
        edges |= {first} if first else set()
        edges |= {last + timedelta(days=1)} if last and last < date.max else set()
    return sorted(edges)


def names(code: Any, name: Any) -> list[dict[str, str]]:
    """A name as Basware's translations, two characters at least: a shorter one is led by its code."""
    text, key = as_text(name), as_text(code)
    if len(text) < 2:
        text = f"{key} {text}".strip()
    if len(text) < 2:
        text = f"{key} -".strip()
    return [{"language": ENGLISH, "translation": text}]


def number(value: Any) -> Decimal:
    """A number of SAP's; 0 when there is none."""
    return to_decimal(value) or ZERO


def amount(value: Any, decimals: int) -> Decimal:
    """An amount rounded to the currency's decimals; 0 when there is none."""
    return rounded(number(value), decimals)


def compact(pairs: Iterable[tuple[str, Any]] | Mapping[str, Any]) -> dict[str, Any]:
    """The pairs that have a value: an optional field without one is left out, never sent as ""."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return {key: value for key, value in items if value is not None and value not in ("", [], {})}


def title(code: Any, name: Any) -> str:
    """Code and name of a record for people, as long as a list shows."""
    return f"{as_text(code)} {as_text(name)}".strip()[:250]
