"""Money: Decimal from parsing to sending, and shares that add up to the whole (default-mapping.md, "General")."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from syncengine.mapping.functions import rounded
from syncengine.mapping.text import to_decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")
LEAST_TOLERANCE = Decimal("0.02")


def amount(value: Any) -> Decimal:
    """The number as it is; 0 when there is none."""
    return to_decimal(value) or ZERO


def money(value: Decimal, decimals: int) -> Decimal:
    """Rounded half up; never `-0.00`, which reads like a debt."""
    return rounded(value, decimals) + ZERO


def split(total: Decimal, weights: Sequence[Decimal], decimals: int) -> list[Decimal]:
    """`total` in proportion to the weights; the last part takes the cent, so that the parts add up exactly.

    >>> split(Decimal("10.00"), [Decimal(1), Decimal(1), Decimal(1)], 2)
    [Decimal('3.33'), Decimal('3.33'), Decimal('3.34')]
    """
    whole = sum(weights, ZERO)
    parts = [money(total * weight / whole, decimals) for weight in weights[:-1]]
    return [*parts, total - sum(parts, ZERO)]


def line_tolerance(lines: int, unit: Decimal = CENT) -> Decimal:
    """How far totals may be apart and still be rounding: 0.01 a line and at least 0.02; `unit` is the currency's."""
    return max(unit * lines, 2 * unit)
