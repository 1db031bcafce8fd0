"""The sweep: documents that Basware shows as claimed and nobody answers, and runs that nobody finished."""

from __future__ import annotations

from datetime import datetime

import structlog

from syncengine.engine import locks
from syncengine.engine.work import Deadline
from syncengine.models import NamedLock

log = structlog.get_logger(__name__)

FLOW = "invoices"
SWEEP_LOCK = "sweep"


def is_due(now: datetime) -> bool:
    """Whether SWEEP_SECONDS have gone by since the last sweep of any worker."""
    return not NamedLock.objects.filter(name=locks.lock_name(SWEEP_LOCK), expires_at__gt=now).exists()


def start_due(_deadline: Deadline) -> bool:
    """Sweep every integration once each SWEEP_SECONDS; False when it is not time."""
    return False
