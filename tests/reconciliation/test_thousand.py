"""A thousand invoices posted by the product itself, five tampered with behind our back: exactly those five are named.

What is asked of Basware and SAP is printed at the end of the tests; it takes about a minute, nearly all of it posting.
"""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.forms.reconciliation import WORDS
from syncengine.engine import due
from syncengine.engine.work import Deadline
from syncengine.reconciliation.core import Outcome
from syncengine.sandbox.dataset import Dataset
from tests import factories
from tests.conftest import Api
from tests.engine.world import World
from tests.reconciliation.books import FIRST, LAST
from tests.reconciliation.test_against_the_engine import mark_of, marked
from tests.reconciliation.test_command import run_command

COUNT = 1000
PATIENCE = 300.0
# Pages of 100 documents each, of SAP's and of Basware's: what does not grow with each invoice.
MOST_CALLS = 2 * COUNT // 100 + 10
# What the sandbox makes of the same pages and the report's own text count too: all is one process here.
KILOBYTES_EACH = 12
KILOBYTES_KEPT = 256
PERIOD = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
Document = dict[str, Any]
Measure = Callable[[str, object], None]


@dataclass
class Five:
    """What was done to whom, and what the report must say of it."""

    verdicts: dict[str, Outcome] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def expect(self, document: Document, outcome: Outcome) -> None:
        self.verdicts[mark_of(document)] = outcome
        self.numbers[mark_of(document)] = document["NumAtCard"]


@pytest.fixture
def measure(record_property: Callable[[str, object], None]) -> Measure:
    """`measure("what", value)`: printed when all tests are done."""
    return lambda what, value: record_property("measured", f"{what}: {value}")


@pytest.fixture
def books(world: World) -> World:
    """A thousand invoices that can be posted wait for us: the data set's own, and copies of its plain ones."""
    for bad in Dataset().bad_invoices().values():
        world.tell("/basware/move", invoiceId=bad, status="Removed")
    waiting = world.tell("/basware/documents", "GET", status="WaitingForTransfer")
    plain = [one for one in waiting if "orderNumbers" not in one and one["grossSum"] > 0]
    for number in range(COUNT - len(waiting)):
        like = plain[number % len(plain)]["invoiceId"]
        world.tell("/basware/issue", copyOf=like, changes={"invoiceNumber": f"MANY-{number}"})
    world.run("purchase_orders")
    return world


def test_of_a_thousand_posted_invoices_exactly_the_five_tampered_with_are_named(books: World, measure: Measure) -> None:
    started = time.monotonic()
    post_all(books)
    measure(f"{COUNT} invoices posted by the product, seconds", f"{time.monotonic() - started:.1f}")

    code, report = by_command(books)
    assert (code, report["totals"]["posted_once"], len(report["rows"])) == (0, COUNT, COUNT)
    assert_bounded(books, measure)

    five = tamper(books)
    code, report = by_command(books)
    assert code == 1
    assert wanting(report) == five.verdicts
    assert (report["totals"]["posted_once"], len(report["rows"])) == (COUNT - 5, COUNT)
    assert wanting(by_api(books)) == five.verdicts
    assert_page_names(by_page(books), five)
    measure("the whole test, seconds", f"{time.monotonic() - started:.1f}")


def post_all(world: World) -> None:
    """By the flow itself, four calls in flight, as a worker does."""
    run, deadline = world.ask("invoices"), Deadline(PATIENCE)
    while not (run := world.again(run)).is_final and not deadline.passed:
        world.work(deadline.left)
        due.wait_for_next(0.2)
    assert (run.status, run.counts["confirmed"], run.counts["failed"]) == ("succeeded", COUNT, 0)


def tamper(world: World) -> Five:
    """One dropped, one doubled, one altered, one cancelled in SAP; of one Basware forgets that it was transferred."""
    five, plain = Five(), marked(world)[100:600:100]
    dropped, doubled, altered, cancelled, unconfirmed = plain
    world.tell("/sap/remove", set="PurchaseInvoices", key=dropped["DocEntry"])
    world.tell("/sap/documents/double", entry=doubled["DocEntry"])
    world.change("PurchaseInvoices", altered["DocEntry"], DocTotal=str(altered["DocTotal"] + 1))
    world.tell("/sap/documents/cancel", entry=cancelled["DocEntry"])
    world.tell("/basware/unconfirm", invoiceId=mark_of(unconfirmed))
    verdicts = (Outcome.MISSING, Outcome.DUPLICATE, Outcome.TOTALS_DIFFER, Outcome.MISSING, Outcome.NOT_CONFIRMED)
    for document, outcome in zip(plain, verdicts, strict=True):
        five.expect(document, outcome)
    return five


def by_command(world: World) -> tuple[int, Document]:
    code, out = run_command(world, "json")
    return code, json.loads(out)


def by_api(world: World) -> Document:
    key = factories.api_key(world.integration.organization, "viewer")
    asked = "&".join(f"{name}={day}" for name, day in PERIOD.items())
    answer = Api({"Authorization": f"Api-Key {key}"}).get(
        f"integrations/{world.integration.pk}/reconciliation/?{asked}"
    )
    assert answer.status_code == 200
    report: Document = answer.json()
    return report


def by_page(world: World) -> str:
    organization = world.integration.organization
    client = Client()
    client.force_login(factories.member(organization, "viewer"), backend="django.contrib.auth.backends.ModelBackend")
    path = reverse("portal:reconciliation", args=[organization.slug, world.integration.pk])
    asked = {"first_day": PERIOD["from"], "last_day": PERIOD["to"], "again": "1"}
    return client.get(path, asked).content.decode()


def wanting(report: Document) -> dict[str, Outcome]:
    """The verdicts on what is not posted once."""
    rows = [row for row in report["rows"] if row["outcome"] != "posted_once"]
    return {row["invoice_id"]: Outcome(row["outcome"]) for row in rows}


def assert_page_names(page: str, five: Five) -> None:
    """First what wants a look: these five rows and no other, each with its verdict in words."""
    table = page.partition('id="invoices"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = table.split("<tr>")[1:]
    assert len(rows) == len(five.verdicts)
    for invoice_id, outcome in five.verdicts.items():
        (row,) = [row for row in rows if f">{five.numbers[invoice_id]}<" in row]
        assert WORDS[outcome] in row


def assert_bounded(world: World, measure: Measure) -> None:
    """Calls by the page and not by the invoice; of each invoice little is kept, and nothing once it is told."""
    tracemalloc.start()
    try:
        traced_reconciliation(world)  # what is made once and kept for good is there now
        kept, peak, calls = traced_reconciliation(world)
    finally:
        tracemalloc.stop()
    measure(f"calls to reconcile {COUNT}", ", ".join(f"{number} {system}" for system, number in calls.items()))
    measure(f"memory to reconcile {COUNT}", f"{peak:.0f} kB at the most, {kept:.0f} kB kept")
    assert sum(calls.values()) <= MOST_CALLS
    assert peak <= COUNT * KILOBYTES_EACH
    assert kept <= KILOBYTES_KEPT


def traced_reconciliation(world: World) -> tuple[float, float, dict[str, int]]:
    """Kilobytes kept, kilobytes at the most, and calls by system."""
    world.quiet()
    gc.collect()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    assert by_command(world)[0] == 0
    peak = tracemalloc.get_traced_memory()[1] - before
    calls = {system: len(world.calls(system)) for system in ("sap_b1", "basware")}
    world.quiet()
    world.tell("/basware/expire-urls")  # Basware holds the pages that it handed out until they are fetched no more
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / 1024, peak / 1024, calls
