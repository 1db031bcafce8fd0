"""What SAP computes: rounding, tax on a date, due dates by payment term, exchange rates.

Dates are "YYYY-MM-DD" texts as they are stored, amounts Decimals.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)
CENT = Decimal("0.01")


def rounded(amount: Decimal | int) -> Decimal:
    """To the currency's two decimals, half up as SAP does."""
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


def tax_rate(vat_group: Mapping[str, Any], day: str) -> Decimal | None:
    """The rate of the entry with the latest Effectivefrom not after the day; None before the first."""
    entries = [line for line in vat_group["VatGroups_Lines"] if line["Effectivefrom"] <= day]
    if not entries:
        return None
    return Decimal(max(entries, key=lambda line: line["Effectivefrom"])["Rate"])


def charged_rate(vat_group: Mapping[str, Any], day: str) -> Decimal:
    """What the vendor's total carries: nothing under reverse charge, where the buyer owes the tax."""
    if vat_group.get("AcquisitionReverse") == "tYES":
        return ZERO
    return tax_rate(vat_group, day) or ZERO


def tax_on(net: Decimal, rate: Decimal) -> Decimal:
    return rounded(net * rate / 100)


def due_date(term: Mapping[str, Any], base: str) -> str:
    """Months first, then the end or start of month, then days (contracts: SAP §8.2)."""
    day = _plus_months(date.fromisoformat(base), int(term.get("NumberOfAdditionalMonths") or 0))
    start = term.get("StartFrom")
    if start == "pdt_MonthEnd" or (start == "pdt_HalfMonth" and day.day > 15):
        day = _month_end(day)
    elif start == "pdt_MonthStart":
        day = _month_end(day) + timedelta(days=1)
    elif start == "pdt_HalfMonth":
        day = day.replace(day=15)
    return (day + timedelta(days=int(term.get("NumberOfAdditionalDays") or 0))).isoformat()


def exchange_rate(currency: Mapping[str, Any], day: str) -> Decimal | None:
    """Local currency for one unit of the currency on the day, None where the table has no rate."""
    overrides: Mapping[str, Any] = currency.get("Rates", {})
    if day in overrides:
        return Decimal(overrides[day])
    if not currency["RatesFrom"] <= day <= currency["RatesTo"]:
        return None
    return Decimal(currency["Rate"])


def within(day: str, start: str | None, end: str | None) -> bool:
    """Open ends are unlimited."""
    return (not start or day >= start) and (not end or day <= end)


def usable(record: Mapping[str, Any], day: str, valid: str, frozen: str) -> bool:
    """The rule on Valid and Frozen with their windows (contracts: SAP §8.1), by the names of the yes/no fields."""
    if record.get(frozen) == "tYES" and within(day, record.get("FrozenFrom"), record.get("FrozenTo")):
        return False
    return record.get(valid) != "tYES" or within(day, record.get("ValidFrom"), record.get("ValidTo"))


def _plus_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
