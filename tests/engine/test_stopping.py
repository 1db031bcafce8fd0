"""SIGTERM: what is in hand is finished or given back within a bound, by the worker and by the web."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from syncengine.engine import stopping
from syncengine.engine.health import workers_alive
from syncengine.engine.supervisor import STOP_SECONDS
from syncengine.engine.work import Deadline
from syncengine.models import Record, Run, Tally
from tests.engine.processes import environment, manage, wait_until
from tests.engine.world import World
from tests.postgres import free_port

PAGES = "/ChartOfAccounts"


class TestTheWish:
    """A byte in a pipe, which nobody reads out."""

    @pytest.fixture
    def wish(self, monkeypatch):
        wish = stopping.StopWish()
        monkeypatch.setenv(stopping.VARIABLE, str(wish.reading))
        yield wish
        with suppress(OSError):
            wish.close()

    def test_outside_of_a_worker_nobody_wishes(self):
        assert not stopping.wished()

    def test_it_holds_for_everybody_and_for_ever(self, wish):
        assert not stopping.wished()
        assert not Deadline(60).passed
        wish.express()
        assert stopping.wished()
        assert stopping.wished()
        assert Deadline(60).passed

    def test_a_supervisor_that_is_gone_is_no_wish(self, wish):
        os.close(wish._writing)
        assert not stopping.wished()


def test_a_worker_that_is_asked_to_stop_gives_its_run_back_after_the_page_in_flight(world: World):
    world.fault("sap_b1", "latency", method="GET", path=PAGES, seconds=2)
    with manage("worker") as worker:
        run = world.ask("gl_accounts")
        wait_until(lambda: world.calls("sap_b1", "GET", PAGES), 60)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS + 10) == 0
    assert time.monotonic() - began < STOP_SECONDS
    run = world.again(run)
    assert (run.lease_owner, run.lease_expires_at) == ("", None)
    assert not Record.objects.filter(status="in_progress").exists()
    assert workers_alive(timezone.now()) == 0
    world.faults_off()
    run = world.finish(run)
    assert run.status == "succeeded"
    assert run.resumes == 0  # given back, not taken over
    assert not Tally.objects.filter(name="ledgerbridge_lease_takeovers").exists()


def test_a_worker_whose_call_hangs_is_ended_within_the_bound_and_another_goes_on(world: World):
    world.fault("sap_b1", "latency", method="GET", path=PAGES, seconds=50)
    with manage("worker") as worker:
        run = world.ask("gl_accounts")
        wait_until(lambda: world.calls("sap_b1", "GET", PAGES), 60)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS + 20) == 0
        assert STOP_SECONDS <= time.monotonic() - began < STOP_SECONDS + 15
    world.faults_off()
    wait_until(lambda: Run.objects.filter(pk=run.pk, lease_expires_at__lte=timezone.now()).exists())
    assert world.finish(run).resumes == 1


def test_the_web_finishes_the_request_in_hand_and_takes_no_more(world: World):
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, cwd=Path(settings.BASE_DIR), env=environment(), start_new_session=True) as web:
        try:
            wait_until(lambda: answers(port), 60)
            with half_a_request(port, f"/webhooks/basware/{world.integration.webhook_id}/") as client:
                time.sleep(0.5)  # until a thread of it waits for the rest of the body
                web.send_signal(signal.SIGTERM)
                wait_until(lambda: not answers(port), 20)
                client.sendall(b"}")
                assert client.recv(1000).startswith(b"HTTP/1.1 401 ")
            assert web.wait(40) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(web.pid, signal.SIGKILL)


def half_a_request(port: int, path: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 30)
    client.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{{".encode())
    return client


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as client:
            client.sendall(b"GET /healthz/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return client.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
