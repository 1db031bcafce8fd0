"""Sending master data in batches: the attempt is written first, several calls are in flight, answers are put down.

HTTP runs in threads; the database is written by the thread that owns the sender. A batch whose answer is lost may be
sent again: the target takes an equal record a second time without effect (contracts: Basware §4, POST is an upsert).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from syncengine.audit import record_events
from syncengine.connectors.basware import ImportReceipt, cut_batches
from syncengine.connectors.jsonio import Written, dumps
from syncengine.connectors.outcomes import ConnectorError, OutcomeUnknown, RecordError, Rejected, Unauthenticated
from syncengine.engine import circuit
from syncengine.engine.comparing import first_part
from syncengine.engine.connections import Systems
from syncengine.engine.observing import calls_for
from syncengine.engine.records import (
    ERROR_FIELDS,
    Trouble,
    count,
    count_per_run,
    fail_those_held_back_by,
    set_failed,
    set_waiting,
)
from syncengine.engine.retries import retry_at
from syncengine.engine.settling_plan import first_poll_at
from syncengine.flows.master import MasterDataFlow, Part
from syncengine.models import Attempt, AttemptItem, AttemptState, ItemOutcome, Record, RecordStatus, Run, bulk
from tenants.models import Integration

CONFLICT = 409
LOST = "The worker was lost before the answer came."
SAVED = ["status", "part", "next_attempt_at", "attempts", "lease_owner", "lease_expires_at", *ERROR_FIELDS]

Named = dict[str, RecordError]
"""What was said of single records, by external code."""


@dataclass(frozen=True)
class Body:
    """One body of one record's part, written once: its size decides into which request it goes."""

    record: Record
    external_code: str
    text: Written

    @classmethod
    def of(cls, record: Record, body: Mapping[str, Any]) -> Self:
        return cls(record, str(body["externalCode"]), Written(dumps(body)))


@dataclass(frozen=True)
class Batch:
    """One request: bodies of one part, and the attempt that announces it."""

    part: Part
    bodies: Sequence[Body]
    attempt: Attempt

    @property
    def records(self) -> list[Record]:
        return list({body.record.pk: body.record for body in self.bodies}.values())


class Sender:
    """Cuts records into batches and keeps at most `in_flight` requests going; use as a context manager."""

    def __init__(
        self, integration: Integration, flow: MasterDataFlow, both: Systems, run: Run | None, in_flight: int
    ) -> None:
        self._integration = integration
        self._flow = flow
        self._systems = both
        self._run = run
        self._in_flight = in_flight
        self._pool = ThreadPoolExecutor(in_flight, thread_name_prefix="send")
        self._waiting: dict[str, list[Body]] = defaultdict(list)
        self._going: dict[Future[ImportReceipt], Batch] = {}
        self._stopped_by: ConnectorError | None = None
        self._first_attempt = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def add(self, records: Sequence[Record]) -> None:
        """Take stored records (in progress, leased, `part` set); full batches start at once."""
        for record in records:
            self._waiting[record.part].extend(Body.of(record, body) for body in (record.target or {})[record.part])
        for part in self._flow.parts:
            while len(self._waiting[part.name]) >= part.basware.batch:
                self._start_first(part)
        self._raise_if_stopped()

    def finish(self) -> None:
        """Send what is left and wait for every answer. Raises what stopped the sending."""
        for part in self._flow.parts:
            while self._waiting[part.name] and self._stopped_by is None:
                self._start_first(part)
        while self._going:
            self._collect(block=True)
        self._raise_if_stopped()

    def _raise_if_stopped(self) -> None:
        if self._stopped_by is not None:
            raise self._stopped_by

    def _start_first(self, part: Part) -> None:
        """Start the first batch of what waits; the rest goes on waiting."""
        waiting = self._waiting[part.name]
        first = next(_cut(waiting, part.basware.batch))
        self._waiting[part.name] = waiting[len(first) :]
        self._start(part, first)

    def _start(self, part: Part, bodies: Sequence[Body]) -> None:
        while len(self._going) >= self._in_flight:
            self._collect(block=True)
        batch = Batch(part, bodies, self._announce(part, bodies))
        context = copy_context()
        future = self._pool.submit(context.run, self._call, batch)
        self._going[future] = batch
        self._collect(block=False)

    @transaction.atomic
    def _announce(self, part: Part, bodies: Sequence[Body]) -> Attempt:
        """State first: what will be sent is a row before it is sent."""
        by_record: dict[int, list[Body]] = defaultdict(list)
        for body in bodies:
            by_record[body.record.pk].append(body)
        prints = ",".join(f"{found[0].record.pk}:{found[0].record.fingerprint}" for found in by_record.values())
        attempt = Attempt.objects.create(
            integration=self._integration,
            flow=self._flow.name,
            run=self._run,
            kind="import",
            key=hashlib.sha256(f"{part.name}|{prints}".encode()).hexdigest(),
            entity_type=part.basware.entity_type,
            started_at=timezone.now(),
        )
        bulk.insert(
            [
                AttemptItem(
                    attempt=attempt,
                    record_id=pk,
                    fingerprint=found[0].record.fingerprint,
                    external_codes=[body.external_code for body in found],
                )
                for pk, found in by_record.items()
            ]
        )
        self._first_attempt = self._first_attempt or attempt.pk
        self._close_lost_attempts(list(by_record))
        return attempt

    def _close_lost_attempts(self, records: Sequence[int]) -> None:
        """A worker that died while it sent these left its attempts open: what is sent now takes their place."""
        lost = AttemptItem.objects.filter(
            record_id__in=records, attempt__state=AttemptState.SENDING, attempt_id__lt=self._first_attempt
        )
        attempts = set(lost.values_list("attempt_id", flat=True))
        if attempts:
            AttemptItem.objects.filter(attempt__in=attempts).update(outcome=ItemOutcome.SUPERSEDED, message=LOST)
            Attempt.objects.filter(pk__in=attempts).update(
                state=AttemptState.UNKNOWN, message=LOST, finished_at=timezone.now()
            )

    def _call(self, batch: Batch) -> ImportReceipt:
        try:
            with calls_for(run_id=self._run.pk if self._run else None, attempt_id=batch.attempt.pk):
                return self._systems.basware.import_records(batch.part.resource, [body.text for body in batch.bodies])
        finally:
            connection.close()  # the shared token was looked up in a connection of this thread's own

    def _collect(self, *, block: bool) -> None:
        if not self._going:
            return
        finished, _ = wait(self._going, timeout=None if block else 0, return_when=FIRST_COMPLETED)
        for future in finished:
            batch = self._going.pop(future, None)
            if batch is None:
                continue  # collected meanwhile by what an earlier answer of this round started
            try:
                self._accepted(batch, future.result())
            except Rejected as error:
                self._refused(batch, error)
            except ConnectorError as error:
                self._not_done(batch, error)
        self._systems.calls.flush()

    @transaction.atomic
    def _accepted(self, batch: Batch, receipt: ImportReceipt) -> None:
        now = timezone.now()
        refused = {error.external_code: error for error in receipt.refused}
        Attempt.objects.filter(pk=batch.attempt.pk).update(
            state=AttemptState.ACCEPTED,
            request_id=receipt.request_id or "",
            finished_at=now,
            next_poll_at=first_poll_at(now),
        )
        taken = [one for one in batch.records if not refused or not refused.keys() & _codes(batch, one)]
        for record in taken:
            set_waiting(record, None)
        # A bulk statement for what is the same on every row: a batch holds up to 500 of them.
        Record.objects.filter(pk__in=[record.pk for record in taken], status=RecordStatus.IN_PROGRESS).update(
            status=RecordStatus.WAITING,
            next_attempt_at=None,
            lease_owner="",
            lease_expires_at=None,
            error_code="",
            error_message="",
            error_hint="",
            cause="",
            updated_at=now,
        )
        self._count_sent(taken)
        if refused:
            self._fail_named(batch, refused)

    def _count_sent(self, records: Sequence[Record]) -> None:
        """A record counts as sent once, with the first of its parts."""
        firsts = [record for record in records if record.part == first_part(self._flow, record)]
        for run_id in {record.run_id for record in firsts}:
            actions = [record.action for record in firsts if record.run_id == run_id]
            count(
                run_id,
                sent=len(actions),
                created=actions.count("created"),
                updated=actions.count("updated"),
                closed=actions.count("closed"),
            )

    def _refused(self, batch: Batch, error: Rejected) -> None:
        """Refused as a whole (contracts: Basware §3.8): drop the records named, send the rest again."""
        named = {one.external_code: one for one in error.errors if one.external_code}
        mine = {body.external_code for body in batch.bodies}
        named = {code: one for code, one in named.items() if code in mine}
        with transaction.atomic():
            Attempt.objects.filter(pk=batch.attempt.pk).update(
                state=AttemptState.REJECTED, message=error.message, finished_at=timezone.now()
            )
            if not named and len(batch.records) == 1:
                body = batch.bodies[0]
                named = {body.external_code: RecordError(body.external_code, error.code, error.message)}
            failing = self._after_conflict(batch, named, error) if error.status == CONFLICT else named
            if failing:
                self._fail_named(batch, failing)
            batch.attempt.items.filter(outcome=ItemOutcome.OPEN).update(outcome=ItemOutcome.SUPERSEDED)
        for rest in _without(batch, named):
            self._start(batch.part, rest)

    def _after_conflict(self, batch: Batch, named: Named, error: Rejected) -> Named:
        """Somebody writes the same records just now: they go again later (contracts: Basware §4), not for ever."""
        now, tries = timezone.now(), len(settings.RETRY_DELAYS)
        again = [one for one in batch.records if _codes(batch, one) & named.keys() and one.attempts < tries]
        for record in again:
            record.attempts += 1
            set_waiting(record, retry_at(error, record.attempts, now), Trouble(error.code, error.message, error.hint))
        Record.objects.bulk_update(again, SAVED)
        spared = {code for record in again for code in _codes(batch, record)}
        return {code: found for code, found in named.items() if code not in spared}

    def _fail_named(self, batch: Batch, named: Named) -> None:
        failed = []
        for record in batch.records:
            errors = [named[code] for code in _codes(batch, record) if code in named]
            if errors:
                set_failed(record, _refusal(errors))
                failed.append(record)
        Record.objects.bulk_update(failed, SAVED)
        batch.attempt.items.filter(record__in=failed).update(outcome=ItemOutcome.FAILED)
        count_per_run(failed, "failed")
        record_events(self._integration, "record.failed", [(record, record.error_message) for record in failed])
        fail_those_held_back_by(failed)

    @transaction.atomic
    def _not_done(self, batch: Batch, error: ConnectorError) -> None:
        """Nothing came of it, or nobody knows: the records go again at their time, nothing more is started now."""
        now = timezone.now()
        state = AttemptState.UNKNOWN if isinstance(error, OutcomeUnknown) else AttemptState.NOT_SENT
        Attempt.objects.filter(pk=batch.attempt.pk).update(state=state, message=error.message, finished_at=now)
        batch.attempt.items.update(outcome=ItemOutcome.SUPERSEDED, message=error.message)
        records = batch.records
        # One time for all of them: what went out in one request goes again in one.
        at = retry_at(error, max(record.attempts for record in records) + 1, now)
        for record in records:
            record.attempts += 0 if isinstance(error, circuit.HeldBack) else 1
            set_waiting(record, at, Trouble(error.code, error.message, error.hint))
        Record.objects.bulk_update(records, SAVED)
        circuit.note_failure(self._integration, self._flow.target, error)
        if not isinstance(error, OutcomeUnknown) or isinstance(error, Unauthenticated):
            self._stopped_by = error


def _cut(bodies: Sequence[Body], most: int) -> Iterator[list[Body]]:
    """Batches by count and bytes; a record's bodies stay together as far as they fit."""
    return cut_batches(  # type: ignore[return-value]  # what is cut is up to the caller
        bodies,  # type: ignore[arg-type]
        most,
        size=lambda one: len(one.text),  # type: ignore[attr-defined]  # ASCII, so as many bytes
        together=lambda one: one.record.pk,  # type: ignore[attr-defined]
    )


def _codes(batch: Batch, record: Record) -> set[str]:
    return {body.external_code for body in batch.bodies if body.record.pk == record.pk}


def _without(batch: Batch, named: Named) -> list[list[Body]]:
    """What to send again: all but the records named, or two halves when nobody was named."""
    bad = {body.record.pk for body in batch.bodies if body.external_code in named}
    rest = [body for body in batch.bodies if body.record.pk not in bad]
    if named or len(rest) < 2:
        return [rest] if named and rest else []
    records = [record.pk for record in batch.records]
    half = set(records[: len(records) // 2])
    return [[b for b in rest if b.record.pk in half], [b for b in rest if b.record.pk not in half]]


def _refusal(errors: Sequence[RecordError]) -> Trouble:
    text = "; ".join(dict.fromkeys(error.message for error in errors if error.message))
    return Trouble(
        code="rejected",
        message=f"Basware refused the record: {text or errors[0].code}",
        hint="Mend the field in SAP or in the field mapping, then replay.",
    )
