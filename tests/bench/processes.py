"""What processes cost: CPU seconds of a process with all of its children, and children that report on themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """One run of one side: seconds on the clock, CPU seconds of its own, and its greatest size in MB."""

    wall: float
    cpu: float
    rss: float
    about: dict[str, Any]


class Stopwatch:
    """Measures this process from its making on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self, **about: Any) -> dict[str, Any]:
        return {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
            "rss": _greatest_size(),
            "about": about,
        }


def _greatest_size() -> float:
    """In MB. Not getrusage: what it tells includes the process that started this one, until then the same."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def child(module: str, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The last line that `python -m module` writes, which is JSON."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=CHECKOUT, env=dict(environment), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def cpu_of_tree(pid: int) -> float:
    """CPU seconds that the process and its children have used so far, those that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS + sum(cpu_of_tree(int(one)) for one in children)
