"""One installation for the end-to-end tests, and how to wait for what other processes do."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from portal.demo import checks
from portal.demo.installation import Installation
from portal.demo.story import Story

T = TypeVar("T")

PATIENCE = 90.0
POLL = 0.1

# Delays that people never notice and tests would only wait for.
QUICK = {
    "SECRET_KEY": "secret-key-of-the-tests",
    "FERNET_KEYS": "fernet-key-of-the-tests",
    "STATUS_POLLS": "0.1,0.2,0.4,1",
    "RETRY_DELAYS": "0.2,0.4,0.8,1.6",
    "LOOKUP_DELAYS": "0.2,0.5",
    "REPOST_AFTER": "2",
    "SWEEP_SECONDS": "5",
    "SWEEP_AGE": "8",
    "LEASE_SECONDS": "6",
    "WATCHDOG_SECONDS": "15",
}


class World:
    """Processes that run, an organization with its key, and an integration connected to both sandboxes."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.installation = Installation(folder, {**QUICK, "DATABASE_URL": database_url}, usual_ports=False)

    def start(self) -> None:
        self.installation.start_sandbox()
        self.installation.manage("migrate", "--verbosity", "0")
        self.installation.start_web()
        self.installation.start_worker()
        made = self.installation.manage("createorganization", "End to end", "--owner", "owner@example.com", "--api-key")
        self.key: str = json.loads(made)["api_key"]
        api = self.installation.api(self.key)
        self.story = Story(api, self.installation.processes.check)
        self.story.connect(self.installation.sandbox)
        self.control = self.installation.control
        self.control.post("/basware/switches", {"delay": 0.05})

    @property
    def books(self) -> checks.Books:
        """Both sandboxes as they are now."""
        return checks.Books(self.control)

    def document(self, invoice_id: str) -> dict[str, Any]:
        """An invoice as Basware shows it now."""
        (found,) = self.control.get("/basware/documents", invoiceId=invoice_id)
        return dict(found)

    def issue_copies(self, of: str, numbers: list[str]) -> list[str]:
        """New approved invoices in Basware, like another but for the number; their invoiceIds."""
        asked = [{"copyOf": of, "changes": {"invoiceNumber": number}} for number in numbers]
        return [self.control.post("/basware/issue", one)["invoiceId"] for one in asked]

    def await_status(self, invoice_ids: list[str], status: str = "Transferred") -> None:
        """Until Basware shows them all in that status."""

        def all_there() -> bool:
            documents = self.control.get("/basware/documents", status=status, brief=1)
            return set(invoice_ids) <= {document["invoiceId"] for document in documents}

        self.eventually(all_there, f"{len(invoice_ids)} invoices {status}")

    def eventually(self, look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
        """The first true answer. Other processes do the work: looking is all that can be done."""
        give_up = time.monotonic() + seconds
        while not (answer := look()):
            self.installation.processes.check()
            assert time.monotonic() < give_up, f"{what}: not within {seconds:.0f} s"
            time.sleep(POLL)
        return answer

    def kill_worker(self) -> None:
        """What the loss of a machine does: supervisor, cluster and its workers are gone at once."""
        worker = self.installation.processes["worker"].process
        for pid in [worker.pid, *_descendants(worker.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.installation.processes.stop("worker")

    def stop(self) -> None:
        self.installation.stop()


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
