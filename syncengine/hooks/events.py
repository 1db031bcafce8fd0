"""What a tool can be told of, and what such a message says."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from syncengine.models import Record, RecordStatus, Run


class Event(StrEnum):
    """Kinds of events; a hook names those that it wants."""

    RECORD_DONE = "record.done"
    RECORD_FAILED = "record.failed"
    INVOICE_POSTED = "invoice.posted"
    INVOICE_PAID = "invoice.paid"
    RUN_FINISHED = "run.finished"
    CONNECTION_REFUSED = "connection.refused"
    CONNECTION_RESUMED = "connection.resumed"
    ATTENTION_NEEDED = "attention.needed"


TEST = "test"
"""What "send a test" sends, whatever a hook asks for."""

WORDS = {
    Event.RECORD_DONE: "A record has arrived in the other system.",
    Event.RECORD_FAILED: "A record failed and is not tried again by itself.",
    Event.INVOICE_POSTED: "An invoice is in SAP: posted now, or found there and linked.",
    Event.INVOICE_PAID: "An invoice is paid in SAP.",
    Event.RUN_FINISHED: "A run has ended, and all its records with it.",
    Event.CONNECTION_REFUSED: "A system refused the log-in; the integration is paused.",
    Event.CONNECTION_RESUMED: "A pause has ended.",
    Event.ATTENTION_NEEDED: "Something wants a person: what the portal's notices say.",
}

# The audit trail is written in the transaction of each deed: what it calls a deed, and which event that is.
OF_ACTION = {
    "record.done": Event.RECORD_DONE,
    "record.confirmed": Event.RECORD_DONE,
    "record.failed": Event.RECORD_FAILED,
    "invoice.posted": Event.INVOICE_POSTED,
    "invoice.adopted": Event.INVOICE_POSTED,
    "record.paid": Event.INVOICE_PAID,
    "run.succeeded": Event.RUN_FINISHED,
    "run.partial": Event.RUN_FINISHED,
    "run.failed": Event.RUN_FINISHED,
    "run.cancelled": Event.RUN_FINISHED,
    "integration.paused": Event.CONNECTION_REFUSED,
    "integration.resumed": Event.CONNECTION_RESUMED,
}


def of_record(record: Record, message: str) -> dict[str, Any]:
    """A record as a message tells of it; the rest is at the API under its id."""
    failed = record.status == RecordStatus.FAILED
    return {
        "id": record.pk,
        "flow": record.flow,
        "key": record.key,
        "title": record.title,
        "status": record.status,
        "stage": record.stage,
        "amount": _amount(record.amount),
        "currency": record.currency,
        "error": {"code": record.error_code, "message": record.error_message} if failed else None,
        "message": message,
    }


def of_run(run: Run) -> dict[str, Any]:
    """A run with its counts."""
    failed = {"code": run.error_code, "message": run.error_message} if run.error_code else None
    return {
        "id": run.pk,
        "flow": run.flow,
        "mode": run.mode,
        "trigger": run.trigger,
        "status": run.status,
        "counts": run.counts,
        "error": failed,
    }


def _amount(amount: Decimal | None) -> str | None:
    """Exact decimal text, as it was given."""
    return None if amount is None else format(amount, "f")
