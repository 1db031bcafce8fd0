"""Plots: shapes inside the drawing, the words around it, and the same as a table."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from portal.views.plots import BAR, HEIGHT, LEAST, STEP, nice_top, outcomes_plot, posting_plot, share, unit_of
from syncengine.models import DayFigures

FIRST = date(2026, 4, 5)


def month(**figures_of_first):
    """Thirty days, of which the first has these figures and the others none."""
    days = [DayFigures(day=FIRST + timedelta(days=number)) for number in range(30)]
    for name, value in figures_of_first.items():
        setattr(days[0], name, value)
    return days


def test_done_and_failed_stand_on_each_other_within_the_drawing():
    plot = outcomes_plot(month(done=75, failed=25))
    done, failed = plot.columns[0].bars
    assert (done.series, done.height, done.y) == ("done", 75, 25)
    assert (failed.series, failed.height, failed.y) == ("failed", 25, 0)
    assert plot.columns[1].bars == []


def test_every_bar_lies_within_the_drawing():
    days = month()
    for number, day in enumerate(days):
        day.done, day.failed = number * 37, number
    for column in outcomes_plot(days).columns:
        for bar in column.bars:
            assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
            assert column.x <= bar.x <= bar.x + bar.width <= column.x + STEP


def test_one_failure_among_thousands_is_seen():
    failed = outcomes_plot(month(done=9999, failed=1)).columns[0].bars[1]
    assert (failed.series, failed.height, failed.width) == ("failed", LEAST, BAR)
    assert failed.y >= 0


def test_scale_days_and_summary_are_words():
    plot = outcomes_plot(month(done=1250, failed=3))
    assert plot.scale == ["2,000", "1,000", "0"]
    assert plot.days == ["5 Apr", "20 Apr", "4 May"]
    assert plot.summary == "1,250 done and 3 failed in 30 days."
    assert plot.columns[0].words == "5 Apr: 1,250 done, 3 failed"
    assert plot.width == 300


def test_the_table_has_the_days_on_which_something_happened():
    plot = outcomes_plot(month(done=1250, failed=3))
    assert (plot.headers, plot.rows) == (["Day", "Done", "Failed"], [["5 Apr", "1,250", "3"]])


@pytest.mark.parametrize("plot", [outcomes_plot, posting_plot])
@pytest.mark.parametrize("days", [[], month()])
def test_nothing_to_draw_says_so(plot, days):
    drawn = plot(days)
    assert drawn.empty
    assert not drawn.columns


def test_the_slow_end_stands_behind_the_median():
    plot = posting_plot(month(posted=40, median_seconds=300.0, slow_seconds=600.0))
    slow, median = plot.columns[0].bars
    assert (slow.series, slow.height) == ("slow", HEIGHT)
    assert (median.series, median.height) == ("median", HEIGHT / 2)
    assert (plot.unit, plot.scale) == ("minutes by day", ["10", "5", "0"])
    assert plot.rows == [["5 Apr", "40", "5.0", "10.0"]]
    assert plot.columns[1].words == "6 Apr: nothing posted"


def test_posting_at_once_is_drawn_too():
    plot = posting_plot(month(posted=1, median_seconds=0.0, slow_seconds=0.0))
    assert plot.scale == ["0.5", "0.25", "0"]
    assert {bar.height for bar in plot.columns[0].bars} == {0}


@pytest.mark.parametrize(
    ("most", "top"), [(0.2, 0.5), (1, 1), (3, 4), (5, 5), (7, 8), (9, 10), (11, 20), (4100, 5000), (10_000, 10_000)]
)
def test_the_top_of_a_scale_is_a_round_number(most, top):
    assert nice_top(most) == top


@pytest.mark.parametrize(
    ("seconds", "unit"), [(5, "seconds"), (119, "seconds"), (120, "minutes"), (7200, "hours"), (3 * 86400, "days")]
)
def test_the_unit_is_the_one_in_which_a_time_reads_best(seconds, unit):
    assert unit_of(seconds)[1] == unit


@pytest.mark.parametrize(("part", "whole", "length"), [(0, 0, 0), (0, 9, 0), (1, 999, LEAST), (5, 10, 50), (9, 9, 100)])
def test_a_share_shows_every_part_that_is_not_nothing(part, whole, length):
    assert share(part, whole) == length
