"""The run of a document flow: find what the source offers, make records of it, advance them."""

from __future__ import annotations

from django.utils import timezone

from syncengine.engine import slots
from syncengine.engine.archive import DbArchive
from syncengine.engine.documents import advance_all, store_found
from syncengine.engine.dry_runs import DryResult
from syncengine.engine.records import count
from syncengine.engine.work import RunWork
from syncengine.flows.base import Flow
from syncengine.flows.document import DocumentFlow, FindWindow
from syncengine.models import FlowState, Record, RecordStatus, Run, RunMode

BATCH = 50


def synchronise(flow: Flow, work: RunWork) -> bool:
    """Do the run; False when it has to be gone on with later."""
    assert isinstance(flow, DocumentFlow)  # flows are of one kind or the other
    run = work.run
    with slots.held(run.integration, flow.target) as in_flight:
        if in_flight == 0:
            return False
        if run.mode == RunMode.DRY_RUN:
            _dry_run(flow, work)
            return True
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


def _dry_run(flow: DocumentFlow, work: RunWork) -> None:
    result = DryResult()
    archive = DbArchive(work.run.integration, work.systems, work.context)
    for page in flow.discover(archive, _window(flow, work)):
        for found in page.found:
            known = Record.objects.filter(
                integration=work.run.integration, flow=flow.name, key=found.key, status=RecordStatus.DONE
            )
            result.note("unchanged" if known.exists() else "created", found.key, found.title)
        count(work.run.pk, read=len(page.found))
    Run.objects.filter(pk=work.run.pk).update(result=result.as_dict())
