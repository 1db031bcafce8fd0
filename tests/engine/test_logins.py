"""Credentials that expire or change: one log-in at a time, none with what was refused, and everything left goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from syncengine.connectors.http import Request, Response
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Throttled, Unauthenticated, Unavailable
from syncengine.engine import circuit, due, integrations, locks, ping, sweep
from syncengine.engine.circuit import FAILURES_THAT_OPEN, HeldBack
from syncengine.engine.connecting import save_connection
from syncengine.engine.connections import systems
from syncengine.engine.gate import Caller, Gate
from syncengine.engine.pauses import WAITS_FOR_RESUME, pause, resume
from syncengine.engine.records import count
from syncengine.engine.replay import replay
from syncengine.engine.work import Deadline
from syncengine.models import InboxNotification, Notice, Record, Run
from tenants.models import Connection
from tests import factories
from tests.engine.processes import environment
from tests.engine.world import PERSON, in_threads

LOGIN = "/Login"
READING = """
import django; django.setup()
import sys
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connections import systems
from tenants.models import Integration
print("ready", flush=True)
sys.stdin.readline()
try:
    with systems(Integration.objects.get()) as both:
        print(len(both.sap.find("Projects", where="", select=["Code"], top=3)))
except ConnectorError as error:
    print(error.code)
"""


def read(world) -> str:
    """One worker who reads in SAP; the code of what stopped him."""
    try:
        with systems(world.integration) as both:
            return str(len(both.sap.find("Projects", where="", select=["Code"], top=3)))
    except (Unauthenticated, HeldBack) as error:
        circuit.note_failure(world.integration, "sap_b1", error)
        return error.code


@contextmanager
def another_password(world):
    """SAP's user has another password than the one that was entered."""
    credentials = world.sandboxes.sap.credentials
    kept = credentials["password"]
    credentials["password"] = "changed in SAP"
    try:
        yield
    finally:
        credentials["password"] = kept


def everybody_reads(world, threads=8, processes=2):
    """Workers in threads and in processes of their own, let go at the same moment."""
    command = [sys.executable, "-c", READING]
    started = [
        subprocess.Popen(
            command, env=environment(), cwd=Path(settings.BASE_DIR), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(processes)
    ]  # fmt: skip
    for process in started:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    gate = threading.Barrier(threads)

    def job():
        gate.wait(10)
        return read(world)

    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    found = in_threads(*[job] * threads)
    for process in started:
        said, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
        found.append(said.strip())
    return found


def logins(world):
    return len(world.calls("sap_b1", "POST", LOGIN))


def expire_session(world):
    """SAP has forgotten every session; the one we keep looks good."""
    read(world)
    world.sandboxes.sap.sessions._sessions.clear()
    world.quiet()


def test_ten_workers_with_an_expired_session_log_in_once(world):
    expire_session(world)
    assert everybody_reads(world) == ["3"] * 10
    assert logins(world) == 1


def test_ten_workers_with_a_refused_password_show_it_once_and_then_nobody_calls(world):
    Connection.objects.filter(system="sap_b1").update(session=None)
    with another_password(world):
        found = everybody_reads(world)
        assert logins(world) == 1
        assert set(found) <= {"login_refused", "integration_paused"}
        assert world.again(world.integration).paused
        world.quiet()
        everybody_reads(world)
        assert world.silent


def test_a_pause_is_told_with_its_reason_and_what_to_do(world):
    Connection.objects.filter(system="sap_b1").update(session=None)
    with another_password(world):
        read(world)
    notice = Notice.objects.get(kind="integration_paused")
    assert "Finland is paused" in notice.message
    assert "Ping systems" in notice.hint
    assert "changed in SAP" not in notice.message + notice.hint


def everything_due(world):
    """One of each: a run, a notification, an answer, a record, the sweep, the watch."""
    factories.RecordFactory(
        integration=world.integration, flow="invoices", key="9", status="pending", next_attempt_at=timezone.now()
    )
    InboxNotification.objects.create(
        integration=world.integration, task_id="t", task_type="AccountingDocuments", document_id="d",
        body=json.dumps({"taskId": "t", "taskType": "AccountingDocuments", "documentId": "d"}),
        received_at=timezone.now(), next_attempt_at=timezone.now(),
    )  # fmt: skip
    factories.AttemptFactory(
        integration=world.integration, flow="projects", state="accepted", request_id="r", entity_type="project",
        next_poll_at=timezone.now(),
    )  # fmt: skip
    for trigger in ("schedule", "person"):
        world.ask("projects" if trigger == "person" else "vendors", trigger=trigger)
    locks.NamedLock.objects.all().delete()
    assert sweep.is_due(timezone.now())


def test_nothing_whatever_calls_while_the_integration_is_paused(world):
    pause(world.integration, "The password was refused.")
    world.quiet()
    everything_due(world)
    world.work(5)
    failed = factories.FailedRecordFactory(integration=world.integration, flow="projects", key="P1")
    replay(failed, PERSON)
    world.work(2)
    assert world.silent
    assert set(Run.objects.values_list("error_code", flat=True)) == {"integration_paused"}


@pytest.mark.parametrize("caller", [Caller.WORK, Caller.PERSON])
def test_clients_that_are_open_when_the_pause_begins_call_no_more(world, monkeypatch, caller):
    monkeypatch.setattr("syncengine.engine.gate.LOOK_AGAIN_SECONDS", 0.0)
    with systems(world.integration, caller) as both:
        both.sap.find("Projects", where="", select=["Code"], top=1)
        pause(world.integration, "The password was refused.")
        world.quiet()
        with pytest.raises(HeldBack) as held:
            both.sap.find("Projects", where="", select=["Code"], top=1)
    assert held.value.code == "integration_paused"
    assert "The password was refused." in held.value.message
    assert world.silent


def good_ping(world):
    assert ping.ping_all(world.integration, actor=PERSON)["ok"]


def put(world):
    save_connection(world.integration, "sap_b1", world.sandboxes.addresses["sap_b1"], PERSON)


def switch_on(world):
    integrations.update(world.integration, {"enabled": True}, PERSON)


@pytest.mark.parametrize("mend", [good_ping, put, switch_on])
def test_what_ends_a_pause_lets_everything_left_go_on(world, mend):
    run = world.start("projects")
    Connection.objects.filter(system="basware").update(login_refused={"message": "no", "hint": "", "code": "401"})
    pause(world.integration, "The client secret was refused.")
    assert world.again(run).error_code == WAITS_FOR_RESUME
    mend(world)
    run = world.finish(run)
    assert (run.status, run.error_code) == ("succeeded", "")
    assert Notice.objects.get(kind="integration_paused").closed_at is not None
    assert PERSON in Notice.objects.get(kind="integration_resumed").message


def test_a_ping_with_refused_credentials_does_not_pause_but_nobody_else_shows_them_again(world):
    Connection.objects.filter(system="sap_b1").update(session=None)
    with another_password(world):
        assert not ping.ping_all(world.integration, actor=PERSON)["ok"]
        assert not world.again(world.integration).paused
        assert logins(world) == 1
        run = world.run("projects")
    assert logins(world) == 1
    assert run.status == "failed"
    assert world.again(world.integration).paused


def test_a_run_whose_records_are_open_says_why_it_is_still_settling(world):
    run = world.start("projects")
    pause(world.integration, "The client secret was refused.")
    run = world.again(run)
    assert (run.status, run.error_code) == ("settling", WAITS_FOR_RESUME)
    assert "paused" in run.error_message


def test_a_run_that_ends_its_reading_in_a_pause_says_so_too(world):
    run = world.ask("projects")
    factories.RecordFactory(integration=world.integration, flow="projects", key="open", status="waiting", run=run)
    due.execution.claim(run.pk)
    pause(world.integration, "The client secret was refused.")
    due.execution.end(run, None)
    run = world.again(run)
    assert (run.status, run.error_code) == ("settling", WAITS_FOR_RESUME)


def test_a_run_is_final_with_its_last_record_though_the_pause_goes_on(world):
    run = world.start("projects")
    pause(world.integration, "The client secret was refused.")
    Record.objects.filter(run=run).update(status="done")
    count(run.pk, confirmed=1)
    due.execution.end(run, None)
    run = world.again(run)
    assert (run.status, run.error_code, run.error_message) == ("succeeded", "", "")


def test_a_refusal_of_credentials_that_were_replaced_meanwhile_pauses_nothing(world):
    Connection.objects.filter(system="sap_b1").update(session=None)
    with another_password(world), systems(world.integration) as both:
        Connection.objects.filter(system="sap_b1").update(updated_at=timezone.now())  # an admin was quicker
        with pytest.raises(Unavailable) as stale:
            both.sap.find("Projects", where="", select=["Code"], top=1)
    circuit.note_failure(world.integration, "sap_b1", stale.value)
    assert stale.value.code == "credentials_changed"
    assert not world.again(world.integration).paused


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
