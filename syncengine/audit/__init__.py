"""The trail of who did what: written with the deed, sealed each minute, removed when it is old enough."""

from datetime import datetime

from syncengine.audit import retention, sealing
from syncengine.audit.events import record_event, record_events
from syncengine.audit.retention import retain_due
from syncengine.audit.sealing import seal_due

__all__ = ["is_due", "record_event", "record_events", "retain_due", "seal_due"]


def is_due(now: datetime) -> bool:
    """Whether it is time for `seal_due` or `retain_due`: one row each, by primary key."""
    return sealing.is_due(now) or retention.is_due(now)
