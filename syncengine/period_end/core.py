"""Whether a posting period is complete: a list of checks, each with its number. Pure: everything is handed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import parse_date
from syncengine.mapping.text import as_text
from syncengine.posting.lookups import is_open_period
from syncengine.reconciliation.core import Outcome, Row
from syncengine.reconciliation.payments import PaymentOutcome
from syncengine.reconciliation.report import Report

USUAL_CUTOFF_DAYS = 5
"""After the last day of a period, where the organization has not chosen otherwise."""
NOT_IN_SAP_YET = frozenset({"received", "acknowledged", "checked"})
FRESH = timedelta(hours=24)

Sums = dict[str, Decimal]


@dataclass(frozen=True)
class FinancePeriod:
    """One of SAP's posting periods (contracts: SAP, dates and periods)."""

    name: str
    first: date
    last: date
    is_open: bool

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice that has not come to its end here. `day` is its posting date as the document stands."""

    stage: str
    failed: bool
    currency: str
    amount: Decimal
    day: date


@dataclass(frozen=True)
class Landing:
    """What will be posted into one period; `moved` of them were meant for a locked one."""

    period: str
    count: int
    moved: int
    amounts: Sums


@dataclass(frozen=True)
class Total:
    """One branch and currency: what Basware approved against what SAP holds."""

    branch: str
    currency: str
    expected: Decimal
    posted: Decimal
    invoices: int

    @property
    def difference(self) -> Decimal:
        return self.posted - self.expected


@dataclass(frozen=True)
class Check:
    """One question; `number` is what was counted. `link` names where to look: records, failed, reconciliation …"""

    name: str
    ok: bool
    title: str
    number: str
    link: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What else decides: how our own side stands. `looked_at` is when the last good run of invoices began, in the
    zone whose midnight ends a period.
    """

    now: datetime
    looked_at: datetime | None
    is_running: bool


def periods_of(rows: Iterable[Mapping[str, Any]]) -> list[FinancePeriod]:
    """SAP's periods in order of time; one without its dates names nothing that could be closed."""
    found = []
    for row in rows:
        first, last = parse_date(row.get("PostingDateFrom")), parse_date(row.get("PostingDateTo"))
        if first and last:
            name = as_text(row.get("PeriodName") or row.get("PeriodCode")) or f"{first:%Y-%m}"
            found.append(FinancePeriod(name, first, last, is_open_period(row)))
    return sorted(found, key=lambda one: (one.first, one.last))


def holding(periods: Sequence[FinancePeriod], day: date) -> FinancePeriod | None:
    """The period of a day; an open one before one that is locked, as SAP posts into it."""
    covering = [one for one in periods if one.holds(day)]
    return next((one for one in covering if one.is_open), covering[0] if covering else None)


def lands_on(day: date, periods: Sequence[FinancePeriod], *, next_open_day: bool) -> date:
    """The posting date (default-mapping.md): moved only where its period is locked and the setting says so."""
    period = holding(periods, day)
    if not next_open_day or period is None or period.is_open:
        return day
    return min((one.first for one in periods if one.is_open and one.first > day), default=day)


def landings(
    invoices: Iterable[OpenInvoice], periods: Sequence[FinancePeriod], *, next_open_day: bool
) -> list[Landing]:
    """What is not in SAP yet, by the period that it will be posted into; "" for days that no period holds."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    sums: dict[str, Sums] = defaultdict(dict)
    for one in invoices:
        if one.stage not in NOT_IN_SAP_YET:
            continue
        day = lands_on(one.day, periods, next_open_day=next_open_day)
        period = holding(periods, day)
        name = period.name if period else ""
        counts[name][0] += 1
        counts[name][1] += day != one.day
        _add(sums[name], one.currency, one.amount)
    order = {period.name: number for number, period in enumerate(periods)}
    names = sorted(counts, key=lambda name: order.get(name, len(order)))
    return [Landing(name, counts[name][0], counts[name][1], dict(sorted(sums[name].items()))) for name in names]


def stages(invoices: Iterable[OpenInvoice]) -> list[dict[str, Any]]:
    """What is in flight: by stage, how many, how many of them need a person, and the money by currency."""
    found: dict[str, dict[str, Any]] = {}
    for one in invoices:
        row = found.setdefault(one.stage, {"stage": one.stage, "count": 0, "failed": 0, "amounts": {}})
        row["count"] += 1
        row["failed"] += one.failed
        _add(row["amounts"], one.currency, one.amount)
    return list(found.values())


def totals(rows: Iterable[Row]) -> list[Total]:
    """Expected against posted, by branch and currency. What SAP holds of an invoice counts in SAP's own branch."""
    expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    posted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row.expected is not None:
            expected[row.branch, row.sap_currency] += row.expected
            counts[row.branch, row.sap_currency] += 1
        for document in row.documents:
            posted[document.branch, document.currency] += document.signed
    return [
        Total(branch, currency, expected[branch, currency], posted[branch, currency], counts[branch, currency])
        for branch, currency in sorted({*expected, *posted})
    ]


def usual_cutoff(last: date, days: int = USUAL_CUTOFF_DAYS) -> date:
    return last + timedelta(days=days)


def checks(
    period: FinancePeriod,
    periods: Sequence[FinancePeriod],
    report: Report,
    invoices: Sequence[OpenInvoice],
    around: Surroundings,
    *,
    next_open_day: bool,
) -> list[Check]:
    """Every question that must be answered with yes before the period may be closed."""
    here = [one for one in invoices if period.holds(lands_on(one.day, periods, next_open_day=next_open_day))]
    under_way = [one for one in here if not one.failed]
    failed = [one for one in here if one.failed]
    waiting = [one for one in here if one.stage in NOT_IN_SAP_YET]
    following = holding(periods, period.last + timedelta(days=1))
    uneven = [one for one in totals(report.rows) if one.difference]
    return [
        Check("period", period.is_open or not waiting, *_of_period(period, len(waiting))),
        Check("under_way", not under_way, "No invoice of the period is under way", str(len(under_way)), "records"),
        Check("failed", not failed, "No invoice of the period needs a person", str(len(failed)), "failed"),
        *_of_report(report),
        Check("totals", not uneven, "Expected and posted totals agree", _amounts(uneven), "reconciliation"),
        _payments(report),
        _looked(period, around),
        Check("running", around.is_running, "The integration is on, not paused", "on" if around.is_running else "off"),
        Check(
            "next",
            following is not None and following.is_open,
            "The next period is there and open",
            following.name if following else "none",
        ),
    ]  # fmt: skip


def _of_period(period: FinancePeriod, waiting: int) -> tuple[str, str]:
    if period.is_open:
        return "SAP's period is open for what is still to be posted", "open"
    title = "SAP's period is locked, and invoices would still land in it" if waiting else "SAP's period is locked"
    return title, "locked"


def _of_report(report: Report) -> list[Check]:
    questions = (
        ("missing", (Outcome.MISSING, Outcome.FAILED), "Every approved invoice is in SAP"),
        ("duplicates", (Outcome.DUPLICATE,), "No invoice is in SAP twice"),
        ("unaltered", (Outcome.TOTALS_DIFFER,), "Every document in SAP has its invoice's own sums"),
        ("confirmed", (Outcome.NOT_CONFIRMED,), "Basware shows every posted invoice as transferred"),
        ("approved", (Outcome.NOT_APPROVED,), "Nothing is in SAP that nobody approved"),
    )
    found = []
    for name, outcomes, title in questions:
        count = sum(row.outcome in outcomes for row in report.rows)
        found.append(Check(name, not count, title, str(count), "reconciliation"))
    return found


def _payments(report: Report) -> Check:
    open_ones = sum(row.outcome is not PaymentOutcome.CONFIRMED for row in report.payments)
    return Check("payments", not open_ones, "Basware knows every payment", str(open_ones), "reconciliation")


def _looked(period: FinancePeriod, around: Surroundings) -> Check:
    """A run must have looked for invoices since the period ended, and lately while it still goes on."""
    looked = around.looked_at
    is_over = looked is not None and looked.date() > period.last
    ok = looked is not None and (is_over or around.now - looked < FRESH)
    number = f"{looked:%Y-%m-%d %H:%M} ({looked.tzinfo})" if looked else "never"
    return Check("looked", ok, "Basware was asked for invoices, after the period's end or within a day", number, "runs")


def _amounts(uneven: Sequence[Total]) -> str:
    return ", ".join(f"{one.difference:+.2f} {one.currency}" for one in uneven) or "0.00"


def _add(sums: Sums, currency: str, amount: Decimal) -> None:
    sums[currency] = sums.get(currency, Decimal(0)) + amount


def as_document(
    period: FinancePeriod,
    periods: Sequence[FinancePeriod],
    company: str,
    report: Report,
    invoices: Sequence[OpenInvoice],
    around: Surroundings,
    *,
    next_open_day: bool,
) -> dict[str, Any]:
    """All that was found, as it is remembered: texts, numbers and exact amounts."""
    answered = checks(period, periods, report, invoices, around, next_open_day=next_open_day)
    return {
        "company": company,
        "period": _shown(period),
        "periods": [_shown(one) for one in periods],
        "next_open_day": next_open_day,
        "checks": [asdict(one) for one in answered],
        "green": all(one.ok for one in answered),
        "stages": stages(invoices),
        "landings": [asdict(one) for one in landings(invoices, periods, next_open_day=next_open_day)],
        "totals": [{**asdict(one), "difference": one.difference} for one in totals(report.rows)],
        "invoices": len(report.rows),
    }


def _shown(period: FinancePeriod) -> dict[str, Any]:
    return {**asdict(period), "first": period.first.isoformat(), "last": period.last.isoformat()}


def remembered(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `as_document` made, read back: whole amounts come out of JSON as integers and are Decimals again."""
    sums = ("expected", "posted", "difference")
    return {
        **document,
        "stages": [{**one, "amounts": _decimals(one["amounts"])} for one in document["stages"]],
        "landings": [{**one, "amounts": _decimals(one["amounts"])} for one in document["landings"]],
        "totals": [{**one, **_decimals({name: one[name] for name in sums})} for one in document["totals"]],
    }


def _decimals(amounts: Mapping[str, Any]) -> Sums:
    return {name: Decimal(amount) for name, amount in amounts.items()}
