"""The run of a document flow: find what the source offers, make records of it, advance them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from django.db import connection, transaction
from django.utils import timezone

from syncengine.engine import mappings, slots
from syncengine.engine.archive import DbArchive
from syncengine.engine.connections import Systems
from syncengine.engine.documents import advance_all, describe, opens_anew, store_found
from syncengine.engine.dry_runs import DryResult
from syncengine.engine.leases import LeaseLost
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.records import count
from syncengine.engine.rehearsals import Rehearsal, read_only, rehearse
from syncengine.engine.work import RunWork
from syncengine.flows.base import Flow
from syncengine.flows.desk import Found
from syncengine.flows.document import DocumentFlow, FindWindow
from syncengine.models import FlowState, Record, RecordStatus, Run, RunMode

BATCH = 50
DRY_BATCH = 20


def synchronise(flow: Flow, work: RunWork) -> bool:
    """Do the run; False when it has to be gone on with later."""
    assert isinstance(flow, DocumentFlow)  # flows are of one kind or the other
    run = work.run
    with slots.held(run.integration, flow.target) as in_flight:
        if in_flight == 0:
            return False
        if run.mode == RunMode.DRY_RUN:
            return _dry_run(flow, work, in_flight)
        if not run.cursor.get("found_all"):
            _find(flow, work)
        return _advance_found(flow, work, in_flight)


def _window(flow: DocumentFlow, work: RunWork) -> FindWindow:
    state = FlowState.objects.filter(integration=work.run.integration, flow=flow.name).first()
    return FindWindow(mode=work.run.mode, watermark=(state.watermark if state else None) or {})


def _find(flow: DocumentFlow, work: RunWork) -> None:
    """Read to the end before anything is acknowledged: that might shift the pages that follow (Basware §3.3)."""
    run = work.run
    archive = DbArchive(run.integration, work.systems, work.context)
    watermark = None
    for page in flow.discover(archive, _window(flow, work)):
        stored = store_found(run.integration, flow, page.found, run_id=run.pk, owner=run.lease_owner)
        count(run.pk, read=len(page.found), unchanged=stored.unchanged)
        watermark = page.watermark or watermark
        work.heartbeat.check()
    run.cursor = {**run.cursor, "found_all": True}
    Run.objects.filter(pk=run.pk).update(cursor=run.cursor)
    if watermark is not None:
        FlowState.objects.filter(integration=run.integration, flow=flow.name).update(watermark=dict(watermark))


def _advance_found(flow: DocumentFlow, work: RunWork, in_flight: int) -> bool:
    """Advance the run's own records, batch by batch; what is left at the deadline is left to whoever is next."""
    run = work.run
    mine = Record.objects.filter(run=run, status=RecordStatus.IN_PROGRESS, lease_owner=run.lease_owner)
    while pks := list(mine.order_by("id").values_list("pk", flat=True)[:BATCH]):
        if work.must_stop():
            _leave(run)
            return True
        advance_all(run.integration, flow, work.systems, pks, in_flight, work.deadline, work.context)
    return True


def _leave(run: Run) -> None:
    """Records not begun become pending: they are worked on outside of the run, which settles with them."""
    Record.objects.filter(run=run, status=RecordStatus.IN_PROGRESS, lease_owner=run.lease_owner).update(
        status=RecordStatus.PENDING, lease_owner="", lease_expires_at=None, next_attempt_at=timezone.now()
    )


def _dry_run(flow: DocumentFlow, work: RunWork, in_flight: int) -> bool:
    """Rehearse what the source offers; False when the rest has to be looked at later, from where this stopped."""
    run = work.run
    both = read_only(work.systems)
    archive = DbArchive(run.integration, both, work.context)
    result, seen = DryResult.of(run.result), set(run.cursor.get("tried", ()))
    mapping = mappings.current(run.integration, flow.name)
    for page in flow.discover(archive, _window(flow, work)):
        fresh = [found for found in page.found if found.key not in seen]
        for batch in (fresh[start : start + DRY_BATCH] for start in range(0, len(fresh), DRY_BATCH)):
            if work.must_stop():
                return work.cancelled()
            for found, done in _rehearse_all(flow, run, both, work, mapping, batch, in_flight):
                result.add_rehearsal(found, done)
            seen |= {found.key for found in batch}
            _keep(run, result, seen, len(batch))
    _keep(run, result, seen, 0)
    return True


def _rehearse_all(
    flow: DocumentFlow,
    run: Run,
    both: Systems,
    work: RunWork,
    mapping: CurrentMapping,
    batch: Sequence[Found],
    in_flight: int,
) -> list[tuple[Found, Rehearsal | None]]:
    """Several at once; None for a document that a run would leave as it is."""
    rows = Record.objects.filter(integration=run.integration, flow=flow.name, key__in=[found.key for found in batch])
    known = {row.key: row for row in rows}

    def look(found: Found) -> tuple[Found, Rehearsal | None]:
        try:
            record = known.get(found.key)
            if record is not None and not opens_anew(flow, record, found):
                return found, None
            record = record or Record(integration=run.integration, flow=flow.name, key=found.key)
            describe(record, found)
            return found, rehearse(flow, record, both, work.context, mapping.compiled)
        finally:
            connection.close()

    with ThreadPoolExecutor(max(1, in_flight), thread_name_prefix="rehearse") as pool:
        futures = [pool.submit(copy_context().run, look, found) for found in batch]
        return [future.result() for future in futures]


@transaction.atomic
def _keep(run: Run, result: DryResult, seen: set[str], read: int) -> None:
    """What was found so far, so that whoever goes on with the run loses and repeats nothing. Raises LeaseLost."""
    run.result, run.cursor = result.as_dict(), {**run.cursor, "tried": sorted(seen)}
    mine = Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner)
    if not mine.update(result=run.result, cursor=run.cursor):
        raise LeaseLost
    count(run.pk, read=read)
