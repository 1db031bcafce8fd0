"""Plots that the server draws: shapes for an SVG, and the words around it.

The drawing is stretched to the width of its place and therefore holds no text: scale, days and legend are HTML beside
it, of the same size on every screen. Each plot carries the same figures as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import log10

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format, number_format

from portal.amounts import number_words
from syncengine.models import DayFigures

HEIGHT = 100
STEP = 10
"""Width of a day, the gap to the next one included."""
BAR = 7
LEAST = 2
"""What is not nothing is seen, however little it is beside the rest."""
STEPS = (1, 2, 4, 5, 6, 8, 10)
UNITS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))


@dataclass(frozen=True)
class Bar:
    """A rectangle of one series, in the drawing's own units, from the top left."""

    series: str
    x: float
    y: float
    height: float
    width: float = BAR


@dataclass(frozen=True)
class Column:
    """A day: its bars, and what it says when one points at it."""

    x: float
    words: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Plot:
    """What the template needs; `empty` says why there is nothing to draw, and then there are no columns.

    `scale` are the words beside the top, middle and bottom line, `days` those under the first, middle and last column.
    """

    title: str
    unit: str
    empty: str
    summary: str = ""
    scale: Sequence[str] = ()
    days: Sequence[str] = ()
    legend: Sequence[tuple[str, str]] = ()
    columns: Sequence[Column] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    @property
    def width(self) -> int:
        return STEP * len(self.columns)


def outcomes_plot(days: Sequence[DayFigures]) -> Plot:
    """Records done and failed by day, one bar on the other."""
    title, unit = "Records done and failed", "records by day"
    most = max((day.done + day.failed for day in days), default=0)
    if not most:
        return Plot(title, unit, "No record was brought over or failed in these days.")
    top = nice_top(most)
    done, failed = sum(day.done for day in days), sum(day.failed for day in days)
    return Plot(
        title,
        unit,
        empty="",
        summary=f"{intcomma(done)} done and {intcomma(failed)} failed in {len(days)} days.",
        scale=[_plainly(value) for value in (top, top / 2, 0)],
        days=_days_named(days),
        legend=[("done", "Done"), ("failed", "Failed")],
        columns=[_outcomes(place, day, top) for place, day in enumerate(days)],
        headers=["Day", "Done", "Failed"],
        rows=[[_name(day.day), intcomma(day.done), intcomma(day.failed)] for day in days if day.done or day.failed],
    )


def _outcomes(place: int, day: DayFigures, top: float) -> Column:
    x = _left(place)
    failed = _height(day.failed, top)
    done = min(_height(day.done, top), HEIGHT - failed)
    bars = [Bar("done", x, HEIGHT - done, done), Bar("failed", x, HEIGHT - done - failed, failed)]
    words = f"{_name(day.day)}: {intcomma(day.done)} done, {intcomma(day.failed)} failed"
    return Column(place * STEP, words, [bar for bar in bars if bar.height])


def posting_plot(days: Sequence[DayFigures]) -> Plot:
    """How long invoices took from approval to posting: from what half needed to what 95 of 100 needed at most."""
    title = "From approval to posting"
    timed = [day for day in days if day.slow_seconds is not None]
    if not timed:
        return Plot(title, "time by day", "No invoice with a known time of approval was posted in these days.")
    most = max(day.slow_seconds or 0.0 for day in timed)
    size, unit = unit_of(most)
    top = nice_top(most / size)
    posted = sum(day.posted for day in timed)
    return Plot(
        title,
        f"{unit} by day",
        empty="",
        summary=(
            f"{intcomma(posted)} invoices were posted; "
            f"the slow end of a day was {number_words(most / size)} {unit} at most."
        ),
        scale=[_plainly(value) for value in (top, top / 2, 0)],
        days=_days_named(days),
        legend=[("median", "Half of the invoices (p50)"), ("slow", "95 of 100 invoices (p95)")],
        columns=[_times(place, day, top * size, size, unit) for place, day in enumerate(days)],
        headers=["Day", "Posted", f"p50, {unit}", f"p95, {unit}"],
        rows=[_time_row(day, size) for day in timed],
    )


def _times(place: int, day: DayFigures, top: float, size: int, unit: str) -> Column:
    if day.median_seconds is None or day.slow_seconds is None:
        return Column(place * STEP, f"{_name(day.day)}: nothing posted", [])
    x, median = _left(place), _height(day.median_seconds, top)
    slow = max(_height(day.slow_seconds, top), median)
    bars = [Bar("slow", x, HEIGHT - slow, slow), Bar("median", x, HEIGHT - median, median)]
    median_words, slow_words = number_words(day.median_seconds / size), number_words(day.slow_seconds / size)
    words = f"p50 {median_words}, p95 {slow_words} {unit}, {day.posted} posted"
    return Column(place * STEP, f"{_name(day.day)}: {words}", bars)


def _time_row(day: DayFigures, size: int) -> list[str]:
    seconds = (day.median_seconds or 0.0, day.slow_seconds or 0.0)
    return [_name(day.day), intcomma(day.posted), *(number_words(one / size) for one in seconds)]


def nice_top(most: float) -> float:
    """The next round number, so that it and its half read well: 1, 2, 4, 5, 6, 8 or 10 of a power of ten."""
    if most <= 1:
        return 1 if most > 0.5 else 0.5
    power = 10 ** int(log10(most))
    return next(float(step * power) for step in STEPS if step * power >= most)


def unit_of(seconds: float) -> tuple[int, str]:
    """The unit in which that many seconds read best, and how many seconds it has."""
    return next((size, unit) for least, size, unit in UNITS if seconds >= least)


def share(part: int, whole: int) -> int:
    """Of a bar of 100: something for every part that is not nothing."""
    return round(_height(part, whole)) if whole else 0


def _height(value: float, top: float) -> float:
    return round(max(value / top * HEIGHT, LEAST), 2) if value > 0 else 0


def _left(place: int) -> float:
    return place * STEP + (STEP - BAR) / 2


def _name(day: date) -> str:
    return date_format(day, "MONTH_DAY_FORMAT")


def _plainly(value: float) -> str:
    """2,000 and 0.5: no decimals that say nothing."""
    return str(number_format(Decimal(f"{value:g}"), force_grouping=True))


def _days_named(days: Sequence[DayFigures]) -> list[str]:
    places: Iterable[int] = (0, len(days) // 2, -1)
    return [_name(days[place].day) for place in places]
