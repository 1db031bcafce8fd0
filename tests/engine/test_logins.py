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

from syncengine.connectors.outcomes import Unauthenticated, Unavailable
from syncengine.engine import circuit, due, integrations, locks, ping
from syncengine.engine.circuit import HeldBack
from syncengine.engine.connecting import save_connection
from syncengine.engine.connections import systems
from syncengine.engine.gate import Caller
from syncengine.engine.pauses import WAITS_FOR_RESUME, pause
from syncengine.engine.records import count
from syncengine.engine.replay import replay
from syncengine.models import InboxNotification, Notice, Record, Run
from tenants.models import Connection
from tests import factories
from tests.engine.processes import environment
from tests.engine.world import PERSON, in_threads, sweep_now

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
    sweep_now()


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
