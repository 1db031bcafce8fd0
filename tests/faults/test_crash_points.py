"""A worker process is killed at every point in the life of an invoice: never 0 documents, never 2, never 2 answers."""

from __future__ import annotations

import re
import signal

import pytest

from tests.engine.processes import wait_until
from tests.faults.deaths import ANNOUNCED, ON_THE_WIRE, STEP, WRITTEN_DOWN, Death
from tests.faults.nursery import Nursery
from tests.faults.world import FaultWorld, invoice

FOUND = "syncengine.engine.document_runs:store_found"
LINK = "syncengine.engine.desk:DbDesk.link"
VERDICT = "syncengine.engine.responses:Answers.settle"
SETTLE = "syncengine.engine.responses:finish"
APPLIED = "syncengine.engine.steps:free_those_held_back_by"

POINTS = {
    "found": Death(FOUND, "before"),
    "stored": Death(FOUND, "after"),
    "claim announced": Death(ANNOUNCED, "after", "acknowledge"),
    "claimed, answer not read": Death(ON_THE_WIRE, "after", "/acknowledge"),
    "claim written down": Death(WRITTEN_DOWN, "after", "acknowledge"),
    "acknowledged": Death(STEP, "after", "acknowledged"),
    "checked, not saved": Death(STEP, "before", "checked"),
    "checked": Death(STEP, "after", "checked"),
    "looked for in SAP": Death(ANNOUNCED, "before", "post"),
    "posting announced": Death(ANNOUNCED, "after", "post"),
    "posted, answer not read": Death(ON_THE_WIRE, "after", "POST .*/PurchaseInvoices$"),
    "posting answered, not written down": Death(WRITTEN_DOWN, "before", "post"),
    "posting written down": Death(WRITTEN_DOWN, "after", "post"),
    "read back": Death(LINK, "before"),
    "linked": Death(LINK, "after"),
    "posted": Death(STEP, "after", "posted"),
    "answer announced": Death(ANNOUNCED, "after", "transfer_response"),
    "answered, not read": Death(ON_THE_WIRE, "after", "/transferResponses"),
    "answer taken, not written down": Death(WRITTEN_DOWN, "before", "transfer_response"),
    "answer written down": Death(WRITTEN_DOWN, "after", "transfer_response"),
    "waiting for the verdict": Death(STEP, "after", "AwaitAnswer"),
    "verdict read": Death(VERDICT, "before"),
    "verdict understood": Death(SETTLE, "before"),
    "verdict applied, not committed": Death(APPLIED, "after"),
    "confirmed, request still open": Death(SETTLE, "after"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_there_leaves_one_document_and_one_answer(town: FaultWorld, nursery: Nursery, point: str):
    town.issue(invoice())
    child = nursery.start(town.integration.pk, "invoices", POINTS[point])
    assert child.wait() == -signal.SIGKILL
    town.leases_run_out()
    town.settle()
    town.assert_posted_once()
    assert town.go().read == 0


REQUESTS = {
    "claiming": ("basware", "/acknowledge"),
    "posting": ("sap_b1", "/PurchaseInvoices"),
    "answering": ("basware", "/transferResponses"),
}


@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_worker_killed_in_the_middle_of_a_request_that_is_carried_out_later(
    town: FaultWorld, nursery: Nursery, request_name: str
):
    system, path = REQUESTS[request_name]
    town.issue(invoice())
    town.fault(system, "latency", method="POST", path=f"{path}$", seconds=0.4)
    child = nursery.start(town.integration.pk, "invoices")
    wait_until(lambda: town.calls(system, "POST", path))
    child.kill()
    assert child.wait() == -signal.SIGKILL
    town.leases_run_out()
    town.settle()
    town.assert_posted_once()


def test_a_worker_that_died_again_and_again_still_leaves_one_document(town: FaultWorld, nursery: Nursery):
    town.issue(invoice(), invoice("credit"), invoice("foreign_service"))
    for death in POINTS.values():
        child = nursery.start(town.integration.pk, "invoices", death)
        child.wait()
        town.leases_run_out()
    town.settle()
    for place in range(3):
        town.assert_posted_once(place)


FROM_WHERE = {
    "found": "resumed from the start",
    "checked": "resumed after the last page, with [01] of 1 documents still open",
}


@pytest.mark.parametrize("point", FROM_WHERE)
def test_a_run_whose_worker_was_lost_says_from_where_it_went_on(town: FaultWorld, nursery: Nursery, point: str):
    town.issue(invoice())
    town.fault("basware", "status", status=503, method="GET", path="/documents")  # it has had to try again before
    assert nursery.start(town.integration.pk, "invoices", POINTS[point]).wait() == -signal.SIGKILL
    town.leases_run_out()
    town.settle()
    (event,) = town.events("run.resumed")
    assert re.search(FROM_WHERE[point], event.message), event.message
