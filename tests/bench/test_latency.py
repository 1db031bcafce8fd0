"""From the approval of an invoice in Basware to its document in SAP, told by a notification while all is idle."""

from __future__ import annotations

import json
import time

import pytest

from portal.demo.installation import Installation
from portal.demo.story import Story
from syncengine.sandbox.dataset import Dataset
from tests.bench.house import Database
from tests.bench.reports import median, percentile, report
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench
KEYS = {"SECRET_KEY": "secret-key-of-the-tests", "FERNET_KEYS": "fernet-key-of-the-tests", "LOG_LEVEL": "WARNING"}
AT_REST_SECONDS = 1.5
PATIENCE = 60.0


def test_an_approved_invoice_is_in_sap_within_moments(database: Database, tmp_path):
    """The remote systems answer at once here: their own latency comes on top, once for each call before the post."""
    installation = Installation(tmp_path, {**KEYS, "DATABASE_URL": database.make("latency")}, usual_ports=False)
    try:
        installation.start_sandbox()
        installation.manage("migrate", "--verbosity", "0")
        installation.start_web()
        installation.start_worker()
        made = installation.manage("createorganization", "Bench", "--owner", "owner@example.com", "--api-key")
        story = Story(installation.api(_key(made)), installation.processes.check)
        story.connect(installation.sandbox)
        story.subscribe()
        story.run()
        seconds = [_posted_after(installation, number) for number in range(SIZES.approvals)]
    finally:
        installation.stop()
    report(
        "approval to posting", database.name, f"{SIZES.approvals} invoices, one at a time",
        p50_s=median(seconds), p95_s=percentile(seconds, 0.95),
    )  # fmt: skip


def _key(made: str) -> str:
    return str(json.loads(made)["api_key"])


def _posted_after(installation: Installation, number: int) -> float:
    control, original = installation.control, Dataset().invoices()[0]["invoiceId"]
    time.sleep(AT_REST_SECONDS)  # until the one before has been answered for, and everybody sleeps
    before, begun = _posts(installation), time.perf_counter()
    control.post("/basware/issue", {"copyOf": original, "changes": {"invoiceNumber": f"L{number:05}"}})
    while _posts(installation) == before:
        assert time.perf_counter() - begun < PATIENCE, "the invoice was not posted"
        time.sleep(0.01)  # another process does it: its calls are all there is to look at
    return time.perf_counter() - begun


def _posts(installation: Installation) -> int:
    counts = installation.control.get("/requests", system="sap_b1", log="0")["sap_b1"]["counts"]
    return sum(number for call, number in counts.items() if call.startswith("POST") and "PurchaseInvoices" in call)
