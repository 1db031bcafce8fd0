"""Several customers on one installation: each has sandboxes of its own, and `manage.py worker` works for all of them.

This process looks into the same database (`moved_to`), so it asks for runs and counts what was done itself.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.test.utils import override_settings
from django.utils import timezone

from syncengine.engine.connecting import save_connection
from syncengine.engine.health import WORKER_PREFIX
from syncengine.models import NamedLock
from tenants.models import Integration, Organization
from tests.bench.house import Database, House
from tests.bench.processes import CHECKOUT, cpu_of_tree

NEVER = timedelta(days=365)
LOOK_SECONDS = 0.1
READY_SECONDS = 120.0
STOP_SECONDS = 60


@contextmanager
def houses(folder: Path, database: Database, number: int, latency: float, scales: tuple[int, ...] = ()) -> Iterator[
    list[House]
]:  # fmt: skip
    """So many pairs of sandboxes, each in a process of its own; the first ones with so many more suppliers."""
    with ExitStack() as stack:
        more = [*scales, *[0] * (number - len(scales))]
        yield [
            stack.enter_context(House(folder / str(place), database, scale, latency).open())
            for place, scale in enumerate(more)
        ]


def settle(house: House, name: str) -> Integration:
    """A customer of its own, connected to that house, for whom nothing happens by the clock."""
    organization = Organization.objects.create(name=name, slug=name.lower().replace(" ", "-"))
    integration = Integration.objects.create(organization=organization, name=name)
    with override_settings(OUTBOUND_ALLOW=["127.0.0.0/8"], OUTBOUND_ALLOW_HTTP=True):  # as house.environment has it
        for system in ("sap_b1", "basware"):
            save_connection(integration, system, house.addresses[system], "bench@example.com")
    Integration.objects.filter(pk=integration.pk).update(sweep_due_at=timezone.now() + NEVER)
    return integration


class Workers:
    """So many `manage.py worker`, each of one process that works."""

    def __init__(self, house: House, url: str, number: int, log: Path) -> None:
        self._environment = house.environment(url, WORKERS="1")
        self._number, self._log = number, log
        self._processes: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def running(self) -> Iterator[Workers]:
        command = [sys.executable, "manage.py", "worker"]
        try:
            with self._log.open("ab") as log:
                for _ in range(self._number):
                    self._processes.append(
                        subprocess.Popen(command, cwd=CHECKOUT, env=self._environment, stdout=log, stderr=log)
                    )  # fmt: skip
            until(self._all_beat, READY_SECONDS)
            yield self
        finally:
            for process in self._processes:
                process.send_signal(signal.SIGTERM)
            for process in self._processes:
                process.wait(STOP_SECONDS)
            NamedLock.objects.filter(name__startswith=WORKER_PREFIX).delete()

    def cpu(self) -> float:
        return sum(cpu_of_tree(process.pid) for process in self._processes)

    def check(self) -> None:
        assert all(process.poll() is None for process in self._processes), self._log.read_text()[-2000:]

    def _all_beat(self) -> bool:
        self.check()
        return NamedLock.objects.filter(name__startswith=WORKER_PREFIX).count() >= self._number


def until(done: Callable[[], Any], seconds: float) -> None:
    """Other processes do it: looking is all there is."""
    give_up = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(LOOK_SECONDS)
