"""What happened to a record, in people's words: audit events and the writes that were sent for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from syncengine.audit.events import SYSTEM
from syncengine.models import Attempt, AttemptState, AuditEvent, Record

MOST = 100

_WORDS_OF_KINDS = {
    "import": "Sent to Basware",
    "acknowledge": "Claimed in Basware",
    "post": "Posted to SAP",
    "transfer_response": "Answer sent to Basware",
    "payment_response": "Payment confirmed to Basware",
    "payment_block": "Payment block set in SAP",
}
_WORDS_OF_STATES = {
    AttemptState.SENDING: ("on its way", ""),
    AttemptState.ACCEPTED: ("accepted, the answer is still coming", ""),
    AttemptState.SETTLED: ("", ""),
    AttemptState.DONE: ("", "ok"),
    AttemptState.REJECTED: ("refused", "bad"),
    AttemptState.UNKNOWN: ("no answer came, so it is looked up before anything is repeated", "bad"),
    AttemptState.NOT_SENT: ("not sent", "bad"),
    AttemptState.NO_ANSWER: ("never answered", "bad"),
}
_BAD_ENDINGS = ("failed", "rejected", "refused", "unknown", "paused")
_GOOD_ENDINGS = ("done", "posted", "confirmed", "paid", "adopted", "acknowledged", "succeeded")


@dataclass(frozen=True)
class Moment:
    """One line of the timeline. `tone` colours its dot: ok, bad, person or nothing."""

    at: datetime
    title: str
    text: str
    actor: str
    tone: str


def words_of_action(action: str) -> str:
    """`record.transfer_confirmed` → "Transfer confirmed"."""
    return action.rpartition(".")[2].replace("_", " ").capitalize()


def timeline_of(record: Record) -> list[Moment]:
    """Newest first."""
    moments = [*_events(record), *_attempts(record)]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)[:MOST]


def _events(record: Record) -> Iterator[Moment]:
    for event in AuditEvent.objects.filter(record=record).order_by("-pk")[:MOST]:
        by_person = event.actor != SYSTEM
        tone = "person" if by_person else _tone(event.action)
        yield Moment(
            event.created_at, words_of_action(event.action), event.message, event.actor if by_person else "", tone
        )


def _tone(action: str) -> str:
    if action.endswith(_BAD_ENDINGS):
        return "bad"
    return "ok" if action.endswith(_GOOD_ENDINGS) else ""


def _attempts(record: Record) -> Iterator[Moment]:
    """Single writes of the record and the batches that held it."""
    single = Attempt.objects.filter(record=record)
    batched = Attempt.objects.filter(items__record=record)
    for attempts in (single, batched):
        for attempt in attempts.defer("payload", "answer").order_by("-pk")[:MOST]:
            kind = _WORDS_OF_KINDS.get(attempt.kind) or attempt.kind.replace("_", " ").capitalize()
            words, tone = _WORDS_OF_STATES[AttemptState(attempt.state)]
            title = f"{kind}: {words}" if words else kind
            yield Moment(attempt.started_at, title, attempt.message, "", tone)
