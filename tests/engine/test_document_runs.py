"""The run of a document flow: all is found and stored first, then advanced; what is left goes on by itself."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from syncengine.connectors.outcomes import Unavailable
from syncengine.engine import document_runs
from syncengine.engine.document_runs import synchronise
from syncengine.engine.leases import Heartbeat, LeaseLost
from syncengine.engine.work import Deadline, RunWork
from syncengine.flows.desk import Finished, NeedsPerson
from syncengine.flows.document import FoundPage
from syncengine.mapping import Problem
from syncengine.models import FlowState, Record, Run
from tests.engine.papers import FLOW, ME, PaperFlow, claimed, clients, found
from tests.factories import NOON, RunFactory


@pytest.fixture
def state(connected):
    return FlowState.objects.create(integration=connected, flow=FLOW, watermark={"since": "2026-05-01"})


def start(integration, deadline: Any = None, **fields) -> RunWork:
    """This worker's hold on a run."""
    run = RunFactory(integration=integration, flow=FLOW, status="running", started_at=NOON, lease_owner=ME, **fields)
    work = RunWork(run, deadline or Deadline(20), Heartbeat(lambda: True), lambda: False)
    work.systems = clients(integration)
    work.context = SimpleNamespace()
    return work


def page(*keys: str, watermark: Any = None) -> FoundPage:
    return FoundPage([found(key) for key in keys], watermark)


PAID_WITH_EUROS = found("3", amount=Decimal("12.50"), currency="EUR")


def statuses() -> dict[str, str]:
    return dict(Record.objects.values_list("key", "status"))


def test_all_pages_are_stored_before_anything_is_advanced(transactional_db, connected, state):
    known = []

    def look(work, desk):
        known.append(Record.objects.count())
        return Finished()

    work = start(connected)
    assert synchronise(PaperFlow(look, pages=[page("1", "2"), page("3")]), work)
    assert known == [3, 3, 3]
    assert statuses() == {"1": "done", "2": "done", "3": "done"}
    assert set(Record.objects.values_list("run", flat=True)) == {work.run.pk}


def test_a_run_counts_what_it_read_and_what_needed_nothing(transactional_db, connected, state):
    claimed(connected, "1", status="done", lease_owner="")
    work = start(connected)
    synchronise(PaperFlow(pages=[page("1", "2"), page("3")]), work)
    run = Run.objects.get(pk=work.run.pk)
    assert (run.read, run.unchanged, run.confirmed, run.failed) == (3, 1, 2, 0)


def test_the_flow_is_told_the_mode_and_where_the_last_run_ended(transactional_db, connected, state):
    flow = PaperFlow(pages=[page("1", watermark={"since": "2026-05-02"}), page("2")])
    synchronise(flow, start(connected, mode="full"))
    (window,) = flow.windows
    assert (window.mode, window.watermark) == ("full", {"since": "2026-05-01"})
    state.refresh_from_db()
    assert state.watermark == {"since": "2026-05-02"}


def test_a_reading_that_breaks_off_moves_no_watermark_and_advances_nothing(transactional_db, connected, state):
    error = Unavailable("No answer.", code="unreachable")
    flow = PaperFlow(pages=[page("1", watermark={"since": "2026-05-02"}), error])
    work = start(connected)
    with pytest.raises(Unavailable):
        synchronise(flow, work)
    state.refresh_from_db()
    assert state.watermark == {"since": "2026-05-01"}
    assert (flow.seen, statuses()) == ([], {"1": "in_progress"})
    assert not Run.objects.get(pk=work.run.pk).cursor.get("found_all")


def test_without_a_watermark_in_the_pages_the_old_one_stays(transactional_db, connected, state):
    synchronise(PaperFlow(pages=[page("1")]), start(connected))
    state.refresh_from_db()
    assert state.watermark == {"since": "2026-05-01"}


def test_a_run_that_is_gone_on_with_does_not_read_again(transactional_db, connected, state):
    work = start(connected, cursor={"found_all": True, "kept": 1})
    claimed(connected, "1", run=work.run)
    flow = PaperFlow(pages=[page("2")])
    assert synchronise(flow, work)
    assert (flow.windows, statuses()) == ([], {"1": "done"})


def test_having_found_all_is_noted_beside_what_the_cursor_held(transactional_db, connected, state):
    work = start(connected, cursor={"kept": 1})
    synchronise(PaperFlow(pages=[]), work)
    assert Run.objects.get(pk=work.run.pk).cursor == {"kept": 1, "found_all": True}


def test_more_records_than_one_batch_holds_are_all_advanced(transactional_db, connected, state, monkeypatch):
    monkeypatch.setattr(document_runs, "BATCH", 3)
    synchronise(PaperFlow(pages=[page(*"12345"), page(*"678")]), start(connected))
    assert Counter(statuses().values()) == {"done": 8}


@pytest.mark.parametrize("batch", [1, 200], ids=["between batches", "within a batch"])
@pytest.mark.parametrize("why", ["deadline", "cancelled"])
def test_records_not_begun_are_left_pending_for_whoever_is_next(
    why, batch, transactional_db, connected, state, monkeypatch
):
    monkeypatch.setattr(document_runs, "BATCH", batch)
    monkeypatch.setattr(document_runs, "at_once", lambda: 1)
    monkeypatch.setattr("syncengine.engine.work.LOOK_SECONDS", 0)
    deadline = SimpleNamespace(passed=False)
    work = start(connected, deadline)

    def stop(_work, _desk):
        deadline.passed = why == "deadline"
        Run.objects.filter(pk=work.run.pk).update(cancel_requested=why == "cancelled")
        return Finished()

    flow = PaperFlow(stop, pages=[page("1", "2", "3")])
    assert synchronise(flow, work)
    assert statuses() == {"1": "done", "2": "pending", "3": "pending"}
    left = Record.objects.filter(status="pending")
    assert [(one.lease_owner, one.lease_expires_at, one.run_id) for one in left] == [("", None, work.run.pk)] * 2
    assert all(one.next_attempt_at is not None for one in left)


def test_who_has_lost_the_run_stops_reading(transactional_db, connected, state):
    work = start(connected)
    work.heartbeat._lost = True  # what its thread notes when the lease is gone
    flow = PaperFlow(pages=[page("1"), page("2")])
    with pytest.raises(LeaseLost):
        synchronise(flow, work)
    assert flow.seen == []
    assert list(statuses()) == ["1"]


def test_without_a_permit_within_reach_nothing_is_read_yet(transactional_db, connected, state, settings):
    settings.CALLS_IN_FLIGHT = 0
    flow = PaperFlow(pages=[page("1")])
    assert not synchronise(flow, start(connected))
    assert (flow.windows, statuses()) == ([], {})


def rehearsing(integration: Any, deadline: Any = None, **fields: Any) -> RunWork:
    """This worker's hold on a dry run."""
    work = start(integration, deadline, mode="dry_run", **fields)
    work.systems.sap.transport = None
    work.systems.basware.session = SimpleNamespace(through=lambda wrap: None)
    return work


def test_a_dry_run_only_tells_what_it_would_do(transactional_db, connected, state):
    claimed(connected, "1", status="done", lease_owner="")
    before = list(Record.objects.values())
    bad = NeedsPerson(message="no account", problems=[Problem("rows[0]", "no account")])
    steps = {"2": Finished(), "3": bad}
    pages = [page("1", "2", watermark={"since": "2026-05-02"}), FoundPage([PAID_WITH_EUROS])]
    work = rehearsing(connected)
    assert synchronise(PaperFlow(lambda work, desk: steps[work.key], pages=pages), work)
    run = Run.objects.get(pk=work.run.pk)
    assert run.result["counts"] == {"unchanged": 2, "fail": 1}
    assert run.result["totals"] == {"fail": {"EUR": "12.50"}}
    assert list(run.plan.items.values_list("action", "message")) == [("fail", "No account.")]
    assert (run.read, list(Record.objects.values())) == (3, before)
    state.refresh_from_db()
    assert state.watermark == {"since": "2026-05-01"}


def test_a_dry_run_that_is_handed_over_goes_on_where_it_was_and_keeps_its_plan(
    transactional_db, connected, state, monkeypatch
):
    monkeypatch.setattr(document_runs, "DRY_BATCH", 1)
    deadline = SimpleNamespace(passed=False)
    looked_at: list[str] = []

    def look(work, desk):
        looked_at.append(work.key)
        deadline.passed = len(looked_at) == 2
        return NeedsPerson(message="no account", problems=[Problem("rows[0]", "no account")])

    work = rehearsing(connected, deadline)
    assert not synchronise(PaperFlow(look, pages=[page("1", "2", "3")]), work)
    assert looked_at == ["1", "2"]
    deadline.passed = False
    work.run.refresh_from_db()
    assert synchronise(PaperFlow(look, pages=[page("1", "2", "3")]), work)
    run = Run.objects.get(pk=work.run.pk)
    assert (looked_at, run.read, run.result["counts"]) == (["1", "2", "3"], 3, {"fail": 3})
    assert sorted(run.plan.items.values_list("key", flat=True)) == ["1", "2", "3"]


def test_who_has_lost_a_dry_run_writes_nothing_more_of_it(transactional_db, connected, state):
    work = rehearsing(connected)
    Run.objects.filter(pk=work.run.pk).update(lease_owner="another:1:x")
    with pytest.raises(LeaseLost):
        synchronise(PaperFlow(pages=[page("1")]), work)
    assert not Run.objects.get(pk=work.run.pk).result
