"""Scalars as text and numbers as Decimal: the one place that knows how values are written."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

# Beyond this many digits a number is written with an exponent, so that a hostile one cannot fill the memory.
_PLAIN_DIGITS = 60


def is_empty(value: Any) -> bool:
    """Whether a value counts as none: absent, blank text, or a container with nothing in it."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, (list, dict)) and not value)


def canonical_decimal(value: Decimal) -> str:
    """The shortest exact text of a finite number: 30.0 → "30", 1E+2 → "100", -0 → "0"."""
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    if not stripped or not isinstance(exponent, int):
        return "0"
    exponent += len(text) - len(stripped)
    lead = "-" if sign else ""
    if len(stripped) + abs(exponent) > _PLAIN_DIGITS:
        return f"{lead}{stripped}E{exponent}"
    if exponent >= 0:
        return f"{lead}{stripped}{'0' * exponent}"
    padded = stripped.rjust(1 - exponent, "0")
    return f"{lead}{padded[:exponent]}.{padded[exponent:]}"


def to_decimal(value: Any) -> Decimal | None:
    """`value` as a finite Decimal, exactly as written; None when it is no number (a bool is none)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def as_text(value: Any) -> str:
    """A scalar as trimmed text: numbers as decimal text, None as "", booleans as true and false."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    number = to_decimal(value)
    return canonical_decimal(number) if number is not None else str(value).strip()
