"""How a record moves from one status to another, and what follows from it for its run and for those it holds back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from syncengine.audit import record_events
from syncengine.engine.causes import cause_of
from syncengine.engine.leases import LeaseLost
from syncengine.models import FINAL_STATUSES, Record, RecordStatus, Run, Stage, single

log = structlog.get_logger(__name__)

ERROR_FIELDS = (
    "error_code",
    "error_message",
    "error_hint",
    "cause",
    "problems",
    "decisions",
    "failed_for",
    "failed_at",
    "mended_at",
)
HELD_BY_PERSON = "held_by_person"


@dataclass(frozen=True)
class Trouble:
    """Why a record cannot go on: a code for machines, a sentence and a hint for people, and the problems one by one."""

    code: str
    message: str
    hint: str = ""
    problems: Sequence[dict[str, str]] = ()
    decisions: Sequence[str] = ()


def sentence(text: str) -> str:
    """The text as people write a sentence: flows name problems so that they can be joined."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?', '…')) else '.'}" if text else ""


def _as_sentence(problem: dict[str, str]) -> dict[str, str]:
    return {**problem, "message": sentence(problem.get("message", ""))}


def set_trouble(record: Record, trouble: Trouble | None) -> None:
    """Write the trouble (or its absence) on the record; does not save."""
    record.error_code = trouble.code if trouble else ""
    record.error_message = sentence(trouble.message) if trouble else ""
    record.error_hint = trouble.hint if trouble else ""
    record.problems = [_as_sentence(problem) for problem in trouble.problems] if trouble else []
    record.decisions = list(trouble.decisions) if trouble else []
    record.cause = cause_of(record, record.error_code, record.error_message, record.problems)


def release(record: Record) -> None:
    """Give the lease back; does not save."""
    record.lease_owner, record.lease_expires_at = "", None


def lease_of(record: Record) -> dict[str, Any]:
    """What its row says as long as the record is its holder's: the lease may run out while a process stands still."""
    return {"status": RecordStatus.IN_PROGRESS.value, "lease_owner": record.lease_owner}


def write(record: Record, fields: Iterable[str], still: Mapping[str, Any]) -> None:
    """Write these fields if the row still says so: one statement, between whose look and write nobody else comes.

    Raises LeaseLost when somebody else has gone on with the record.
    """
    record.updated_at = timezone.now()
    if not single.update(record, (*fields, "updated_at"), still):
        raise LeaseLost


def set_failed(record: Record, trouble: Trouble) -> None:
    """The record needs a person; does not save."""
    set_trouble(record, trouble)
    release(record)
    record.status = RecordStatus.FAILED
    record.next_attempt_at = None
    # Who cancels a retry puts the record back to what it had failed for.
    if trouble.code != HELD_BY_PERSON or not record.failed_for or record.mended_at:
        record.failed_for = record.cause
    record.failed_at, record.mended_at = timezone.now(), None
    log.info("record_failed", record_id=record.pk, flow=record.flow, error=trouble.code)


def _came_through(record: Record) -> None:
    if record.failed_for and record.mended_at is None:
        record.mended_at = timezone.now()


def mend(records: Sequence[int]) -> None:
    """The same for rows that one statement has set done."""
    rows = Record.objects.filter(pk__in=records, mended_at=None).exclude(failed_for="")
    rows.update(mended_at=timezone.now())


def set_waiting(record: Record, at: datetime | None, trouble: Trouble | None = None) -> None:
    """The record goes on at `at`, or when the target has answered (None); does not save."""
    set_trouble(record, trouble)
    release(record)
    record.status = RecordStatus.WAITING
    record.next_attempt_at = at


def set_pending(record: Record, at: datetime) -> None:
    """The record is to be worked on from `at`; does not save."""
    set_trouble(record, None)
    release(record)
    record.status = RecordStatus.PENDING
    record.next_attempt_at = at


def set_done(record: Record) -> None:
    """What was sent is confirmed; does not save."""
    set_trouble(record, None)
    release(record)
    record.status = RecordStatus.DONE
    record.next_attempt_at = None
    record.pinned_version = None
    record.confirmed_fingerprint = record.fingerprint
    record.confirmed_target = record.target
    _came_through(record)
    if record.stage != Stage.PAID:
        record.stage = Stage.CONFIRMED


def set_settled(record: Record) -> None:
    """The target holds already what it should; does not save."""
    set_trouble(record, None)
    release(record)
    record.status = RecordStatus.DONE
    record.next_attempt_at = None
    record.pinned_version = None
    record.part = ""
    _came_through(record)


def count(run_id: int | None, **more: int) -> None:
    """Add to a run's counts; a final run stays as it was."""
    changes = {name: F(name) + number for name, number in more.items() if number}
    if run_id is not None and changes:
        Run.objects.filter(pk=run_id).exclude(status__in=FINAL_STATUSES).update(**changes)


def count_per_run(records: Sequence[Record], name: str) -> None:
    """Add these records to that count of the runs they belong to."""
    for run_id in {record.run_id for record in records}:
        count(run_id, **{name: sum(1 for record in records if record.run_id == run_id)})


def free_those_held_back_by(done: Iterable[int]) -> None:
    """Records that waited for these become pending, in the transaction in which these are done."""
    held = Record.objects.filter(status__in=(RecordStatus.WAITING, RecordStatus.FAILED))
    held.filter(blocked_by__in=list(done)).update(
        status=RecordStatus.PENDING,
        blocked_by=None,
        next_attempt_at=timezone.now(),
        error_code="",
        error_message="",
        error_hint="",
        cause="",
    )


@contextmanager
def dependencies_kept(records: Sequence[Record]) -> Iterator[None]:
    """Around the storing of records, in its transaction: what they wait for may have come to its end meanwhile.

    Its rows are locked. They come to their end either before, and free these records here, or after, and find them
    stored; otherwise these would wait for ever for what nobody will tell them.
    """
    held = (RecordStatus.WAITING, RecordStatus.FAILED)
    awaited = {one.blocked_by_id for one in records if one.status in held and one.blocked_by_id}
    rows = Record.objects.select_for_update(no_key=True).filter(pk__in=awaited).order_by("pk")
    others = list(rows.defer("source", "target", "confirmed_target")) if awaited else []
    yield
    free_those_held_back_by([one.pk for one in others if one.confirmed_fingerprint])
    fail_those_held_back_by([one for one in others if one.status == RecordStatus.FAILED])


def fail_those_held_back_by(failed: Sequence[Record]) -> None:
    """Records that waited for these fail too, naming what holds them back."""
    held = list(Record.objects.filter(blocked_by__in=failed, status=RecordStatus.WAITING).select_related("blocked_by"))
    for record in held:
        assert record.blocked_by is not None  # by the filter above
        set_failed(record, dependency_failed(record.blocked_by))
        count(record.run_id, failed=1)
    Record.objects.bulk_update(held, ["status", "next_attempt_at", "lease_owner", "lease_expires_at", *ERROR_FIELDS])
    if held:
        record_events(held[0].integration, "record.failed", [(record, record.error_message) for record in held])
    for run_id in {record.run_id for record in held}:
        finish_if_settled(run_id)


def dependency_failed(other: Record) -> Trouble:
    return Trouble(
        code="dependency_failed",
        message=f"Held back: {other.flow} {other.key} ({other.title}) is not in the target: {other.error_message}",
        hint=f"Mend {other.flow} {other.key}; this record follows by itself.",
    )


def internal_error(error: Exception) -> Trouble:
    """A fault of our own: it would come again at every try."""
    return Trouble(
        code="internal_error",
        message=f"Something went wrong inside Ledgerbridge ({type(error).__name__}).",
        hint="Tell the operator of this portal: the log has the details. Then replay.",
    )


def dependency_pending(other: Record) -> Trouble:
    return Trouble(
        code="dependency_pending",
        message=f"Waits for {other.flow} {other.key} ({other.title}), which is on its way.",
        hint="Nothing to do: it goes on by itself.",
    )


@transaction.atomic(savepoint=False)
def finish_if_settled(run_id: int | None) -> None:
    """Set a run's final status in the transaction that settles the last of its records."""
    from syncengine.engine.runs import compute_status

    if run_id is None:
        return
    # no_key, here and wherever the engine locks rows: whoever stores a call that points at a locked run or record must
    # not wait for us, or both may wait for each other (PostgreSQL ends that by killing one of the transactions).
    run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
    if not run.is_final:
        compute_status(run)
