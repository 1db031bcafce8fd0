"""The run of a master-data flow: read, map, compare, send; settling follows later.

Reading runs ahead in a thread of its own while this thread maps, compares and stores, and other threads send. After
each page records and cursor are stored in one transaction, so that a run that dies goes on after its last page and
what it had not sent yet is found by its lease.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from syncengine.audit import record_events
from syncengine.engine import applying, mappings, permits
from syncengine.engine.closings import absent_records, active_records, last_complete_read
from syncengine.engine.comparing import Comparison, Fate, Judged
from syncengine.engine.leases import LeaseLost, lease_end
from syncengine.engine.plans import Planner, action_of
from syncengine.engine.records import count, fail_those_held_back_by
from syncengine.engine.runs import CLOSING_NEEDS_APPROVAL
from syncengine.engine.sending import Sender
from syncengine.engine.storing import store_prints, store_records
from syncengine.engine.table_statistics import TableStatistics
from syncengine.engine.work import RunWork
from syncengine.flows.master import MasterDataFlow, ReadWindow
from syncengine.flows.reading import Page
from syncengine.models import FlowState, PlanAction, PlanItem, Record, RecordStatus, Run, RunMode

PAGES_AHEAD = 1
WATERMARK_OVERLAP = timedelta(days=1)
CLOSINGS_WITHOUT_ASKING = 5
CLOSINGS_SHARE = 0.10
CHUNK = 100


def synchronise(flow: MasterDataFlow, work: RunWork) -> bool:
    """Do the run from its checkpoint on; False when it has to be gone on with later."""
    run = work.run
    if not permits.within_reach(run.integration, flow.target):
        return False
    comparison = comparison_for(flow, work)
    with Sender(run.integration, flow, work.systems, run, settings.CALLS_IN_FLIGHT) as sender:
        if run.mode == RunMode.APPLY:
            finished = _Application(flow, work, comparison, sender).go()
        else:
            finished = _Synchronisation(flow, work, comparison, sender).go()
        sender.finish()
    return finished


def comparison_for(flow: MasterDataFlow, work: RunWork) -> Comparison:
    state = FlowState.objects.filter(integration=work.run.integration, flow=flow.name).first()
    return Comparison(
        work.run.integration,
        flow,
        mappings.current(work.run.integration, flow.name),
        work.context,
        work.run,
        resend_field=state.resend_field if state else flow.resend_field,
    )


class _Synchronisation:
    """The phases of a run: pages, then windows that open or close today, then what is absent from a full read."""

    def __init__(self, flow: MasterDataFlow, work: RunWork, comparison: Comparison, sender: Sender) -> None:
        self.flow = flow
        self.work = work
        self.run = work.run
        self.comparison = comparison
        self.sender = sender
        self.state = FlowState.objects.get_or_create(
            integration=self.run.integration, flow=flow.name, defaults={"resend_field": flow.resend_field}
        )[0]
        self.statistics = TableStatistics()
        self.dry = Planner(self.run, comparison.mapping.version) if self.run.mode == RunMode.DRY_RUN else None

    @property
    def whole(self) -> bool:
        """Whether this run reads all there is, so that absence means something."""
        return not self.flow.incremental or self.run.mode == RunMode.FULL or not self._since()

    def _since(self) -> date | None:
        mark = (self.state.watermark or {}).get("date")
        return date.fromisoformat(mark) - WATERMARK_OVERLAP if mark else None

    def go(self) -> bool:
        self._expect()
        if not self.run.cursor.get("read_all") and not self._read():
            # What was not read is not absent: a run that was cancelled ends here, another goes on later.
            return self.work.cancelled()
        self._edges()
        if self.whole:
            self._absent()
        if self.dry is not None:
            self._keep_dry()
        elif not self.work.cancelled():
            self._advance_watermark()
        return True

    def _expect(self) -> None:
        """About as many as the last run found that read everything: SAP is not asked for a count of its own."""
        if self.whole and self.run.expected is None:
            found = last_complete_read(self.run, incremental=self.flow.incremental)
            Run.objects.filter(pk=self.run.pk).update(expected=found)

    def _read(self) -> bool:
        cursor = self.run.cursor
        window = ReadWindow("full" if self.whole else "incremental", self._since(), cursor.get("after", ""))
        for page in read_ahead(self.flow.pages(self.work.systems.sap, window, self.work.context)):
            self._take(page.records, page=page)
            self.statistics.keep()
            if self.work.must_stop():
                return False
        self._checkpoint(read_all=True)
        return True

    def _take(self, sources: Sequence[dict[str, Any]], *, page: Page | None = None, leaving: bool = False) -> None:
        same, others = ([], sources) if leaving else self.comparison.prints.known(sources)
        judged = self.comparison.judge(others, leaving=leaving)
        # An incremental read also brings what is none of this flow's business: customers among the business partners.
        ours = len(same) + sum(1 for one in judged if one.fate is not Fate.OUT_OF_SCOPE)
        self._put_down(judged, same, read=0 if leaving else ours, page=page)

    def _put_down(
        self, judged: Sequence[Judged], same: Sequence[int] = (), *, read: int, page: Page | None = None
    ) -> None:
        """Store what was found; `same` are ids of records that were not even compared."""
        unchanged = len(same) + sum(1 for one in judged if one.fate is Fate.UNCHANGED)
        failed = [one.record for one in judged if one.fate is Fate.FAILED]
        if self.dry is not None:
            with transaction.atomic():
                self.dry.add_records(judged, len(same))
                self._mark_seen(judged, same)
                count(self.run.pk, read=read, unchanged=unchanged, failed=len(failed))
                self._keep_dry()
                if page is not None:
                    self._checkpoint(after=page.cursor, server_date=self._latest(page.server_date))
            return
        with transaction.atomic():
            to_send = self._store(_without_replayed(judged)) if judged else []
            if self.whole:
                self._mark_seen(judged, same)
            count(self.run.pk, read=read, unchanged=unchanged, failed=len(failed))
            if page is not None:
                self._checkpoint(after=page.cursor, server_date=self._latest(page.server_date))
        self.sender.add(to_send)

    def _store(self, judged: Sequence[Judged]) -> list[Record]:
        """Put down what is new of these, and what follows from it; those to be sent, leased by this run."""
        to_send = [one.record for one in judged if one.fate is Fate.SEND]
        lease_expires_at = lease_end(timezone.now())
        for record in to_send:
            record.lease_owner, record.lease_expires_at = self.run.lease_owner, lease_expires_at
        if self.whole:
            for new in (one.record for one in judged if one.record.pk is None):
                new.seen_run = self.run.pk
        store_records([one.record for one in judged if one.stored])
        store_prints([one.record for one in judged if one.reprinted])
        newly_failed = [one.record for one in judged if one.fate is Fate.FAILED and one.stored]
        if newly_failed:
            record_events(
                self.run.integration, "record.failed", [(record, record.error_message) for record in newly_failed]
            )
            fail_those_held_back_by(newly_failed)
        return to_send

    def _keep_dry(self) -> None:
        """What was found so far, so that whoever goes on with the run after a hand-over loses nothing of it."""
        found = self.dry.result() if self.dry else None
        if not Run.objects.filter(pk=self.run.pk, lease_owner=self.run.lease_owner).update(result=found):
            raise LeaseLost

    def _mark_seen(self, judged: Sequence[Judged], same: Sequence[int]) -> None:
        """Whoever reads a record has seen it in the source: what no later read finds is absent."""
        ours = [one.record for one in judged if one.fate is not Fate.OUT_OF_SCOPE and one.record.pk]
        seen = [record.pk for record in ours if record.seen_run != self.run.pk]  # new rows tell it from the start
        Record.objects.filter(pk__in=[*same, *seen]).update(seen_run=self.run.pk)

    def _latest(self, server_date: date | None) -> str | None:
        known = self.run.cursor.get("server_date")
        return max(filter(None, (known, server_date.isoformat() if server_date else None)), default=None)

    def _checkpoint(self, **progress: Any) -> None:
        self.run.cursor = {**self.run.cursor, **progress}
        mine = Run.objects.filter(pk=self.run.pk, lease_owner=self.run.lease_owner)
        if not mine.update(cursor=self.run.cursor):
            raise LeaseLost  # inside the page's transaction: another has taken over and reads this page itself

    def _edges(self) -> None:
        """Windows open and close without an update stamp: what crosses its edge by today is looked at again."""
        rows = Record.objects.filter(
            integration=self.run.integration, flow=self.flow.name, next_edge__lte=self.work.context.today
        ).exclude(status=RecordStatus.IGNORED)
        if self.dry is not None:  # what a page brought is as it was: nothing of it was stored
            rows = rows.exclude(seen_run=self.run.pk)
        for keys in _chunks_of_keys(rows):
            self._take(self._by_keys(keys))

    def _by_keys(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        return self.flow.by_keys(self.work.systems.sap, keys, self.work.context)

    def _absent(self) -> None:
        """Close what a complete read did not find; many at once need a person's yes."""
        if not self.flow.closes_absent:
            return
        absent = absent_records(self.run)
        number = absent.count()
        if self._too_many(number, active_records(self.run).count()):
            if self.dry is None:
                self._hold_closings(number)
                return
            self.dry.holds_closings = True
        for keys in _chunks_of_keys(absent):
            self._close(keys)

    def _too_many(self, absent: int, active: int) -> bool:
        if self.run.cursor.get("closings_confirmed"):
            return False
        return absent > CLOSINGS_WITHOUT_ASKING and absent > CLOSINGS_SHARE * active

    def _hold_closings(self, number: int) -> None:
        Run.objects.filter(pk=self.run.pk).update(
            closings_held=number,
            error_code=CLOSING_NEEDS_APPROVAL,
            error_message=f"{number} records are no longer in SAP's list. Nothing was closed in Basware.",
            error_hint="Look at them. If they are really gone, confirm the closings.",
        )

    def _close(self, keys: Sequence[str]) -> None:
        found = self._by_keys(keys)
        self._take(found, leaving=True)
        gone = set(keys) - {self.flow.key(source) for source in found}
        rows = Record.objects.filter(integration=self.run.integration, flow=self.flow.name, key__in=gone)
        self._put_down(self.comparison.gone(rows), read=0)

    def _advance_watermark(self) -> None:
        newest = self.run.cursor.get("server_date")
        if not self.flow.incremental or not newest:
            return
        known = (self.state.watermark or {}).get("date", "")
        FlowState.objects.filter(pk=self.state.pk).update(watermark={"date": max(known, newest)})


class _Application:
    """Sends the items of a plan: each is read and mapped now, and goes only if it is as the plan says."""

    def __init__(self, flow: MasterDataFlow, work: RunWork, comparison: Comparison, sender: Sender) -> None:
        self.flow = flow
        self.work = work
        self.run = work.run
        self.comparison = comparison
        self.sender = sender

    def go(self) -> bool:
        plan = applying.plan_to_send(self.run)
        if plan is None:
            return True
        while items := list(applying.to_do(plan)[:CHUNK]):
            self.sender.add(self._take(items, self._judged(items)))
            if self.work.must_stop():
                return self.work.cancelled()
        applying.say_what_changed(self.run, plan)
        return True

    def _judged(self, items: Sequence[PlanItem]) -> dict[str, Judged]:
        """The fate of the same records now, by key."""
        found = self.flow.by_keys(self.work.systems.sap, [item.key for item in items], self.work.context)
        closing = {item.key for item in items if item.action == PlanAction.CLOSE}
        there = {self.flow.key(source): source for source in found}
        gone = Record.objects.filter(
            integration=self.run.integration, flow=self.flow.name, key__in=closing - there.keys()
        )
        judged = [
            *self.comparison.judge([source for key, source in there.items() if key not in closing]),
            *self.comparison.judge([source for key, source in there.items() if key in closing], leaving=True),
            *self.comparison.gone(gone),
        ]
        return {one.record.key: one for one in judged}

    @transaction.atomic
    def _take(self, items: Sequence[PlanItem], judged: Mapping[str, Judged]) -> list[Record]:
        """The records to be sent, stored and leased. Raises LeaseLost."""
        same = [judged[item.key] for item in items if item.key in judged and _is_as_planned(item, judged[item.key])]
        to_send = [one.record for one in _without_replayed(same)]
        for record in to_send:
            record.lease_owner, record.lease_expires_at = self.run.lease_owner, lease_end(timezone.now())
        store_records(to_send)
        going = {record.key for record in to_send}
        applying.decide(items, {one.key: _why_not(judged.get(one.key)) for one in items if one.key not in going})
        if not Run.objects.filter(pk=self.run.pk, lease_owner=self.run.lease_owner).exists():
            raise LeaseLost
        count(self.run.pk, read=len(items))
        return to_send


def _is_as_planned(item: PlanItem, judged: Judged) -> bool:
    is_sent = judged.fate is Fate.SEND
    return is_sent and action_of(judged) == item.action and judged.record.fingerprint == item.fingerprint


def _why_not(judged: Judged | None) -> str:
    if judged is None:
        return "SAP does not have it any more."
    if judged.fate is Fate.SEND:
        return "Something else would be sent now."
    return judged.record.error_message or "There is nothing to be sent any more."


def _without_replayed(judged: Sequence[Judged]) -> list[Judged]:
    """Leave alone what a person has replayed since it was read here: it is read and mapped afresh for them anyway.

    In the transaction that stores the others; the rows stay locked until it ends.
    """
    known = [one.record.pk for one in judged if one.record.pk and (one.stored or one.fate is Fate.SEND)]
    if not known:
        return list(judged)
    pending = Record.objects.select_for_update(no_key=True).filter(pk__in=known, status=RecordStatus.PENDING)
    replayed = {row["pk"]: row["updated_at"] for row in pending.filter(run=None).values("pk", "updated_at")}
    return [one for one in judged if replayed.get(one.record.pk, one.record.updated_at) == one.record.updated_at]


def read_ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, read by a thread of its own that is at most PAGES_AHEAD pages in front; errors come out here."""
    ready: queue.Queue[Page | BaseException | None] = queue.Queue(PAGES_AHEAD)
    stopped = threading.Event()

    def put(item: Page | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for page in pages:
                if not put(page):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001  # raised again by whoever reads the pages
            put(error)
        finally:
            connection.close()

    reader = threading.Thread(target=copy_context().run, args=(read,), name="read-ahead", daemon=True)
    reader.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        reader.join()


def _chunks_of_keys(rows: QuerySet[Record]) -> Iterator[list[str]]:
    """The keys of these records, a chunk at a time by id: each record once, whatever working on it changes."""
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "key")[:CHUNK]):
        last = chunk[-1][0]
        yield [key for _, key in chunk]
