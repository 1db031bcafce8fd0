"""What a schedule means: in words, by its next times on the wall of the organization, and whether it is wise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from cronsim import CronSim, CronSimError

from portal.forms.flows import CRON_PRESETS

NEXT_TIMES = 5
FIELDS = 5
NO_CRON = "This is no cron expression: five fields for minute, hour, day, month and weekday, of a time that comes."
FULL_AT_MOST_EVERY = timedelta(hours=1)
CHANGES_AT_MOST_EVERY = timedelta(minutes=2)
SELDOM = timedelta(days=8)


def words_of(expression: str, now: datetime, *, full: bool = False) -> dict[str, Any]:
    """`words`, `times` and perhaps a `warning`, or `error`; nothing at all for an empty expression.

    `now` is in the organization's zone, where the schedule is meant: an hour that the clocks leave out or repeat is
    run through as the wall clock shows it.
    """
    if not expression:
        return {}
    try:
        cron = CronSim(expression, now)
        words = CRON_PRESETS.get(expression) or cron.explain()
        times = list(islice(cron, NEXT_TIMES))
    except CronSimError:
        return {"error": NO_CRON}
    if len(expression.split()) != FIELDS or not times:
        return {"error": NO_CRON}
    return {"words": words, "times": times, "warning": warning_of(times, now, full=full)}


def warning_of(times: Sequence[datetime], now: datetime, *, full: bool) -> str:
    """What speaks against a schedule with these next times; "" for a wise one."""
    moments = [time.astimezone(UTC) for time in (now, *times)]
    shortest = min((later - earlier for earlier, later in pairwise(moments[1:])), default=SELDOM)
    if full and shortest < FULL_AT_MOST_EVERY:
        return (
            f"Everything would be read {_often(shortest)}. That burdens SAP and rarely finds more than reading "
            "what changed does: once a night is enough."
        )
    if not full and shortest < CHANGES_AT_MOST_EVERY:
        return (
            "A run that is still at work when the next is due lets that one fall out: every 5 minutes is enough, "
            "and invoices come by notification at once."
        )
    if not full and max(later - earlier for earlier, later in pairwise(moments)) > SELDOM:
        return "There is more than a week between two runs: what changes meanwhile waits for the next one."
    return ""


def _often(gap: timedelta) -> str:
    minutes = round(gap.total_seconds() / 60)
    return "every minute" if minutes <= 1 else f"every {minutes} minutes"
