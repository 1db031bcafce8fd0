"""The run of a document flow: find what the source offers, make records of it, advance them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from syncengine.engine import applying, mappings, permits
from syncengine.engine.archive import DbArchive
from syncengine.engine.connections import Systems
from syncengine.engine.documents import advance_all, describe, opens_anew, store_found
from syncengine.engine.leases import LeaseLost
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.planned import PLANNED
from syncengine.engine.plans import Planner, Rehearsed, action_of_end, print_of, would_act
from syncengine.engine.records import count
from syncengine.engine.rehearsals import Rehearsal, read_only, rehearse
from syncengine.engine.work import RunWork
from syncengine.flows.base import Flow
from syncengine.flows.desk import Found
from syncengine.flows.document import DocumentFlow, FindWindow
from syncengine.models import SENDING_ACTIONS, FlowState, Plan, PlanItem, Record, RecordStatus, Run, RunMode

BATCH = 200
DRY_BATCH = 20
NOT_OFFERED = "The source does not offer it any more."


def synchronise(flow: Flow, work: RunWork) -> bool:
    """Do the run; False when it has to be gone on with later."""
    assert isinstance(flow, DocumentFlow)  # flows are of one kind or the other
    run = work.run
    if not permits.within_reach(run.integration, flow.target):
        return False
    if run.mode == RunMode.DRY_RUN:
        return _dry_run(flow, work, at_once())
    if run.mode == RunMode.APPLY:
        return _apply(flow, work, at_once())
    if not run.cursor.get("found_all"):
        _find(flow, work)
    return _advance_found(flow, work, at_once())


def at_once() -> int:
    """How many documents are worked on at a time: while some wait for SAP, as many others wait for Basware."""
    return 2 * settings.CALLS_IN_FLIGHT


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
        advance_all(run.integration, flow, work.systems, pks, in_flight, work.is_over, work.context)
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
    seen = set(run.cursor.get("tried", ()))
    mapping = mappings.current(run.integration, flow.name)
    planner = Planner(run, mapping.version)
    for page in flow.discover(archive, _window(flow, work)):
        fresh = [found for found in page.found if found.key not in seen]
        for batch in _batches(fresh):
            if work.must_stop():
                return work.cancelled()
            rehearsed = _rehearse_all(flow, run, both, work, mapping, batch, in_flight)
            seen |= {found.key for found in batch}
            _keep(run, planner, rehearsed, seen)
    _keep(run, planner, [], seen)
    return True


def _batches(found: Sequence[Found]) -> Iterator[Sequence[Found]]:
    return (found[start : start + DRY_BATCH] for start in range(0, len(found), DRY_BATCH))


def _rehearse_all(
    flow: DocumentFlow,
    run: Run,
    both: Systems,
    work: RunWork,
    mapping: CurrentMapping,
    batch: Sequence[Found],
    in_flight: int,
) -> list[Rehearsed]:
    """Several at once; None for a document that a run would leave as it is."""
    rows = Record.objects.filter(integration=run.integration, flow=flow.name, key__in=[found.key for found in batch])
    known = {row.key: row for row in rows}

    def look(found: Found) -> Rehearsed:
        try:
            record = known.get(found.key)
            if record is not None and not opens_anew(flow, record, found):
                return found, record, None
            record = record or Record(integration=run.integration, flow=flow.name, key=found.key)
            describe(record, found)
            return found, record, rehearse(flow, record, both, work.context, mapping.compiled)
        finally:
            connection.close()

    with ThreadPoolExecutor(max(1, in_flight), thread_name_prefix="rehearse") as pool:
        futures = [pool.submit(copy_context().run, look, found) for found in batch]
        return [future.result() for future in futures]


@transaction.atomic
def _keep(run: Run, planner: Planner, rehearsed: Sequence[Rehearsed], seen: set[str]) -> None:
    """What was found so far, so that whoever goes on with the run loses and repeats nothing. Raises LeaseLost."""
    planner.add_documents(rehearsed)
    run.result, run.cursor = planner.result(), {**run.cursor, "tried": sorted(seen)}
    mine = Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner)
    if not mine.update(result=run.result, cursor=run.cursor):
        raise LeaseLost
    count(run.pk, read=len(rehearsed))


def _apply(flow: DocumentFlow, work: RunWork, in_flight: int) -> bool:
    """Take up what a plan lists and what still ends as it says, then advance it like any other."""
    run = work.run
    if not run.cursor.get("found_all"):
        plan = applying.plan_to_send(run)
        if plan is None:
            return True
        if not _take_up_planned(flow, work, plan, in_flight):
            return work.cancelled()
    return _advance_found(flow, work, in_flight)


def _take_up_planned(flow: DocumentFlow, work: RunWork, plan: Plan, in_flight: int) -> bool:
    """False when the rest has to be looked at later. Nothing is written to either system before all are found."""
    run, both = work.run, read_only(work.systems)
    mapping = mappings.current(run.integration, flow.name)
    for page in flow.discover(DbArchive(run.integration, both, work.context), _window(flow, work)):
        items = {item.key: item for item in applying.to_do(plan).filter(key__in=[found.key for found in page.found])}
        for batch in _batches([found for found in page.found if found.key in items]):
            if work.must_stop():
                return False
            _decide(flow, run, items, _rehearse_all(flow, run, both, work, mapping, batch, in_flight))
    with transaction.atomic():
        gone = list(applying.to_do(plan))
        applying.decide(gone, {item.key: NOT_OFFERED for item in gone})
        run.cursor = {**run.cursor, "found_all": True}
        if not Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner).update(cursor=run.cursor):
            raise LeaseLost
    applying.say_what_changed(run, plan)
    return True


@transaction.atomic
def _decide(flow: DocumentFlow, run: Run, items: Mapping[str, PlanItem], tried: Sequence[Rehearsed]) -> None:
    """Those that end as planned become records of this run, each with its plan's fingerprint. Raises LeaseLost."""
    as_planned = [
        replace(found, memo={**found.memo, PLANNED: items[found.key].fingerprint})
        for found, _, done in tried
        if done is not None and _is_as_planned(items[found.key], done)
    ]
    stored = store_found(run.integration, flow, as_planned, run_id=run.pk, owner=run.lease_owner)
    taken = set(Record.objects.filter(pk__in=stored.to_do).values_list("key", flat=True))
    why_not = {found.key: _why_not(done) for found, _, done in tried if found.key not in taken}
    applying.decide([items[found.key] for found, _, _ in tried], why_not)
    if not Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner).exists():
        raise LeaseLost
    count(run.pk, read=len(tried))


def _is_as_planned(item: PlanItem, done: Rehearsal) -> bool:
    return would_act(done) and action_of_end(done) == item.action and print_of(done) == item.fingerprint


def _why_not(done: Rehearsal | None) -> str:
    if done is None or not would_act(done):
        return "It is done, or on its way, already."
    return "Something else would be sent now." if action_of_end(done) in SENDING_ACTIONS else done.message
