"""Time as Basware writes it: UTC, milliseconds, ``Z``."""

import datetime as dt


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def stamp(moment: dt.datetime) -> str:
    """``2026-05-06T07:31:20.123Z``: texts of this form sort like the moments they name."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> dt.datetime:
    """A date or date-time in any spelling the contract allows; without a zone it is UTC. Raises ValueError."""
    parsed = dt.datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)
