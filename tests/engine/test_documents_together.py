"""Documents taken up and advanced together: one record each, lanes in order, as many as may go at once."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace

import pytest

from syncengine.engine.documents import advance_all, store_found
from syncengine.engine.work import Deadline
from syncengine.flows.desk import (
    Finished,
)
from syncengine.models import AuditEvent, Record
from tests.engine.papers import FLOW, ME, PaperFlow, claimed, clients, found, settling_run
from tests.engine.world import in_threads


@pytest.fixture
def run(integration):
    return settling_run(integration)


@pytest.fixture
def record(integration, run):
    return claimed(integration, run=run, memo={"old": 1, "kept": 2}, flags=["late", "odd"], notes=["seen"])


def actions(record: Record) -> list[str]:
    return list(AuditEvent.objects.filter(record=record).order_by("id").values_list("action", flat=True))


# Taking up what was found


def test_what_is_found_becomes_a_record_that_this_worker_holds(integration, run):
    one = found(
        "INV-7",
        title="4711 Nordic Paper",
        amount=Decimal("10.10"),
        currency="EUR",
        reference="4711",
        party="V100",
        search="PO-9",
        memo={"status": "WaitingForTransfer"},
    )
    stored = store_found(integration, PaperFlow(), [one], run_id=run.pk, owner=ME)
    record = Record.objects.get(pk__in=stored.to_do)
    assert (record.status, record.lease_owner, record.run_id, record.stage) == ("in_progress", ME, run.pk, "received")
    assert (record.amount, record.currency, record.reference, record.party) == (Decimal("10.10"), "EUR", "4711", "V100")
    assert all(word in record.search for word in ("inv-7", "4711 nordic paper", "v100", "po-9"))
    assert record.memo == {"status": "WaitingForTransfer"}
    assert actions(record) == ["record.received"]
    assert stored.unchanged == 0


def test_without_an_owner_it_is_pending_for_whoever_is_next(integration):
    (pk,) = store_found(integration, PaperFlow(), [found("INV-7")], run_id=None).to_do
    record = Record.objects.get(pk=pk)
    assert (record.status, record.lease_owner) == ("pending", "")
    assert record.next_attempt_at is not None


@pytest.mark.parametrize("status", ["pending", "in_progress", "waiting"])
def test_an_open_record_is_never_taken_up_anew(status, integration):
    known = claimed(integration, "INV-7", status=status, stage="checked")
    flow = PaperFlow()
    flow.again = True
    stored = store_found(integration, flow, [found("INV-7"), found("INV-8")], run_id=None, owner="other")
    assert (len(stored.to_do), stored.unchanged) == (1, 1)
    known.refresh_from_db()
    assert (known.status, known.lease_owner, known.source) == (status, ME, None)


@pytest.mark.parametrize("status", ["done", "failed", "ignored"])
@pytest.mark.parametrize("again", [True, False])
def test_an_ended_record_is_opened_anew_only_when_the_flow_says_so(status, again, integration):
    known = claimed(integration, "INV-7", status=status, memo={"kept": 1, "status": "old"}, error_code="old")
    flow = PaperFlow()
    flow.again = again
    stored = store_found(integration, flow, [found("INV-7", memo={"status": "new"})], run_id=None)
    known.refresh_from_db()
    assert stored.to_do == ([known.pk] if again else [])
    assert known.status == ("pending" if again else status)
    assert known.memo == {"kept": 1, "status": "new" if again else "old"}
    assert known.error_code == ("" if again else "old")
    assert actions(known) == (["record.received_again"] if again else [])


def test_found_by_several_at_once_it_is_one_record(transactional_db, integration):
    flow, together = PaperFlow(), threading.Barrier(4)

    def find():
        together.wait(5)
        return store_found(integration, flow, [found("INV-7"), found("INV-8")], run_id=None, owner=ME)

    stored = in_threads(*[find] * 4)
    assert sum(len(one.to_do) for one in stored) == 2
    assert sum(one.unchanged for one in stored) == 6
    assert Record.objects.filter(integration=integration, flow=FLOW).count() == 2
    assert Counter(AuditEvent.objects.values_list("action", flat=True)) == {"record.received": 2}


def test_however_many_are_found_they_are_stored_in_a_handful_of_statements(integration, django_assert_max_num_queries):
    keys = [f"INV-{number}" for number in range(20)]
    with django_assert_max_num_queries(8):
        stored = store_found(integration, PaperFlow(), [found(key) for key in keys], run_id=None)
    assert list(Record.objects.order_by("id").values_list("key", flat=True)) == keys
    assert stored.to_do == list(AuditEvent.objects.order_by("id").values_list("record_id", flat=True))


# Several at once


class Watched(PaperFlow):
    """Notes who is at work at the same time in one lane, and in what order."""

    def __init__(self, lanes) -> None:
        super().__init__()
        self.lanes = lanes
        self.order: list[str] = []
        self.busy: Counter[str] = Counter()
        self.collisions: list[str] = []
        self.lock = threading.Lock()
        self.meet: threading.Barrier | None = None

    def advance(self, work, desk):
        lane = self.lanes[work.key]
        with self.lock:
            self.order.append(work.key)
            self.busy[lane] += 1
            if self.busy[lane] > 1:
                self.collisions.append(work.key)
        if self.meet is not None:
            self.meet.wait(5)
        with self.lock:
            self.busy[lane] -= 1
        return Finished()


def go(integration, flow, records, in_flight, deadline=None):
    pks = [record.pk for record in records]
    deadline = deadline or Deadline(20)
    advance_all(integration, flow, clients(integration), pks, in_flight, lambda: deadline.passed, SimpleNamespace())


def test_records_of_one_lane_go_one_after_another_and_lanes_side_by_side(transactional_db, integration):
    lanes = {f"{lane}{number}": lane for number in range(3) for lane in "AB"}
    records = [claimed(integration, key) for key in lanes]
    flow = Watched(lanes)
    flow.meet = threading.Barrier(2)  # passed only by two lanes at the same time
    go(integration, flow, reversed(records), in_flight=4)
    assert flow.collisions == []
    assert [key for key in flow.order if key[0] == "A"] == ["A0", "A1", "A2"]
    assert [key for key in flow.order if key[0] == "B"] == ["B0", "B1", "B2"]
    assert set(Record.objects.values_list("status", flat=True)) == {"done"}


def test_no_more_go_at_once_than_may(transactional_db, integration):
    records = [claimed(integration, f"INV-{number}") for number in range(4)]
    flow = Watched({record.key: "all" for record in records})
    flow.lane = lambda work: work.key
    go(integration, flow, records, in_flight=1)
    assert flow.collisions == []
    assert len(flow.order) == 4


def test_the_deadline_leaves_the_rest_as_it_was_claimed(transactional_db, integration):
    records = [claimed(integration, f"INV-{number}") for number in range(3)]
    deadline = SimpleNamespace(passed=False)

    def last(work, desk):
        deadline.passed = True
        return Finished()

    flow = PaperFlow(last)
    flow.lanes = {record.key: "one" for record in records}
    go(integration, flow, records, 4, deadline)
    statuses = list(Record.objects.order_by("id").values_list("status", "lease_owner"))
    assert statuses == [("done", ""), ("in_progress", ME), ("in_progress", ME)]


def test_one_record_that_fails_does_not_keep_the_others(transactional_db, integration):
    records = [claimed(integration, f"INV-{number}") for number in range(3)]

    def odd(work, desk):
        if work.key == "INV-1":
            raise ValueError("odd")
        return Finished()

    go(integration, PaperFlow(odd), records, in_flight=2)
    assert dict(Record.objects.values_list("key", "status")) == {"INV-0": "done", "INV-1": "failed", "INV-2": "done"}
