"""The gate in front of every call: an open circuit, its trial, and what an answer says."""

from __future__ import annotations

import threading

import pytest
from django.utils import timezone

from syncengine.connectors.http import Request, Response
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Throttled, Unavailable
from syncengine.engine import circuit, due
from syncengine.engine.circuit import FAILURES_THAT_OPEN, HeldBack
from syncengine.engine.connections import systems
from syncengine.engine.gate import Caller, Gate
from syncengine.engine.pauses import resume
from syncengine.engine.work import Deadline
from tenants.models import Connection
from tests.engine.world import PERSON, in_threads

# The circuit, half-open


class Line:
    """A transport that answers as told, and holds a call until it is let go."""

    def __init__(self) -> None:
        self.calls = 0
        self.fault = None
        self.go = threading.Event()
        self.go.set()
        self.in_flight = 0
        self.most = 0

    def send(self, request, judge):
        self.calls += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        self.go.wait(5)
        self.in_flight -= 1
        if self.fault:
            raise self.fault
        return Response(200, [], b"", request.url)


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def sap(transactional_db, connected):
    return Connection.objects.get(integration=connected, system="sap_b1")


def call(gate, url="https://sap.example.com/b1s/v2/Items"):
    try:
        gate.send(Request("GET", url), lambda _: None)
    except (HeldBack, Unavailable, Throttled) as error:
        return type(error).__name__
    return "ok"


def gate_of(line, row, caller=Caller.WORK):
    return Gate(line, row, frozenset({"https://sap.example.com/b1s/v2/Login"}), caller)


def open_circuit(row, seconds):
    at = timezone.now() + timezone.timedelta(seconds=seconds)
    Connection.objects.filter(pk=row.pk).update(failures_in_a_row=FAILURES_THAT_OPEN, retry_after=at)


def test_an_open_circuit_lets_no_work_through_and_a_person_tries(line, sap):
    open_circuit(sap, 60)
    assert call(gate_of(line, sap)) == "HeldBack"
    assert call(gate_of(line, sap, Caller.PERSON)) == "ok"
    assert line.calls == 1
    assert call(gate_of(line, sap)) == "ok"


def test_half_open_one_call_goes_first_and_the_rest_follows_when_it_was_answered(line, sap):
    open_circuit(sap, -1)
    line.go.clear()
    mine, theirs = gate_of(line, sap), gate_of(line, sap)
    trial = threading.Thread(target=in_threads, args=(lambda: call(mine),))
    trial.start()
    while not line.calls:
        pass
    assert call(theirs) == "HeldBack"
    line.go.set()
    trial.join()
    assert call(gate_of(line, sap)) == "ok"
    sap.refresh_from_db()
    assert (sap.failures_in_a_row, sap.retry_after) == (0, None)


def test_half_open_the_threads_of_one_client_wait_for_its_trial(line, sap):
    open_circuit(sap, -1)
    gate = gate_of(line, sap)
    line.fault = Unavailable("away", code="away")
    found = in_threads(*[lambda: call(gate)] * 6)
    assert sorted(found) == ["HeldBack"] * 5 + ["Unavailable"]
    assert line.calls == 1


def test_an_answer_outside_of_any_run_ends_the_count(line, sap, django_assert_num_queries):
    Connection.objects.filter(pk=sap.pk).update(failures_in_a_row=2)
    gate = gate_of(line, sap)
    call(gate)
    sap.refresh_from_db()
    assert sap.failures_in_a_row == 0
    with django_assert_num_queries(0):
        for _ in range(20):
            call(gate)


@pytest.mark.parametrize("fault", [Rejected("no", code="no"), OutcomeUnknown("lost", code="lost")])
def test_a_refusal_is_an_answer_and_a_lost_one_is_not(line, sap, fault):
    Connection.objects.filter(pk=sap.pk).update(failures_in_a_row=2)
    line.fault = fault
    with pytest.raises(type(fault)):
        call(gate_of(line, sap))
    sap.refresh_from_db()
    assert sap.failures_in_a_row == (0 if isinstance(fault, Rejected) else 2)


def test_a_log_in_alone_is_no_sign_of_health(line, sap):
    Connection.objects.filter(pk=sap.pk).update(failures_in_a_row=2)
    assert call(gate_of(line, sap), "https://sap.example.com/b1s/v2/Login") == "ok"
    sap.refresh_from_db()
    assert sap.failures_in_a_row == 2


@pytest.mark.parametrize("caller", [Caller.WORK, Caller.PERSON])
def test_who_was_told_to_wait_does_not_ask_again_before(line, sap, caller):
    gate = gate_of(line, sap, caller)
    line.fault = Throttled("wait", after=60)
    assert call(gate) == "Throttled"
    line.fault = None
    assert call(gate) == "HeldBack"
    assert line.calls == 1


def test_a_held_back_call_counts_neither_as_failure_nor_as_try(world):
    Connection.objects.filter(system="basware").update(retry_after=timezone.now() + timezone.timedelta(seconds=30))
    with systems(world.integration) as both, pytest.raises(HeldBack) as held:
        both.basware.request_status("1")
    circuit.note_failure(world.integration, "basware", held.value)
    row = world.connection("basware")
    assert row.failures_in_a_row == 0
    assert 25 < held.value.after <= 30


def test_a_connection_that_was_removed_is_called_no_more(line, sap):
    gate = gate_of(line, sap)
    sap.delete()
    assert call(gate) == "HeldBack"


def test_a_retry_after_holds_for_every_worker(world):
    world.fault("basware", "status", path="/requestStatus", status=429, retry_after=20, count=1)
    run = world.start("projects")
    world.work(2)
    world.quiet()
    in_threads(*[lambda: due.work_off(Deadline(1))] * 3)
    assert not world.calls("basware")
    resume(world.integration, PERSON)
    assert world.finish(run).status == "succeeded"
