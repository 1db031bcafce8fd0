"""Two workers, five hundred invoices, one PostgreSQL; processes are killed at random and the database is restarted.

`FAULTS_SEED` repeats a run's choices: whom, in which order, when. What each of them was doing is left to the machine.
"""

from __future__ import annotations

import logging
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command

from syncengine.models import Attempt, AuditEvent, PostedDocument, Record, Run
from tests.engine.processes import wait_until
from tests.faults.conftest import NOTE
from tests.faults.databases import Database, own_postgresql
from tests.faults.fleet import Fleet
from tests.faults.world import SETS, FaultWorld, invoice

__all__ = ["own_postgresql"]

log = logging.getLogger(__name__)

INVOICES = 500
WORKERS = 2
RESTART = "database"
DEATHS = {"child at work": 7, "any child": 5, "cluster": 4, "whole worker": 4, RESTART: 1}
KINDS = [("service", 30), ("tax_split", 8), ("foreign_service", 4), ("credit", 6)]
PATIENCE = 240.0
MARK = re.compile(r"Basware (0{29}[0-9a-f]{3})\b")


def test_random_deaths_leave_exactly_five_hundred_documents(
    town: FaultWorld, database: Database, tmp_path: Path, record_property: Callable[[str, object], None]
):
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))
    record_property(NOTE, f"five hundred invoices: FAULTS_SEED={seed}")
    chance, started = random.Random(seed), time.monotonic()
    _issue(town)
    run = town.ask("invoices")
    with Fleet(WORKERS, tmp_path / "workers.log", chance) as fleet:
        _strike(fleet, database, chance)
        wait_until(town.at_rest, PATIENCE)
    kills = ", ".join(f"{number} x {way}" for way, number in fleet.kills.items())
    record_property(NOTE, f"five hundred invoices: {time.monotonic() - started:.0f} s, killed: {kills}")
    assert fleet.kills == DEATHS
    _assert_each_is_in_sap_once(town)
    _assert_each_is_answered_once(town)
    _assert_every_trail_is_complete()
    _assert_resumed(town.again(run))
    call_command("verify_audit")


def _issue(town: FaultWorld) -> None:
    places = [(kind, place) for kind, count in KINDS for place in range(count)]
    chosen = [places[number % len(places)] for number in range(INVOICES)]
    town.issue(
        *(
            invoice(kind, place, invoiceId=f"{number:032x}", invoiceNumber=f"K-{number}")
            for number, (kind, place) in enumerate(chosen, 1)
        )
    )


def _strike(fleet: Fleet, database: Database, chance: random.Random) -> None:
    """One death after another, over the first four fifths of the work: the last one still finds somebody at it."""
    started = time.monotonic()
    ways = [way for way, number in DEATHS.items() for _ in range(number)]
    chance.shuffle(ways)
    for number, way in enumerate(ways):
        so_many = number * (INVOICES * 4 // 5) // len(ways)
        wait_until(lambda least=so_many: PostedDocument.objects.count() >= least, PATIENCE)
        time.sleep(chance.uniform(0, 0.5))  # a random moment is what is wanted
        log.info("%.1f s: %s killed after %s invoices", time.monotonic() - started, way, so_many)
        if way == RESTART:
            with database.away():
                fleet.kills[way] += 1
        else:
            fleet.kill(way)


def _in_sap(town: FaultWorld) -> list[str]:
    """The mark of every document that has one and is not cancelled."""
    held = [document for name in SETS for document in town.sap(name) if document["CancelStatus"] == "csNo"]
    found = [MARK.match(document.get("Comments") or "") for document in held]
    return [mark[1] for mark in found if mark]


def _assert_each_is_in_sap_once(town: FaultWorld) -> None:
    marks = Counter(_in_sap(town))
    assert len(marks) == marks.total() == INVOICES, [mark for mark, number in marks.items() if number > 1]


def _assert_each_is_answered_once(town: FaultWorld) -> None:
    numbers = {record.key: str(record.target_keys["DocNum"]) for record in Record.objects.filter(flow="invoices")}
    for document in town.tell("/basware/documents", "GET"):
        told = [(one["success"], one.get("voucherNumber1")) for one in document.get("transferResponses") or ()]
        assert told == [(True, numbers.pop(document["invoiceId"]))]
        assert document["processingStatus"] == "Transferred"
    assert numbers == {}


def _assert_every_trail_is_complete() -> None:
    records = Record.objects.filter(flow="invoices")
    assert Counter(records.values_list("status", "stage")) == {("done", "confirmed"): INVOICES}
    assert not Attempt.objects.filter(finished_at=None).exists()
    linked = AuditEvent.objects.filter(action__in=("invoice.posted", "invoice.adopted"))
    assert Counter(linked.values_list("record", flat=True)) == {record.pk: 1 for record in records}


def _assert_resumed(run: Run) -> None:
    assert (run.status, run.read, run.confirmed, run.failed) == ("succeeded", INVOICES, INVOICES, 0)
    assert run.resumes >= 1
    told = list(AuditEvent.objects.filter(run=run, action="run.resumed").values_list("message", flat=True))
    assert len(told) == run.resumes
    assert any(f"of {INVOICES} documents still open" in message for message in told), told
