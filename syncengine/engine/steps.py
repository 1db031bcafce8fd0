"""How a step of a document flow is put down on its record: what it brings along, and the status that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_events
from syncengine.engine.leases import LeaseLost
from syncengine.engine.records import (
    ERROR_FIELDS,
    Trouble,
    count,
    count_per_run,
    finish_if_settled,
    free_those_held_back_by,
    release,
    set_done,
    set_failed,
    set_trouble,
    set_waiting,
    write,
)
from syncengine.flows.desk import (
    AwaitAnswer,
    Continue,
    Finished,
    Ignored,
    NeedsPerson,
    Step,
    Stopped,
    Wait,
    Work,
)
from syncengine.flows.document import DocumentFlow
from syncengine.models import OPEN_STATUSES, Record, RecordStatus
from tenants.models import Integration

ON_THE_WAY = ("stage", "flags", "notes", "memo", "target_keys", "search", "mapping_version")
"""What any step may change. The heartbeat alone prolongs the lease, people alone wish."""
PUT_DOWN = (
    *ON_THE_WAY, *ERROR_FIELDS, "status", "attempts", "next_attempt_at", "lease_owner", "lease_expires_at",
    "pinned_version", "confirmed_fingerprint",
)  # fmt: skip
"""What changes when the record is let go of."""


def work_of(record: Record) -> Work:
    memo = record.memo or {}
    return Work(
        key=record.key,
        stage=record.stage,
        source=record.source or {},
        memo=memo,
        attempts=record.attempts,
        flags=tuple(record.flags),
        decision=memo.get("decision"),
    )


def apply_step(flow: DocumentFlow, record: Record, step: Step, still: Mapping[str, Any]) -> None:
    """Persist a step: what it brings along, then the status that follows from its kind.

    `still` is what the record's row must say yet; raises LeaseLost when somebody else has gone on with it.
    """
    if isinstance(step, Finished):
        if finish(record.integration, [Ending(flow, record, step, still)]):
            raise LeaseLost
        return
    merge_step(record, step)
    if isinstance(step, Continue):
        write(record, [*ON_THE_WAY, *_brought(step)], still)
    else:
        _let_go(record, step, still)


def _brought(step: Step) -> list[str]:
    """The large columns, which are written only when a step brings them along."""
    return [name for name in ("source", "target") if getattr(step, name) is not None]


@transaction.atomic
def _let_go(record: Record, step: Step, still: Mapping[str, Any]) -> None:
    fields = [*PUT_DOWN, *_brought(step)]
    match step:
        case Wait():
            at = timezone.now() + timedelta(seconds=step.seconds)
            set_waiting(record, at, Trouble(step.code, step.message, step.hint) if step.code else None)
            put_down(record, fields, still, "record.waiting", step.message)
        case AwaitAnswer():
            set_waiting(record, None)
            put_down(record, fields, still, "record.answered", "Sent; the target's answer is awaited.")
        case Ignored():
            release(record)
            record.status, record.next_attempt_at = RecordStatus.IGNORED, None
            set_trouble(record, None)
            put_down(record, fields, still, "record.given_back", step.message)
        case NeedsPerson() | Stopped():
            set_failed(record, _trouble(step))
            put_down(record, fields, still, "record.failed", step.message, failed=1)


def merge_step(record: Record, step: Step) -> None:
    """What a step brings along, on the record; does not save."""
    memo = {**(record.memo or {}), **step.memo}
    record.memo = {name: value for name, value in memo.items() if value is not None}
    record.flags = sorted(({*record.flags} - {*step.cleared_flags}) | {*step.flags})
    record.notes = list(dict.fromkeys([*record.notes, *step.notes]))
    record.stage = step.stage or record.stage
    if step.target is not None:
        record.target = step.target
    if step.source is not None:
        record.source = dict(step.source)
    if step.target_keys is not None:
        record.target_keys = dict(step.target_keys)
        numbers = [str(value).lower() for value in record.target_keys.values()]
        record.search = " ".join([record.search, *(number for number in numbers if number not in record.search)])


def _trouble(step: NeedsPerson | Stopped) -> Trouble:
    if isinstance(step, Stopped):
        return Trouble(step.code, step.message, step.hint)
    problems = [{"path": problem.path, "message": problem.message, "hint": problem.hint} for problem in step.problems]
    return Trouble(step.code, step.message, step.hint, problems, step.decisions)


@dataclass(frozen=True, eq=False)
class Ending:
    """The last step of a record, and what its row must say yet."""

    flow: DocumentFlow
    record: Record
    step: Finished
    still: Mapping[str, Any]


@transaction.atomic
def finish(integration: Integration, endings: Sequence[Ending]) -> list[Ending]:
    """Records that have come to their end, their events, and what follows for others and for runs: all or nothing.

    Gives those that somebody else has gone on with: they are left alone.
    """
    in_order = sorted(endings, key=lambda ending: ending.record.pk)
    ended = [ending for ending in in_order if _finish(ending)]
    done = [ending.record for ending in ended]
    free_those_held_back_by([record.pk for record in done])
    for name, reference in {it for ending in ended for it in ending.flow.touches(work_of(ending.record))}:
        _look_again(integration.pk, name, reference)
    count_per_run(done, "confirmed")
    record_events(integration, "record.done", [(record, "") for record in done])
    for run_id in {record.run_id for record in done}:
        finish_if_settled(run_id)
    return [ending for ending in endings if ending not in ended]


def _finish(ending: Ending) -> bool:
    record, step = ending.record, ending.step
    merge_step(record, step)
    set_done(record)
    record.stage = step.stage or record.stage  # posted, and not yet confirmed to Basware
    record.memo.pop("decision", None)
    try:
        write(record, [*PUT_DOWN, *_brought(step), "confirmed_target"], ending.still)
    except LeaseLost:
        return False
    return True


def _look_again(integration_id: int, flow: str, reference: str) -> None:
    Record.objects.filter(
        integration_id=integration_id, flow=flow, reference=reference, status=RecordStatus.DONE
    ).update(status=RecordStatus.PENDING, part="", run=None, next_attempt_at=timezone.now())


def put_down(
    record: Record, fields: Sequence[str], still: Mapping[str, Any], action: str, message: str, **counts: int
) -> None:
    """The record, its run's count, the event of it, and the run's end if this was its last: in one transaction."""
    write(record, fields, still)
    count(record.run_id, **counts)
    record_events(record.integration, action, [(record, message)])
    if record.status not in OPEN_STATUSES:
        finish_if_settled(record.run_id)
