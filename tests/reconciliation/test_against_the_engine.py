"""The proof after the engine's own work: it posts, somebody tampers behind its back, the report names exactly that."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.payments import PaymentOutcome
from syncengine.reconciliation.service import reconcile
from syncengine.sandbox.dataset import Dataset
from tests.engine.world import World
from tests.reconciliation.test_command import run_command

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
BAD = frozenset(Dataset().bad_invoices().values())
Document = dict[str, Any]


def marked(world: World, entity_set: str = "PurchaseInvoices") -> list[Document]:
    """What we posted, by DocEntry."""
    return [one for one in world.sap(entity_set) if (one.get("Comments") or "").startswith("Basware ")]


def mark_of(document: Document) -> str:
    return str(document["Comments"]).splitlines()[0].removeprefix("Basware ")


def by_outcome(world: World) -> dict[Outcome, set[str]]:
    """Invoice ids by outcome, those posted once left out."""
    found: dict[Outcome, set[str]] = {}
    for row in reconcile(world.integration, FIRST, LAST).rows:
        if row.outcome is not Outcome.POSTED_ONCE:
            found.setdefault(row.outcome, set()).add(row.invoice_id)
    return found


def payment_outcomes(world: World) -> dict[str, PaymentOutcome]:
    return {row.invoice_id: row.outcome for row in reconcile(world.integration, FIRST, LAST).payments}


def test_of_eighty_invoices_it_names_exactly_those_tampered_with(world: World) -> None:
    world.run("purchase_orders")
    world.run("invoices")
    assert by_outcome(world) == {Outcome.FAILED: BAD}

    world.tell("/sap/pay-run")
    world.run("payments")
    told = payment_outcomes(world)
    assert set(told.values()) == {PaymentOutcome.CONFIRMED}
    assert len(told) > 10

    untouched = [one for one in marked(world) if mark_of(one) not in told]
    dropped, doubled, altered, hidden = untouched[:4]
    note = marked(world, "PurchaseCreditNotes")[0]
    world.remove("PurchaseInvoices", dropped["DocEntry"])
    invoices = world.sandboxes.sap.company.collection("PurchaseInvoices")
    entry = invoices.next_number()
    invoices.put(entry, deepcopy(doubled) | {"DocEntry": entry, "DocNum": 990001})
    world.change("PurchaseInvoices", altered["DocEntry"], DocTotal=str(Decimal(altered["DocTotal"]) + 1))
    world.change("PurchaseInvoices", hidden["DocEntry"], Comments="somebody wrote over our mark")
    world.tell("/sap/documents/cancel", set="PurchaseCreditNotes", entry=note["DocEntry"])

    world.quiet()
    assert by_outcome(world) == {
        Outcome.FAILED: BAD,
        Outcome.MISSING: {mark_of(dropped), mark_of(note)},
        Outcome.DUPLICATE: {mark_of(doubled)},
        Outcome.TOTALS_DIFFER: {mark_of(altered)},
    }
    assert_few_reads(world)
    assert payment_outcomes(world) == told

    code, out = run_command(world, "json")
    totals = json.loads(out)["totals"]
    assert (code, totals["posted_once"], totals["failed"], totals["missing"]) == (1, 72, 4, 2)


def assert_few_reads(world: World) -> None:
    """Of 80 invoices with what SAP holds besides: a page each, the marks not found, and what a log-in costs."""
    sap, basware = world.calls("sap_b1"), world.calls("basware")
    assert len([call for call in sap if "/Purchase" in call["path"]]) <= 8
    assert len(sap) <= 16, [call["path"] for call in sap]
    assert len(basware) <= 4, [call["path"] for call in basware]
    assert {call["method"] for call in basware} == {"GET"}
    assert not [call for call in sap if call["method"] in {"PATCH", "DELETE"}]
