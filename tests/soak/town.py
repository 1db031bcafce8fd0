"""The whole product with two workers on PostgreSQL, and what it says and holds."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.demo import checks
from portal.demo.installation import Installation
from portal.demo.story import Story
from syncengine.sandbox.dataset import Dataset
from tests.soak.people import People
from tests.soak.processes import WORKERS, Fleet
from tests.soak.weather import Weather

# Delays in proportion: a lost answer is given up on after 3 s, a post repeated after 8 s, a lease lost after 6 s.
SETTINGS = {
    "SECRET_KEY": "secret-key-of-the-tests",
    "FERNET_KEYS": "fernet-key-of-the-tests",
    "READ_TIMEOUT": "3",
    "POST_TIMEOUT": "3",
    "STATUS_POLLS": "0.2,0.4,1,2",
    "RETRY_DELAYS": "0.5,1,2,4",
    "LOOKUP_DELAYS": "0.3,1",
    "REPOST_AFTER": "8",
    "SWEEP_SECONDS": "15",
    "SWEEP_AGE": "20",
    "LEASE_SECONDS": "6",
    "WATCHDOG_SECONDS": "20",
    "LOG_LEVEL": "WARNING",
}
EVERY_MINUTE = "* * * * *"
POLLED = ("invoices", "payments", "vendors", "gl_accounts", "purchase_orders")
OPEN = ("pending", "in_progress", "waiting")
OPEN_RUNS = frozenset({"queued", "running", "settling"})
EVER = ("--from", "2000-01-01", "--to", "2100-01-01")


class Town:
    """Everything runs once started: connected, subscribed, polled by the clock."""

    def __init__(self, folder: Path, database_url: str, chance: random.Random) -> None:
        anchors = {"AUDIT_ANCHOR": str(folder / "audit-anchors.jsonl")}
        settings = {**SETTINGS, **anchors, "DATABASE_URL": database_url}
        self.installation = Installation(folder, settings, usual_ports=False)
        self.chance = chance
        self.fleet = Fleet(self.installation, chance)

    def start(self) -> None:
        self.installation.start_sandbox()
        self.installation.manage("migrate", "--verbosity", "0")
        self.installation.start_web()
        made = json.loads(
            self.installation.manage("createorganization", "Soak", "--owner", "owner@example.com", "--api-key")
        )
        self.control = self.installation.control
        for invoice_id in Dataset().bad_invoices().values():
            self.control.post("/basware/move", {"invoiceId": invoice_id, "status": "Removed"})
        self.story = Story(self.installation.api(made["api_key"]))
        self.story.connect(self.installation.sandbox)
        self.people = People(self.control, self.story, self.chance)
        self.weather = Weather(self.control, self.chance)
        for name in WORKERS:
            self.fleet.start_worker(name)
        self.story.subscribe()
        self.story.run()
        flows = {flow: {"schedule": EVERY_MINUTE} for flow in POLLED}
        self.story.api.call("PATCH", self.story.path, {"flows": flows})

    def stop(self) -> None:
        self.installation.stop()
        self.fleet.end_strays()

    # Looking

    def counts(self) -> dict[str, int]:
        """Invoices by how far they are, counted in both systems themselves."""
        by_status = Counter(self.control.get("/basware/counts")["documents"])
        by_status.pop("Removed", None)
        return {
            "approved": sum(by_status.values()),
            "posted": sum(1 for _ in self.posted()),
            "confirmed": by_status["Transferred"] + by_status["Paid"],
            "paid": by_status["Paid"],
            "failed": by_status["TransferFailed"],
        }

    def posted(self) -> Iterator[str]:
        """The invoice of each document in SAP that came from us and counts."""
        for name in checks.PAYING_SETS:
            for document in self.control.get("/sap/documents", set=name):
                if document["CancelStatus"] == "csNo" and (document.get("Comments") or "").startswith(checks.MARK):
                    yield checks.invoice_id_of(document)

    def approved(self) -> set[str]:
        documents = self.control.get("/basware/documents")
        return {one["invoiceId"] for one in documents if one["processingStatus"] != "Removed"}

    def at_rest(self) -> bool:
        """Nothing is open any more, in Basware as in our own books."""
        counts = self.counts()
        if counts["approved"] != counts["confirmed"] or self._open_runs():
            return False
        return not any(self.story.records(status=status) for status in OPEN)

    def unrest(self) -> str:
        """What is still open, for the message of a failure."""
        left = [(one["flow"], one["status"], one["stage"], one["key"], one["error"]) for one in self.unfinished()]
        return f"{self.counts()}; runs {self._open_runs()}; records {left[:20]}"

    def unfinished(self) -> list[dict[str, Any]]:
        return [one for status in (*OPEN, "failed") for one in self.story.records(status=status)]

    def _open_runs(self) -> list[str]:
        page = self.story.api.get(f"{self.story.path}runs/")
        return [f"{run['flow']} {run['status']}" for run in page["results"] if run["status"] in OPEN_RUNS]

    def crashes(self) -> list[str]:
        """What nobody foresaw: every traceback in a log, by its last line."""
        found = []
        for log in sorted((self.installation.folder / "log").glob("*.log")):
            for traceback in log.read_text(encoding="utf-8", errors="replace").split("Traceback (most recent")[1:]:
                lines = [line for line in traceback.splitlines()[1:] if line[:1].strip()]
                found.append(f"{log.stem}: {next(iter(lines), '')}")
        return found

    # At the end

    def drain(self, seconds: float) -> float:
        """Faults off, the clock's runs go on, a person corrects what came back; says how long it took."""
        self.control.post("/basware/switches", {"signature": "hex"})
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            self.weather.clear()
            self.people.correct()
            self.people.resume()
            self.story.api.post(f"{self.story.path}runs/", {"flow": "invoices", "mode": "incremental"})
            if self.at_rest():
                break
            time.sleep(1)  # other processes work: looking again is all there is
        assert self.at_rest(), self.unrest()
        self.story.run()
        return time.monotonic() - started

    def command(self, *arguments: str) -> tuple[int, str]:
        """Exit code and standard output of a management command."""
        try:
            return 0, self.installation.manage(*arguments)
        except subprocess.CalledProcessError as ended:
            return ended.returncode, ended.stdout

    def reconcile(self) -> tuple[int, dict[str, Any]]:
        code, out = self.command("reconcile", str(self.story.integration), *EVER, "--format", "json")
        return code, json.loads(out)
