"""The product's processes from outside: who lives, what each holds in memory, and how one is killed."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from portal.demo.installation import CHECKOUT, Installation
from tests.engine.processes import children as listed_children
from tests.engine.processes import kill_group

WORKERS = ("worker-1", "worker-2")
STEADY = WORKERS[1]
"""Only children of this one are killed, so that its supervisor shows a whole life."""
CLUSTER, CHILD = "cluster", "cluster child"


@dataclass(frozen=True)
class Process:
    pid: int
    role: str


class Fleet:
    """Sandboxes, web and two workers; a worker that is gone is started again."""

    def __init__(self, installation: Installation, chance: random.Random) -> None:
        self._installation, self._chance = installation, chance
        self._groups: set[int] = set()
        """Of all clusters ever seen: each is the leader of its own group."""
        self.kills: dict[str, int] = {CHILD: 0, CLUSTER: 0, "whole worker": 0}

    def start_worker(self, name: str) -> None:
        command = [sys.executable, str(CHECKOUT / "manage.py"), "worker"]
        self._installation.processes.start(name, command, self._installation.environment)

    def living(self) -> Iterator[Process]:
        """Every process of ours with what it is."""
        yield Process(self._pid("sandbox"), "sandbox")
        web = self._pid("web")
        yield Process(web, "web")
        yield from (Process(pid, "web worker") for pid in children(web))
        for name in WORKERS:
            supervisor = self._pid(name)
            yield Process(supervisor, f"{name} supervisor")
            for cluster in children(supervisor):
                self._groups.add(cluster)
                yield Process(cluster, f"{name} {CLUSTER}")
                yield from (Process(pid, f"{name} {CHILD}") for pid in descendants(cluster))

    def kill_something(self) -> str:
        """SIGKILL to a worker's child, to a cluster's main process, or to a whole worker; says which."""
        what = self._chance.choices([CHILD, CLUSTER, "whole worker"], weights=[6, 1, 2])[0]
        if what == "whole worker":
            self._kill_whole(WORKERS[0])
        else:
            self._kill_one(what)
        self.kills[what] += 1
        return what

    def _kill_one(self, what: str) -> None:
        name = self._chance.choice(WORKERS) if what == CHILD else WORKERS[0]
        found = [one.pid for one in self.living() if one.role == f"{name} {what}"]
        if found:
            strike(self._chance.choice(found))

    def _kill_whole(self, name: str) -> None:
        """What the loss of a machine does: supervisor, cluster and children at once; a new one takes over."""
        pid = self._pid(name)
        clusters = children(pid)
        strike(pid)
        for cluster in clusters:
            kill_group(cluster)
        self._installation.processes.stop(name)
        self.start_worker(name)

    def strays(self) -> list[int]:
        """Processes that a cluster has left behind, working beside its successor."""
        current = {cluster for name in WORKERS for cluster in children(self._pid(name))}
        return [pid for group in self._groups - current for pid in members(group)]

    def end_strays(self) -> None:
        """Nothing of ours outlives the test, whatever the product has left behind."""
        for group in self._groups:
            kill_group(group)

    def _pid(self, name: str) -> int:
        return self._installation.processes[name].process.pid


def strike(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    """None of a process that is gone."""
    with suppress(OSError):
        return listed_children(pid)
    return []


def members(group: int) -> list[int]:
    """The living processes of a process group."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if group_of(pid) == group and rss_mb(pid)]


def group_of(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getpgid(pid)
    return 0


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def rss_mb(pid: int) -> float:
    """What the process holds in memory; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


@dataclass
class Life:
    """One process as long as it was seen; `start` is its size once warm."""

    process: Process
    born: float
    start: float = 0.0
    warm_at: float = 0.0
    end: float = 0.0
    seen: float = 0.0
    alive: bool = True

    @property
    def seconds(self) -> float:
        return self.seen - self.warm_at if self.warm_at else 0.0


@dataclass
class Memory:
    """The sizes of all processes over time; each is warm `warm_up` seconds after it was first seen."""

    fleet: Fleet
    warm_up: float
    lives: dict[int, Life] = field(default_factory=dict)

    def look(self) -> None:
        now = time.monotonic()
        for life in self.lives.values():
            life.alive = False
        for process in self.fleet.living():
            life = self.lives.setdefault(process.pid, Life(process, now))
            size = rss_mb(process.pid)
            if not size:
                continue
            life.alive, life.end, life.seen = True, size, now
            if not life.warm_at and now - life.born >= self.warm_up:
                life.start, life.warm_at = size, now

    def by_role(self) -> dict[str, float]:
        """What all living processes of a role hold together."""
        sums: dict[str, float] = {}
        for life in self.lives.values():
            if life.alive:
                sums[life.process.role] = sums.get(life.process.role, 0.0) + life.end
        return sums
