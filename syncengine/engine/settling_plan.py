"""When to ask for an asynchronous answer (STATUS_POLLS, then contracts: Basware §5, then hourly)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

LATER_POLLS = (60.0, 120.0, 300.0, 600.0, 900.0)
HOURLY = 3600.0


def poll_delay(polls: int) -> float:
    """Seconds before poll number `polls + 1`."""
    plan = [*settings.STATUS_POLLS, *LATER_POLLS]
    return float(plan[polls]) if polls < len(plan) else HOURLY


def first_poll_at(now: datetime) -> datetime:
    return now + timedelta(seconds=poll_delay(0))
