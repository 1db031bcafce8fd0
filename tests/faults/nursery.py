"""Worker processes in no time: one process has Django ready and nothing else; each order makes a child of it.

The child runs `manage.py sync` on connections of its own and may be told to die at a point (deaths.py). Orders go in
and news come out as lines of JSON: {"integration", "flow", "death"} → {"pid"}, then {"exit"}: -9 after SIGKILL.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.engine import processes
from tests.faults.deaths import Death, arm

PATIENCE = 30
LOST_DATABASE = 3
BUSY_SECONDS = 0.3


class Nursery:
    """Started with the settings and the database of the test that needs it first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start(self, integration: int, flow: str, death: Death | None = None, *, impatient: bool = False) -> Child:
        """A worker process that does one flow of one integration; an impatient one waits briefly for SQLite's lock."""
        told = vars(death) if death else None
        order = {"integration": integration, "flow": flow, "death": told, "impatient": impatient}
        process = self._process or self._open()
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return Child(self, self.news()["pid"])

    def news(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def _open(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            env=processes.environment(**_settings()),
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            processes.kill_group(self._process.pid)
            self._process.communicate()


class Child:
    """One worker process."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self.pid = nursery, pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def has_stopped(self) -> bool:
        """Whether it stands still after SIGSTOP."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wait(self) -> int:
        """Its exit code: -9 when it was killed, LOST_DATABASE when it could not go on without that."""
        return int(self._nursery.news()["exit"])


def _settings() -> dict[str, str]:
    from django.conf import settings

    delays = ",".join(str(delay) for delay in settings.LOOKUP_DELAYS)
    timeouts = {name: str(getattr(settings, name)) for name in ("REPOST_AFTER", "READ_TIMEOUT", "POST_TIMEOUT")}
    return {"LOOKUP_DELAYS": delays, **timeouts}


def main() -> None:
    import django

    django.setup()
    from syncengine.management.commands import sync  # noqa: F401  # so that the children need not import it

    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            work(order)
        _tell(pid=pid)
        _, status = os.waitpid(pid, 0)
        _tell(exit=os.waitstatus_to_exitcode(status))


def work(order: dict[str, Any]) -> None:
    """The child's whole life."""
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    signal.alarm(PATIENCE)  # whatever happens, no child outlives its test for long
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.dup2(1, 0)
    if order["death"]:
        arm(Death(**order["death"]))
    if order["impatient"] and connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = BUSY_SECONDS
    code = 0
    try:
        call_command("sync", order["integration"], order["flow"])
    except DatabaseError:
        code = LOST_DATABASE
    finally:
        os._exit(code)


def _tell(**news: int) -> None:
    sys.stdout.write(json.dumps(news) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
