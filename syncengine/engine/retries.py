"""When to try again, and how a failed call is written down on a record."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings

from syncengine.connectors.outcomes import ConnectorError, Throttled


def retry_delay(attempts: int, spread: float | None = None) -> float:
    """Seconds before try number `attempts + 1`: RETRY_DELAYS × 0.8-1.2, the last one ever after."""
    delays = settings.RETRY_DELAYS
    factor = random.uniform(0.8, 1.2) if spread is None else spread  # noqa: S311  # jitter, not a secret
    return float(delays[min(max(attempts, 1), len(delays)) - 1]) * factor


def retry_at(error: ConnectorError, attempts: int, now: datetime) -> datetime:
    """When to try again after `error`: as told by the target, else by backoff."""
    told = error.after if isinstance(error, Throttled) else None
    return now + timedelta(seconds=told if told is not None else retry_delay(attempts))
