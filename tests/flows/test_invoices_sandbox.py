"""All eighty approved invoices of the demo, through real sockets, into the sandbox SAP."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.basware import Basware, BaswareSettings
from syncengine.connectors.basware.resources import check
from syncengine.connectors.http import HttpTransport, ObservedCall, OutboundPolicy
from syncengine.connectors.sap_b1 import SapB1, SapSettings, check_document, read_company_facts
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import OrderLine
from syncengine.flows.document import FindWindow
from syncengine.flows.invoices import InvoiceFlow
from syncengine.flows.payments import PaymentFlow
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.launch import Options, Sandboxes
from tests.engine.processes import wait_until
from tests.flows.desks import MemoryArchive, MemoryEngine, Row

LOOPBACK = OutboundPolicy(allow=("127.0.0.0/8",), allow_http=True)
MOST_CALLS_PER_INVOICE = 9


@dataclass
class Ran:
    """The demo's invoices after one run of the flow."""

    engine: MemoryEngine
    rows: list[Row]
    calls: list[ObservedCall]
    sandboxes: Sandboxes

    def bad(self) -> dict[str, Row]:
        return {kind: self.engine.rows["invoices", key] for kind, key in Dataset().bad_invoices().items()}


def demo_order_lines() -> dict[tuple[str, str], list[OrderLine]]:
    """The order lines of the demo by the numbers under which Basware knows them."""
    lines: dict[tuple[str, str], list[OrderLine]] = {}
    for order in Dataset().sap()["PurchaseOrders"]:
        for line in order["DocumentLines"]:
            numbers = str(order["DocNum"]), str(line["LineNum"] + 1)
            lines.setdefault(numbers, []).append(OrderLine(order["DocEntry"], line["LineNum"], order["CardCode"]))
    return lines


def _engine(sandboxes: Sandboxes, calls: list[ObservedCall]) -> MemoryEngine:
    sap_address, basware_address = sandboxes.addresses["sap_b1"], sandboxes.addresses["basware"]
    transport = HttpTransport("sap_b1", policy=LOOPBACK, observer=calls.append)
    names = {name: sap_address[name] for name in ("base_url", "company_db", "username", "password")}
    sap = SapB1(SapSettings(**names, user_defined_id_field="U_BW_InvoiceId"), transport)
    basware = Basware(
        BaswareSettings(**basware_address), HttpTransport("basware", policy=LOOPBACK, observer=calls.append)
    )
    today = datetime.now(UTC).date()
    ctx = FlowContext(basware_address["company_code"], today, read_company_facts(sap))
    engine = MemoryEngine(InvoiceFlow(), sap, basware, ctx)
    engine.order_lines = demo_order_lines()
    return engine


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    calls: list[ObservedCall] = []
    with Sandboxes(Options()) as sandboxes:
        engine = _engine(sandboxes, calls)
        engine.now = datetime.now(UTC)
        calls.clear()
        pages = list(engine.flow.discover(MemoryArchive(engine), FindWindow()))
        rows = [engine.take(found) for page in pages for found in page.found]
        for row in rows:
            engine.run(row)
        yield Ran(engine, rows, list(calls), sandboxes)


def _posted(ran: Ran, row: Row) -> dict[str, Any]:
    posting = next(posting for key, posting in ran.engine.links.values() if key == row.key)
    document = ran.engine.sap.by_key(posting.entity_set, posting.doc_entry)
    assert document is not None
    return document


def test_all_but_the_four_bad_ones_are_posted_and_answered(ran: Ran):
    assert len(ran.rows) == 80
    good = [row for row in ran.rows if row not in ran.bad().values()]
    stuck = {row.key: (row.stage, row.message, row.errors) for row in good if row.status != "waiting"}
    assert not stuck
    assert Counter(row.stage for row in good) == {"posted": 76}


def test_every_posted_document_has_the_invoice_s_totals_to_the_cent(ran: Ran):
    for row in (row for row in ran.rows if row.stage == "posted"):
        document = _posted(ran, row)
        foreign = document["DocCurrency"] != "EUR"
        total = document["DocTotalFc" if foreign else "DocTotal"]
        assert Decimal(str(total)) == abs(Decimal(str(row.source["grossSum"]))), row.source["invoiceNumber"]


def test_the_four_bad_ones_are_answered_false_and_name_every_problem(ran: Ran):
    bad = ran.bad()
    assert {kind: row.status for kind, row in bad.items()} == dict.fromkeys(bad, "failed")
    assert {row.code for row in bad.values()} == {"problems"}
    for word in ("699999", "I99", "NOWHERE"):
        assert word in bad["unknown_codes"].message
    assert "frozen" in bad["frozen_vendor"].message
    assert "closed" in bad["closed_line"].message
    assert "netSum" in [problem.path for problem in bad["sums_disagree"].step.problems]  # type: ignore[union-attr]
    for row in bad.values():
        document = ran.engine.basware.document(row.key)
        assert document is not None
        assert document["processingStatus"] == "TransferFailed"


def test_every_body_is_one_that_sap_and_basware_take(ran: Ran):
    for row in ran.rows:
        for attempt in row.attempts:
            if attempt.kind == "post":
                assert check_document(attempt.payload["body"]) == []
            if attempt.kind == "transfer_response":
                assert check("transferResponses", attempt.payload) == []


def test_an_invoice_costs_at_most_nine_calls(ran: Ran):
    per_invoice = len(ran.calls) / len(ran.rows)
    assert per_invoice <= MOST_CALLS_PER_INVOICE, Counter(
        (call.method, call.url.split("?")[0].split("(")[0].rsplit("/", 1)[-1]) for call in ran.calls
    )


def test_each_invoice_is_in_sap_once(ran: Ran):
    for entity_set in ("PurchaseInvoices", "PurchaseCreditNotes"):
        documents = [
            row for page in ran.engine.sap.pages(entity_set, key="DocEntry", select=["U_BW_InvoiceId"]) for row in page
        ]
        marks = Counter(row["U_BW_InvoiceId"] for row in documents if row["U_BW_InvoiceId"])
        assert set(marks.values()) <= {1}


def confirm_all(engine: MemoryEngine, answered: list[Row]) -> None:
    """Wait until the sandbox, which settles answers on its own clock, has taken them all."""
    deadline, waiting = time.monotonic() + 20, answered
    while waiting and time.monotonic() < deadline:
        waiting = [row for row in waiting if engine.basware.document(row.key)["processingStatus"] != "Transferred"]
        time.sleep(0.05 if waiting else 0)
    for row in answered:
        engine.settle(row)


def test_basware_confirms_the_answers_and_a_second_run_posts_nothing(ran: Ran):
    confirm_all(ran.engine, [row for row in ran.rows if row.status == "waiting"])
    assert Counter(row.stage for row in ran.rows if row.status == "done") == {"confirmed": 76}
    posts = sum(event == "announce post" for event in ran.engine.events)
    pages = ran.engine.flow.discover(MemoryArchive(ran.engine), FindWindow())
    assert [found for page in pages for found in page.found] == []
    assert posts == 76


def test_payments_of_the_sandbox_are_told_with_totals_that_sap_confirms(ran: Ran):
    """A third is paid, in full or in part; afterwards one is cancelled, and the night shift finds the rest in order."""
    engine = ran.engine
    paying = MemoryEngine(PaymentFlow(), engine.sap, engine.basware, engine.ctx)
    paying.rows, paying.links = engine.rows, engine.links
    ran.sandboxes.play([{"path": "/sap/pay-run"}])
    first = tell(paying, {})
    assert first
    cancelled = next(int(row.source["DocEntry"]) for row in first if row.memo.get("sent"))
    ran.sandboxes.play([{"path": "/sap/payments/cancel", "body": {"entry": cancelled}}])
    again = tell(paying, {"doc_entry": max(int(row.source["DocEntry"]) for row in first)})
    assert f"{cancelled}/0R" in [row.key for row in again]
    sent = Counter(row.source["invoice_id"] for row in first + again if row.memo.get("sent"))
    for key, posting in paying.links.values():
        told = responses(engine, key, sent[key])
        invoice = engine.sap.by_key(posting.entity_set, posting.doc_entry) or {}
        paid = invoice["PaidToDateFC" if invoice["DocCurrency"] != "EUR" else "PaidToDate"]
        assert not told or Decimal(str(told[-1]["paidTotal"])) == Decimal(str(paid)), key
    night = FindWindow(mode="full")
    looked_at = [found for page in engine.flow.discover(MemoryArchive(engine), night) for found in page.found]
    assert [found.memo for found in looked_at] == []


def responses(engine: MemoryEngine, key: str, number: int) -> list[dict[str, Any]]:
    """What Basware shows of them once it has worked on so many."""

    def shown() -> list[dict[str, Any]]:
        return list((engine.basware.document(key) or {}).get("paymentResponses") or ())

    wait_until(lambda: len(shown()) >= number)
    return shown()


def tell(paying: MemoryEngine, watermark: dict[str, int]) -> list[Row]:
    window = FindWindow(mode="full" if watermark else "incremental", watermark=watermark)
    known = set(paying.rows)
    pages = list(paying.flow.discover(MemoryArchive(paying), window))
    taken = {found.key: paying.take(found) for page in pages for found in page.found}
    rows = [row for key, row in taken.items() if ("payments", key) not in known]
    for row in rows:
        paying.run(row)
        for attempt in row.attempts:
            assert check("paymentResponses", attempt.payload) == []
        if row.status == "waiting" and not row.code:
            paying.settle(row, "payment_response")
    return rows
