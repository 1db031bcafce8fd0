"""The trail of who did what."""

from syncengine.audit.events import record_event, record_events

__all__ = ["record_event", "record_events"]
