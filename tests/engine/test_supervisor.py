"""The worker command: it does what is due, and starts a cluster anew that is gone or stuck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from syncengine.engine import due
from syncengine.engine import supervisor as module
from syncengine.engine.health import workers_alive
from syncengine.engine.leases import new_owner
from syncengine.engine.supervisor import Supervisor
from syncengine.models import Run
from tests.engine.processes import children, kill_group, manage, wait_until
from tests.engine.world import World
from tests.factories import RunFactory


@pytest.fixture
def worker(world: World):
    """`manage.py worker` on the test's database; its process. All it has started is gone afterwards."""
    started: set[int] = set()
    with manage("worker") as process:
        process.clusters = lambda: remember(started, process.pid)  # type: ignore[attr-defined]  # for the tests
        yield process
        remember(started, process.pid)
    for pid in started:
        kill_group(pid)


def remember(started: set[int], pid: int) -> list[int]:
    with suppress(OSError):
        now = children(pid)
        started.update(now)
        return now
    return []


def is_done(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, status="succeeded").exists()


def test_a_worker_does_what_is_asked_for_and_says_that_it_is_alive(world, worker):
    run = world.ask("projects")
    wait_until(lambda: is_done(run), 60)
    wait_until(lambda: workers_alive(timezone.now()) == 1)
    assert len(world.basware("projects")) == 15


def test_a_cluster_that_is_killed_is_started_anew_and_the_work_is_done(world, worker):
    (first,) = wait_until(worker.clusters, 60)
    wait_until(lambda: children(first), 60)
    kill_group(first)
    run = world.ask("projects")
    wait_until(lambda: is_done(run), 60)
    assert worker.clusters() != [first]


def test_a_cluster_killed_in_the_middle_of_a_run_is_taken_over(world, worker):
    world.fault("sap_b1", "latency", method="GET", path="/Projects", seconds=20)
    run = world.ask("projects")
    wait_until(lambda: world.calls("sap_b1", "GET", "/Projects"), 60)
    (first,) = worker.clusters()
    kill_group(first)
    world.faults_off()
    wait_until(lambda: is_done(run), 60)
    assert world.again(run).resumes >= 1
    assert len(world.events("run.resumed")) >= 1


def test_a_cluster_shares_few_arenas_of_memory(world, worker):
    (cluster,) = wait_until(worker.clusters, 60)
    assert b"MALLOC_ARENA_MAX=2" in Path(f"/proc/{cluster}/environ").read_bytes().split(b"\0")


def test_a_worker_that_is_asked_to_stop_takes_its_cluster_with_it(world, worker):
    (cluster,) = wait_until(worker.clusters, 60)
    wait_until(lambda: children(cluster), 60)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    wait_until(lambda: not Path(f"/proc/{cluster}").exists())


# How it judges, without a real cluster


class Sleeper(Supervisor):
    """A supervisor whose cluster does nothing at all."""

    def __init__(self) -> None:
        super().__init__()
        self.starts = 0

    def _start(self) -> None:
        self.starts += 1
        sleep = "import os, time; os.fork(); time.sleep(600)"
        self._cluster = subprocess.Popen([sys.executable, "-c", sleep], start_new_session=True)
        self._stuck_since = None


@pytest.fixture
def sleeper(transactional_db, monkeypatch):
    """A running supervisor with a short tick, watched from this thread."""
    monkeypatch.setattr(module, "TICK_SECONDS", 0.05)
    found = Sleeper()
    thread = threading.Thread(target=_run, args=(found,))
    thread.start()
    wait_until(lambda: found._cluster)
    yield found
    found.stop()
    thread.join(20)


def _run(found: Supervisor) -> None:
    try:
        found.run()
    finally:
        connection.close()


@pytest.fixture
def nothing_due(monkeypatch):
    monkeypatch.setattr(module.due, "anything_due", lambda _: False)


@pytest.fixture
def old_work(monkeypatch):
    monkeypatch.setattr(module.due, "anything_due", lambda _: True)


def test_a_cluster_is_left_alone_while_nothing_is_due(nothing_due, sleeper):
    time.sleep(0.5)  # ten ticks in which nothing may happen
    assert sleeper.starts == 1


def test_what_a_killed_cluster_leaves_behind_ends_too(nothing_due, sleeper):
    (left,) = wait_until(lambda: children(sleeper._cluster.pid))
    sleeper._cluster.kill()
    wait_until(lambda: sleeper.starts == 2)
    wait_until(lambda: not _lives(left))


def test_due_work_that_does_not_move_restarts_the_cluster(settings, old_work, sleeper):
    settings.WATCHDOG_SECONDS = 0.3
    first = sleeper._cluster.pid
    wait_until(lambda: sleeper.starts >= 2)
    wait_until(lambda: not _lives(first))


def test_a_restart_that_changed_nothing_is_given_twice_the_time(settings, old_work, sleeper):
    settings.WATCHDOG_SECONDS = 0.2
    began = time.monotonic()
    wait_until(lambda: sleeper.starts == 4)
    assert time.monotonic() - began > 0.2 + 0.4 + 0.8


def test_patience_is_short_again_once_somebody_has_worked(settings, old_work, sleeper, monkeypatch):
    settings.WATCHDOG_SECONDS = 0.1
    wait_until(lambda: sleeper._patience > 0.1)
    monkeypatch.setattr(module.due, "somebody_works", lambda _: True)
    wait_until(lambda: sleeper._patience == 0.1)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_work_that_was_due_for_long_gets_patience_from_when_we_first_saw_it(settings, old_work, sleeper):
    settings.WATCHDOG_SECONDS = 60
    time.sleep(0.4)  # several ticks in which nothing may happen
    assert sleeper.starts == 1


def test_a_cluster_that_is_busy_is_not_taken_for_stuck(settings, old_work, sleeper, monkeypatch):
    monkeypatch.setattr(module.due, "somebody_works", lambda _: True)
    settings.WATCHDOG_SECONDS = 0.1
    time.sleep(0.5)  # several times its patience, in which nothing may happen
    assert sleeper.starts == 1


def test_only_a_live_lease_of_this_machine_counts_as_work(db, integration):
    now = timezone.now()
    run = RunFactory(integration=integration, status="running", lease_expires_at=now + timedelta(seconds=9))
    for owner, works in (("elsewhere:1:abc", False), (new_owner(), True)):
        Run.objects.filter(pk=run.pk).update(lease_owner=owner)
        assert due.somebody_works(now) is works
    assert not due.somebody_works(now + timedelta(seconds=10))


def test_a_cluster_that_ended_is_started_again(nothing_due, sleeper):
    sleeper._cluster.kill()
    wait_until(lambda: sleeper.starts == 2)


def test_due_work_wakes_the_cluster_but_not_over_and_over(settings, old_work, sleeper):
    settings.WATCHDOG_SECONDS = 60
    wait_until(OrmQ.objects.exists)
    time.sleep(0.4)  # more ticks: as many messages as workers are enough
    assert OrmQ.objects.count() <= settings.WORKERS
