"""Real processes on the test's own database: what a worker is, and what is left when one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

SOON = 30.0


def database_url() -> str:
    """The test's database as another process names it."""
    stored: dict[str, Any] = connection.settings_dict
    if stored["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{stored['NAME']}"
    secret = f":{stored['PASSWORD']}" if stored["PASSWORD"] else ""
    return f"postgres://{stored['USER']}{secret}@{stored['HOST']}:{stored['PORT']}/{stored['NAME']}"


def environment(**more: str) -> dict[str, str]:
    """The settings of `quick`, for another process."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "OUTBOUND_ALLOW_HTTP": "true",
        "STATUS_POLLS": ",".join(str(delay) for delay in settings.STATUS_POLLS),
        "RETRY_DELAYS": ",".join(str(delay) for delay in settings.RETRY_DELAYS),
        "LEASE_SECONDS": str(settings.LEASE_SECONDS),
        "WATCHDOG_SECONDS": "2",
        "WORKERS": "1",
        "LOG_LEVEL": "WARNING",
        **more,
    }


@contextmanager
def manage(*arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """`manage.py` with these arguments in a process group of its own, which is gone when the block ends."""
    process = subprocess.Popen(
        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments],
        env=environment(**more),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        kill_group(process.pid)
        process.communicate()


def kill_group(pid: int) -> None:
    """SIGKILL to the process and all of its group."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def wait_until(holds: Callable[[], Any], seconds: float = SOON) -> Any:
    """What another process brings about; gives what `holds` gave."""
    give_up = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.05)  # another process does it: all we share is the database and the sandboxes
    return found
