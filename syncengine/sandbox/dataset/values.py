"""Small things that all of the data set is made with."""

from __future__ import annotations

from datetime import date, timedelta


def day(today: date, offset: int) -> str:
    """So many days from today, as stored."""
    return (today + timedelta(days=offset)).isoformat()


def window(given: tuple[int | None, int | None] | None, today: date) -> tuple[str | None, str | None]:
    """From and To, given in days from today; None is an open end."""
    start, end = given or (None, None)
    return (None if start is None else day(today, start)), (None if end is None else day(today, end))


def yes(condition: bool) -> str:
    return "tYES" if condition else "tNO"
