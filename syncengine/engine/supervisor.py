"""Supervising django-q2's cluster: it is woken when work is due, and started anew when it does not move.

stack.md: the loss of one idle worker can wedge a whole qcluster for good, so liveness is measured by the age of the
oldest due work, never by the existence of a process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.db.utils import Error as DatabaseError
from django.utils import timezone

from syncengine.engine import due
from syncengine.engine.health import beat, withdraw
from syncengine.engine.leases import new_owner
from syncengine.engine.sandbox_process import SandboxProcess
from syncengine.engine.stopping import StopWish
from syncengine.engine.wake import send_wake_up

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
STOP_SECONDS = 30.0
BEAT_SECONDS = 10.0
MOST_DOUBLINGS = 3
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""For glibc: with an arena of memory for each of its threads a worker takes 6 MB more, and is no faster."""


class Supervisor:
    """Owns one qcluster in a process group of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cluster: subprocess.Popen[bytes] | None = None
        self._stuck_since: float | None = None
        self._fruitless = 0
        self._next_beat = 0.0
        self._name = new_owner()
        self._sandboxes = SandboxProcess()
        self._wish = StopWish()

    def run(self) -> None:
        """Until `stop`: look for due work each second, wake the cluster, restart it when it is stuck."""
        self._start()
        try:
            while not self._stop.wait(TICK_SECONDS):
                self._tick()
        finally:
            self._wish.express()
            self._end(signal.SIGTERM)
            self._sandboxes.end()
            self._wish.close()
            withdraw(self._name)

    def stop(self) -> None:
        self._stop.set()

    def _start(self) -> None:
        manage = Path(settings.BASE_DIR) / "manage.py"
        self._cluster = subprocess.Popen(  # noqa: S603  # our own command line
            [sys.executable, str(manage), "qcluster"],
            start_new_session=True,
            env={**FEW_ARENAS, **self._wish.environment()},  # what the operator has set wins
            pass_fds=[self._wish.reading],
        )
        self._stuck_since = None
        log.info("cluster_started", pid=self._cluster.pid)

    def _tick(self) -> None:
        if self._cluster is None or self._cluster.poll() is not None:
            log.warning("cluster_ended", code=self._cluster.returncode if self._cluster else None)
            self._end(signal.SIGKILL)  # what it has left behind would go on for ever beside the new one
            self._start()
        self._sandboxes.keep()
        try:
            close_old_connections()
            self._look()
        except DatabaseError as error:
            log.warning("database_away", error=type(error).__name__)

    def _look(self) -> None:
        now = timezone.now()
        self._beat()
        if not due.anything_due(now):
            self._is_well()
            return
        send_wake_up()
        if due.somebody_works(now):
            self._is_well()  # busy, not stuck: it will come to it
        elif self._patience_is_over():
            log.error("cluster_stuck", seconds=self._patience)
            self._fruitless += 1
            self._end(signal.SIGKILL)
            self._start()

    def _is_well(self) -> None:
        self._stuck_since = None
        self._fruitless = 0

    def _beat(self) -> None:
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + BEAT_SECONDS
            beat(self._name)

    @property
    def _patience(self) -> float:
        """WATCHDOG_SECONDS, doubled after a restart that changed nothing: a busy machine may start clusters slowly,
        and one that is killed before it has started never works."""
        patience: float = settings.WATCHDOG_SECONDS
        return patience * (1 << min(self._fruitless, MOST_DOUBLINGS))

    def _patience_is_over(self) -> bool:
        """Whether due work has not moved for that long since we first saw it."""
        moment = time.monotonic()
        self._stuck_since = self._stuck_since or moment
        return moment - self._stuck_since > self._patience

    def _end(self, how: signal.Signals) -> None:
        cluster = self._cluster
        if cluster is None:
            return
        # Only its main process is asked to stop: django-q's sentinel has the same signal handler, and a signal that
        # finds it waiting leaves the stop event waiting for it for ever.
        cluster.send_signal(how)
        try:
            cluster.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(cluster.pid, signal.SIGKILL)
            cluster.wait()
        # Workers of a killed main process go on by themselves: the whole group goes.
        _signal_group(cluster.pid, signal.SIGKILL)


def _signal_group(pid: int, how: signal.Signals) -> None:
    try:
        os.killpg(pid, how)
    except ProcessLookupError:
        return
