"""Worker processes that are killed at random: a child of the cluster, the whole cluster, the whole worker."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from django.conf import settings

from syncengine.models import Record, Run
from tests.engine import processes
from tests.soak.processes import children, descendants

log = logging.getLogger(__name__)

DELAYS = {
    "LEASE_SECONDS": "2",
    "WATCHDOG_SECONDS": "4",
    "LOOKUP_DELAYS": "0.2,0.5",
    "REPOST_AFTER": "3",
}
LAST_WORDS = 5000


class Fleet:
    """`manage.py worker`, several times, on the test's database; what they say goes into `log`."""

    def __init__(self, number: int, log: Path, chance: random.Random) -> None:
        self._number, self._log, self._chance = number, log, chance
        self._workers: list[subprocess.Popen[bytes]] = []
        self._groups: set[int] = set()
        self.kills: Counter[str] = Counter()
        self.ways: dict[str, Callable[[], bool]] = {
            "child at work": self._kill_one_at_work,
            "any child": self._kill_any_child,
            "cluster": self._kill_cluster,
            "whole worker": self._kill_worker,
        }

    def __enter__(self) -> Self:
        for _ in range(self._number):
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            self._end(worker)
        for group in self._groups:
            processes.kill_group(group)
        log.info("The workers' last words: %s", self._log.read_text()[-LAST_WORDS:])

    def kill(self, way: str) -> None:
        """SIGKILL in that way, as soon as there is somebody to kill so."""
        processes.wait_until(self.ways[way])
        self.kills[way] += 1

    def _start(self) -> None:
        with self._log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "worker"],
                env=processes.environment(**DELAYS),
                start_new_session=True,
                stdout=log,
                stderr=log,
            )
        self._workers.append(worker)

    def _clusters(self) -> list[int]:
        """The living clusters' main processes, each in a group of its own."""
        found = [cluster for worker in self._workers for cluster in children(worker.pid)]
        self._groups.update(found)
        return found

    def _children(self) -> list[int]:
        return [child for cluster in self._clusters() for child in descendants(cluster)]

    def _kill_one_at_work(self) -> bool:
        """One that holds a lease at this moment."""
        owners = [
            *Run.objects.exclude(lease_owner="").values_list("lease_owner", flat=True),
            *Record.objects.exclude(lease_owner="").values_list("lease_owner", flat=True).distinct(),
        ]
        pids = {int(owner.split(":")[1]) for owner in owners}
        return self._strike([pid for pid in self._children() if pid in pids])

    def _kill_any_child(self) -> bool:
        return self._strike(self._children())

    def _kill_cluster(self) -> bool:
        found = [cluster for cluster in self._clusters() if children(cluster)]
        if found:
            processes.kill_group(self._chance.choice(found))
        return bool(found)

    def _kill_worker(self) -> bool:
        """As if its machine had lost power; another is started in its place."""
        found = [worker for worker in self._workers if children(worker.pid)]
        if found:
            self._end(self._chance.choice(found))
            self._start()
        return bool(found)

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        clusters = children(worker.pid)
        worker.kill()
        for cluster in clusters:
            processes.kill_group(cluster)
        worker.wait()
        self._workers = [one for one in self._workers if one is not worker]

    def _strike(self, pids: list[int]) -> bool:
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._chance.choice(pids), signal.SIGKILL)
        return True
