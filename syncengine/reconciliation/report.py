"""The report of a period: its rows, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from syncengine.reconciliation.core import Outcome, Row
from syncengine.reconciliation.payments import PaymentOutcome, PaymentRow


class Counted(Protocol):
    """What a tally needs of a row."""

    @property
    def outcome(self) -> StrEnum: ...
    @property
    def currency(self) -> str: ...
    @property
    def amount(self) -> Decimal | None: ...


@dataclass(frozen=True)
class Tally:
    """One outcome: how many rows, and their sums by currency."""

    outcome: StrEnum
    count: int
    amounts: dict[str, Decimal]


def tally(outcomes: Iterable[StrEnum], rows: Iterable[Counted]) -> list[Tally]:
    """One for each outcome in the order given, also for those that did not come up."""
    counts = dict.fromkeys(outcomes, 0)
    sums: dict[StrEnum, dict[str, Decimal]] = {outcome: {} for outcome in counts}
    for row in rows:
        counts[row.outcome] += 1
        of_currency = sums[row.outcome]
        of_currency[row.currency] = of_currency.get(row.currency, Decimal(0)) + (row.amount or Decimal(0))
    return [Tally(outcome, count, dict(sorted(sums[outcome].items()))) for outcome, count in counts.items()]


@dataclass(frozen=True)
class Report:
    """Both systems as they were at `read_at`, for the days `first` to `last`."""

    first: date
    last: date
    read_at: datetime
    rows: list[Row]
    payments: list[PaymentRow]

    @property
    def is_clean(self) -> bool:
        """Whether every approved invoice is posted once, unchanged and confirmed, and nothing else is."""
        return all(row.outcome is Outcome.POSTED_ONCE for row in self.rows)

    @property
    def totals(self) -> list[Tally]:
        return tally(Outcome, self.rows)

    @property
    def payment_totals(self) -> list[Tally]:
        return tally(PaymentOutcome, self.payments)
