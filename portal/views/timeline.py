"""What happened to a record, in people's words: audit events, the writes that were sent for it, and its calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from syncengine.audit.events import SYSTEM
from syncengine.models import Attempt, AttemptState, AuditEvent, Call, Record
from tenants.models import System

MOST = 100
A_ROUND = timedelta(minutes=2)

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
    """One line of the timeline. `tone` colours its dot: ok, bad, person or nothing. What repeated itself is one line:
    `times` says how often, `since` when it began."""

    at: datetime
    title: str
    text: str
    actor: str
    tone: str
    times: int = 1
    since: datetime | None = None


def words_of_action(action: str) -> str:
    """`record.transfer_confirmed` → "Transfer confirmed"."""
    return action.rpartition(".")[2].replace("_", " ").capitalize()


def timeline_of(record: Record, attempts: Sequence[Attempt], calls: Iterable[Call] = ()) -> list[Moment]:
    """Newest first."""
    moments = [*_events(record), *map(_write, attempts), *_rounds(calls)]
    return list(_collapsed(sorted(moments, key=lambda moment: moment.at, reverse=True)))[:MOST]


def _collapsed(moments: Sequence[Moment]) -> Iterator[Moment]:
    """Of what happened again and again with nothing in between, the last time, with how often it was."""
    for _, same in groupby(moments, key=lambda moment: (moment.title, moment.text, moment.actor, moment.tone)):
        repeats = list(same)
        last, times = repeats[0], sum(moment.times for moment in repeats)
        yield last if times == 1 else replace(last, times=times, since=repeats[-1].since or repeats[-1].at)


def _rounds(calls: Iterable[Call]) -> Iterator[Moment]:
    """Questions that were asked at a stretch, as one line for each system; writes have their own."""
    asked = sorted((call for call in calls if call.method == "GET"), key=lambda call: (call.system, call.started_at))
    rounds: list[list[Call]] = []
    for call in asked:
        near = rounds and rounds[-1][-1].system == call.system
        if near and call.started_at - rounds[-1][-1].started_at <= A_ROUND:
            rounds[-1].append(call)
        else:
            rounds.append([call])
    for calls_of_it in rounds:
        yield _round(calls_of_it)


def _round(calls: Sequence[Call]) -> Moment:
    system = System(calls[0].system).label if calls[0].system in System.values else calls[0].system
    refused = [call for call in calls if call.outcome != "ok"]
    questions = "1 question" if len(calls) == 1 else f"{len(calls)} questions"
    text = f"{questions}, all answered." if not refused else f"{questions}, {len(refused)} without a good answer."
    return Moment(calls[-1].started_at, f"Looked it up in {system}", text, "", "bad" if refused else "")


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


def attempts_of(record: Record) -> list[Attempt]:
    """Single writes of the record and the batches that held it."""
    single = Attempt.objects.filter(record=record)
    batched = Attempt.objects.filter(items__record=record)
    return [
        attempt
        for attempts in (single, batched)
        for attempt in attempts.defer("payload", "answer").order_by("-pk")[:MOST]
    ]


def _write(attempt: Attempt) -> Moment:
    kind = _WORDS_OF_KINDS.get(attempt.kind) or attempt.kind.replace("_", " ").capitalize()
    words, tone = _WORDS_OF_STATES[AttemptState(attempt.state)]
    return Moment(attempt.started_at, f"{kind}: {words}" if words else kind, attempt.message, "", tone)
