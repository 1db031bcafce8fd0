"""Document flows: find documents, then advance each of them step by step until it is done or cannot go on.

The flow decides; this module claims, persists every step, retries what may be retried, and keeps several records
going at once. Each record's writes are announced through its desk before they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from syncengine.audit import record_events
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import circuit, mappings
from syncengine.engine.circuit import HeldBack
from syncengine.engine.connections import Systems
from syncengine.engine.context import flow_context
from syncengine.engine.desk import DbDesk, close_lost_attempts
from syncengine.engine.finding import words_of_finding
from syncengine.engine.lanes import work_through
from syncengine.engine.leases import LeaseLost, lease_end
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.observing import calls_for
from syncengine.engine.planned import PLAN_CHANGED, PLANNED, PlanChanged, forget_plan
from syncengine.engine.records import HELD_BY_PERSON, Trouble, lease_of, set_failed, set_pending, set_waiting
from syncengine.engine.retries import retry_at
from syncengine.engine.steps import PUT_DOWN, apply_step, put_down, work_of
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Continue, Found, LockHeld, Step, Wait
from syncengine.flows.document import DocumentFlow
from syncengine.models import FoundBy, Record, RecordStatus
from tenants.models import Integration

log = structlog.get_logger(__name__)

MOST_STEPS = 40
LOCK_RETRY_SECONDS = 2.0

Claimed = tuple[int, str]
"""A record's id and the owner of its lease."""


@dataclass(frozen=True)
class Stored:
    """What became of what was found: records to work on, and how many need nothing."""

    to_do: list[int]
    unchanged: int


def store_found(
    integration: Integration,
    flow: DocumentFlow,
    found: Sequence[Found],
    *,
    run_id: int | None,
    owner: str = "",
    found_by: str = FoundBy.POLL,
) -> Stored:
    """One record for each business object: new ones, and known ones that the source offers anew.

    With an `owner` they are claimed at once, without one they are pending for whoever is next. When poll and
    notification find one at the same moment, the second to store it sees the record of the first.
    """
    try:
        return _store_found(integration, flow, found, run_id, owner, found_by)
    except IntegrityError:
        return _store_found(integration, flow, found, run_id, owner, found_by)


def _store_found(
    integration: Integration, flow: DocumentFlow, found: Sequence[Found], run_id: int | None, owner: str, found_by: str
) -> Stored:
    keys = [one.key for one in found]
    with transaction.atomic():
        known = {
            row.key: row
            for row in Record.objects.select_for_update(no_key=True).filter(
                integration=integration, flow=flow.name, key__in=keys
            )
        }
        wanted = [one for one in found if one.key not in known or opens_anew(flow, known[one.key], one)]
        to_do = [_take_up(integration, flow, known.get(one.key), one, run_id, owner, found_by) for one in wanted]
        _store(integration, to_do, [words_of_finding(found_by, one.offered_at, timezone.now()) for one in wanted])
    return Stored([record.pk for record in to_do], len(found) - len(to_do))


def opens_anew(flow: DocumentFlow, record: Record, found: Found) -> bool:
    """Whether a known record is worked on again, now that the source offers its document anew."""
    if record.status in (RecordStatus.PENDING, RecordStatus.IN_PROGRESS, RecordStatus.WAITING):
        return False
    if record.error_code == HELD_BY_PERSON and (record.source or {}) == dict(found.source):
        return False
    return flow.reopens(work_of(record), found)


def _take_up(
    integration: Integration,
    flow: DocumentFlow,
    record: Record | None,
    found: Found,
    run_id: int | None,
    owner: str,
    found_by: str,
) -> Record:
    """The record as it is taken up; does not save."""
    if record is None:
        record = Record(integration=integration, flow=flow.name, key=found.key)
        record.found_by, record.offered_at = found_by, found.offered_at
    if PLANNED not in found.memo:
        forget_plan(record)
    describe(record, found)
    record.run_id, record.pinned_version = run_id, None
    set_pending(record, timezone.now())
    if owner:
        record.status, record.lease_owner = RecordStatus.IN_PROGRESS, owner
        record.lease_expires_at = lease_end(timezone.now())
    return record


def _store(integration: Integration, records: Sequence[Record], words: Sequence[str]) -> None:
    """New records by one statement, each with the event that says how it was found."""
    rows = list(zip(records, words, strict=True))
    fresh = [row for row in rows if row[0].pk is None]
    again = [row for row in rows if row[0].pk is not None]
    Record.objects.bulk_create(record for record, _ in fresh)
    for record, _ in again:
        record.save()
    record_events(integration, "record.received", fresh)
    record_events(integration, "record.received_again", again)


def describe(record: Record, found: Found) -> None:
    """What was found, on the record; does not save."""
    record.title, record.source = found.title[:250], dict(found.source)
    record.amount, record.currency = found.amount, found.currency
    record.reference, record.party = found.reference[:120], found.party[:40]
    record.search = " ".join((found.key, found.title, found.reference, found.party, found.search)).lower()
    record.memo = {**(record.memo or {}), **found.memo}


def advance_all(
    integration: Integration,
    flow: DocumentFlow,
    both: Systems,
    pks: Sequence[int],
    in_flight: int,
    stopped: Callable[[], bool],
    context: FlowContext | None = None,
) -> None:
    """Advance claimed records, several at once, until `stopped`; those of one `lane` strictly one after another."""
    context = context or flow_context(integration, flow, both)
    mapping = mappings.current(integration, flow.name)
    lanes: dict[str, list[Claimed]] = {}
    for record in Record.objects.filter(pk__in=pks).order_by("id"):
        lanes.setdefault(flow.lane(work_of(record)), []).append((record.pk, record.lease_owner))

    work_through(
        lanes.values(),
        in_flight,
        lambda claimed: advance(flow, claimed, both, context, mapping),
        stopped,
    )
    both.calls.flush()


def advance(flow: DocumentFlow, claimed: Claimed, both: Systems, context: FlowContext, mapping: CurrentMapping) -> None:
    """Take one record as far as it goes now; one that was taken over while it stood in line is left alone."""
    pk, owner = claimed
    mine = Record.objects.filter(pk=pk, status=RecordStatus.IN_PROGRESS, lease_owner=owner)
    record = next(iter(mine.select_related("integration")), None)
    if record is None:
        return
    try:
        if record.pinned_version is not None:
            mapping = mappings.for_record(record)
            context = replace(context, lookups=mapping.lookups)
        record.mapping_version = mapping.version
        with calls_for(run_id=record.run_id, record_id=record.pk):
            desk = DbDesk(record, both, context, mapping.compiled)
            desk.close_lost_attempts()
            _go_on(flow, record, desk)
    except mappings.VersionGone as gone:
        close_lost_attempts(record)
        _fail(record, Trouble("mapping_gone", str(gone), "Replay with today's mapping."))
    except LeaseLost:
        log.warning("record_lease_lost", record=record.pk, flow=flow.name)


def _go_on(flow: DocumentFlow, record: Record, desk: DbDesk) -> None:
    for _ in range(MOST_STEPS):
        step = _next_step(flow, record, desk)
        if step is None:
            return
        apply_step(flow, record, step, lease_of(record))
        if not isinstance(step, Continue):
            return
    _fail(record, Trouble("too_many_steps", "The record did not come to an end.", "Tell support, then replay."))


def _next_step(flow: DocumentFlow, record: Record, desk: DbDesk) -> Step | None:
    """The flow's next step; None when the record has been put aside for another try, or for a person."""
    try:
        return flow.advance(work_of(record), desk)
    except LockHeld as busy:
        return Wait(seconds=LOCK_RETRY_SECONDS, code="lock_held", message=str(busy), hint="It goes on by itself.")
    except ConnectorError as error:
        circuit.note_failure(record.integration, error.system or flow.source, error)
        _try_again(record, error)
        return None
    except PlanChanged:
        _fail(record, PLAN_CHANGED)
        return None
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # without its database nothing is true of the record: the lease runs out and another goes on
    except Exception:
        log.exception("step_failed", record=record.pk, flow=flow.name)
        trouble = Trouble(
            "internal_error",
            "Ledgerbridge met a fault of its own here.",
            "Tell support the record's number, then replay.",
        )
        _fail(record, trouble)
        return None


@transaction.atomic
def _try_again(record: Record, error: ConnectorError) -> None:
    trouble, still = Trouble(error.code, error.message, error.hint), lease_of(record)
    record.attempts += 0 if isinstance(error, HeldBack) else 1
    set_waiting(record, retry_at(error, record.attempts, timezone.now()), trouble)
    put_down(record, PUT_DOWN, still, "record.retry", error.message)


@transaction.atomic
def _fail(record: Record, trouble: Trouble) -> None:
    still = lease_of(record)
    set_failed(record, trouble)
    put_down(record, PUT_DOWN, still, "record.failed", trouble.message, failed=1)
