"""Notifications as Basware sends them, at gunicorn as in production, while no worker runs."""

from __future__ import annotations

import hmac
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from urllib.parse import urlsplit

import psycopg
import pytest

from portal.demo.ports import free_port
from syncengine.connectors.basware.signature import HEADER
from tests.bench.house import Database, House
from tests.bench.processes import CHECKOUT, child, cpu_of_tree
from tests.bench.reports import percentile, report
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench
SENDERS = 8
"""As many threads as gunicorn has (gunicorn.conf.py)."""
READY_SECONDS = 60.0


def test_notifications_are_taken_quickly_and_none_is_lost(database: Database, tmp_path):
    if database.name == "sqlite":
        pytest.skip("production receives on PostgreSQL")
    house = House(tmp_path, database, 0, 0)
    url = database.make("webhooks")
    environment = house.environment(url)
    known = child("tests.bench.product", "subscribe", environment=environment)
    with _gunicorn(environment) as (address, pid):
        path = f"/webhooks/basware/{known['webhook_id']}/"
        _deliver(address, path, known["secret"], "warm", SENDERS * 10)
        before, begun = cpu_of_tree(pid) + database.cpu(), time.perf_counter()
        seconds = _deliver(address, path, known["secret"], "task", SIZES.deliveries)
        wall, cpu = time.perf_counter() - begun, cpu_of_tree(pid) + database.cpu() - before
    with psycopg.connect(url) as connection:
        kept = connection.execute("SELECT count(*) FROM syncengine_inboxnotification WHERE task_id LIKE 'task%'")
        assert kept.fetchone() == (SIZES.deliveries,)
    report(
        "webhooks", database.name, f"{SIZES.deliveries} deliveries, {SENDERS} at once, no worker",
        calls=len(seconds), wall_s=wall, cpu_s=cpu,
        per_second=len(seconds) / wall, per_cpu_second=len(seconds) / cpu,
        p50_ms=1000 * percentile(seconds, 0.5), p99_ms=1000 * percentile(seconds, 0.99),
    )  # fmt: skip


@contextmanager
def _gunicorn(environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    address = f"127.0.0.1:{free_port(0)}"
    more = {"SITE_URL": f"http://{address}", "DEBUG": "false"}
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", address]
    process = subprocess.Popen(command, cwd=CHECKOUT, env={**environment, **more})
    try:
        _await_answer(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _await_answer(address: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while True:
        assert process.poll() is None, "gunicorn has ended"
        assert time.monotonic() < give_up, "gunicorn does not answer"
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request("GET", "/healthz/")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)  # another process: its answer is all there is to wait for
        finally:
            connection.close()


def _deliver(address: str, path: str, secret: str, name: str, number: int) -> list[float]:
    """Each of the senders its share, one after another; how long each took."""
    seconds: list[float] = []
    refused: list[int] = []

    def send(sender: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(f"//{address}").netloc, timeout=30)
        for count in range(sender, number, SENDERS):
            body = _notification(f"{name}-{count}")
            signature = hmac.new(secret.encode(), body, sha256).hexdigest()
            begun = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": "application/json", HEADER: signature})
            answer = connection.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - begun)
            if answer.status != 200:
                refused.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    return seconds


def _notification(name: str) -> bytes:
    return json.dumps({
        "taskType": "AccountingDocuments",
        "taskSubType": "WaitingForTransfer",
        "documentId": sha256(name.encode()).hexdigest()[:32],
        "taskId": name,
        "taskStatus": "Created",
    }).encode()  # fmt: skip
