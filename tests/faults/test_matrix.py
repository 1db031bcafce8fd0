"""Each write step meets each fault: the end is the same every time, and the table says how it was reached."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.db.models.signals import post_save

from syncengine.engine import replay
from syncengine.engine.connecting import save_connection
from syncengine.engine.desk import DbDesk, DbIntent
from syncengine.models import Attempt, Record
from tests.engine.processes import wait_until
from tests.engine.world import PERSON
from tests.faults.conftest import CELL
from tests.faults.databases import Database
from tests.faults.deaths import ON_THE_WIRE, Death
from tests.faults.gate import Gate
from tests.faults.nursery import LOST_DATABASE, Nursery
from tests.faults.steps import STEPS, Step
from tests.faults.world import FaultWorld

LONGER_THAN_THE_TIME_OUT = 0.7
WHILE_IT_IS_STRUCK = 0.35
REFUSED_SECONDS = 0.2
SAP_SAYS_NO = {"kind": "error", "code": -5002, "status": 400, "message": "Enter valid code  [OPCH.Any]", "count": 2}
Fault = dict[str, Any]

SLOW = {"kind": "latency", "seconds": LONGER_THAN_THE_TIME_OUT}
ON_THE_WAY: dict[str, list[Fault]] = {
    "time-out before": [SLOW, {"kind": "drop_before"}],
    "time-out, late work": [SLOW],
    "cut before the work": [{"kind": "drop_before"}],
    "cut after the work": [{"kind": "drop_after"}],
    "301": [{"kind": "status", "status": 301}],
    "429 Retry-After": [{"kind": "status", "status": 429, "retry_after": 1}],
    "500 empty": [{"kind": "status", "status": 500}],
    "502 HTML": [{"kind": "status", "status": 502}],
    "truncated JSON": [{"kind": "truncated"}],
}
"""What hits every step alike; after "time-out before" the request is never carried out, after the next it is, late."""

SESSION_LOST: dict[str, dict[str, Fault]] = {
    "401": {"sap_b1": {"kind": "session_lost"}, "basware": {"kind": "status", "status": 401}},
    "-5002 session": {"sap_b1": {"kind": "minus_5002"}},
}
CRASHES = ("crash before", "crash during", "crash after")
OF_SAP = [name for name, step in STEPS.items() if step.system == "sap_b1"]


@pytest.fixture(autouse=True)
def _ordinary_sap(sandboxes: Any) -> Iterator[None]:
    """A step may have bent it."""
    yield
    vars(sandboxes.sap.documents).pop("post", None)


@pytest.fixture
def cell(
    town: FaultWorld, database: Database, record_property: Callable[[str, object], None]
) -> Callable[[Step, str], Any]:
    """Times what happens inside and puts the cell into the table."""

    @contextmanager
    def measured(step: Step, fault: str) -> Iterator[None]:
        town.quiet()
        started = time.monotonic()
        yield
        seconds = f"{time.monotonic() - started:.1f}"
        step.check(town)
        reached = {"outcome": step.outcome(town), "tries": _tries(town, step), "seconds": seconds}
        record_property(CELL, {"database": database.name, "step": step.name, "fault": fault, **reached})

    return measured


def _switch_on(town: FaultWorld, step: Step, *faults: Fault) -> None:
    for fault in faults:
        more = {name: value for name, value in fault.items() if name != "kind"}
        town.fault(step.system, fault["kind"], method=step.method, path=f"{step.path}$", **more)


def _hits(name: str, faults: Sequence[Fault], town: FaultWorld, cell: Any, label: str) -> None:
    step = STEPS[name]
    step.prepare(town)
    with cell(step, label):
        _switch_on(town, step, *faults)
        town.go(step.flow)
    assert not _still_on(town), "the fault has hit nothing"


def _tries(town: FaultWorld, step: Step) -> int:
    """How often the step's request has come in, by the sandbox's own log."""
    return sum(re.search(f"{step.path}$", call["path"]) is not None for call in town.calls(step.system, step.method))


def _still_on(town: FaultWorld) -> list[Any]:
    return [fault for server in (town.sandboxes.sap, town.sandboxes.basware) for fault in server.faults.active()]


@pytest.mark.parametrize("fault", ON_THE_WAY)
@pytest.mark.parametrize("name", STEPS)
def test_a_fault_on_the_way_changes_nothing_in_the_end(town: FaultWorld, cell: Any, name: str, fault: str):
    _hits(name, ON_THE_WAY[fault], town, cell, fault)


@pytest.mark.parametrize("name", STEPS)
def test_a_lost_session_is_opened_again_and_the_call_repeated(town: FaultWorld, cell: Any, name: str):
    _hits(name, [SESSION_LOST["401"][STEPS[name].system]], town, cell, "401")


@pytest.mark.parametrize("name", OF_SAP)
def test_minus_5002_may_be_a_lost_session(town: FaultWorld, cell: Any, name: str):
    _hits(name, [SESSION_LOST["-5002 session"]["sap_b1"]], town, cell, "-5002 session")


@pytest.mark.parametrize("name", OF_SAP)
def test_a_second_minus_5002_is_a_no_that_a_person_sees_and_replays(town: FaultWorld, cell: Any, name: str):
    step = STEPS[name]
    step.prepare(town)
    with cell(step, "-5002 business"):
        _switch_on(town, step, SAP_SAYS_NO)
        town.go(step.flow)
        record = town.mine()
        assert record.status == "failed"
        assert "Enter valid code" in record.error_message
        assert town.answers() == []
        assert town.at_basware()["processingStatus"] == "TransferInProgress"
        replay.replay(record, PERSON, "mended in SAP")
        town.settle()


@pytest.mark.parametrize("name", STEPS)
def test_a_refused_connection_is_tried_again(town: FaultWorld, cell: Any, name: str):
    step = STEPS[name]
    server = town.sandboxes.sap if step.system == "sap_b1" else town.sandboxes.basware
    with Gate(server.port) as gate:
        step.prepare(town)
        _go_through(town, step.system, server.port, gate)
        with cell(step, "refused connection"), _shut_when_announced(gate, step.kind):
            town.go(step.flow)
        assert gate.was_shut == 1


def _go_through(town: FaultWorld, system: str, port: int, gate: Gate) -> None:
    address = town.sandboxes.addresses[system]
    moved = {**address, "base_url": address["base_url"].replace(str(port), str(gate.port))}
    save_connection(town.integration, system, moved, PERSON)


@contextmanager
def _shut_when_announced(gate: Gate, kind: str) -> Iterator[None]:
    """The server goes down between the announcement of the first write of that kind and its request."""

    announce = DbDesk.announce

    def shut(announced: str) -> None:
        if announced == kind and not gate.was_shut:
            gate.shut_for(REFUSED_SECONDS)

    def announce_and_shut(desk: DbDesk, what: str, *arguments: Any, **named: Any) -> DbIntent:
        intent = announce(desk, what, *arguments, **named)
        shut(what)
        return intent

    def stored(instance: Attempt, **_: Any) -> None:
        shut(instance.kind)

    post_save.connect(stored, sender=Attempt)  # of a batch
    try:
        with patch.object(DbDesk, "announce", announce_and_shut):
            yield
    finally:
        post_save.disconnect(stored, sender=Attempt)


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("name", STEPS)
def test_a_killed_worker_changes_nothing_in_the_end(
    town: FaultWorld, nursery: Nursery, cell: Any, name: str, crash: str
):
    step = STEPS[name]
    step.prepare(town)
    with cell(step, crash):
        _die(town, nursery, step, crash)
        _others_go_on(town, step)


def _others_go_on(town: FaultWorld, step: Step) -> None:
    town.leases_run_out()
    town.settle()
    if not Record.objects.filter(flow=step.flow).exists():
        town.go(step.flow)


def _die(town: FaultWorld, nursery: Nursery, step: Step, crash: str) -> None:
    deaths = {
        "crash before": Death(step.announced, "after", step.word),
        "crash after": Death(ON_THE_WIRE, "after", f"^ ?{step.method} .*{step.path}$"),
    }
    if crash == "crash during":
        _switch_on(town, step, {"kind": "latency", "seconds": WHILE_IT_IS_STRUCK})
    child = nursery.start(town.integration.pk, step.flow, deaths.get(crash))
    if crash == "crash during":
        wait_until(lambda: _tries(town, step))
        child.kill()
    assert child.wait() == -signal.SIGKILL, town.story()


@pytest.mark.parametrize("name", STEPS)
def test_a_database_lost_in_the_middle_of_the_request_changes_nothing_in_the_end(
    town: FaultWorld, nursery: Nursery, cell: Any, database: Database, name: str
):
    step = STEPS[name]
    step.prepare(town)
    with cell(step, database.fault):
        _switch_on(town, step, {"kind": "latency", "seconds": WHILE_IT_IS_STRUCK})
        child = nursery.start(town.integration.pk, step.flow, impatient=True)
        wait_until(lambda: _tries(town, step))
        with database.away():
            assert child.wait() == LOST_DATABASE
        _others_go_on(town, step)
