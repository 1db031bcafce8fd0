"""What must be true once all flows have run: the two sandboxes are compared with each other, our word is not taken.

Every check yields sentences about what is wrong; none means that all is well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncengine.sandbox.dataset import Dataset

Document = dict[str, Any]

MARK = "Basware "
# What a failed invoice's message must name, at the least.
NAMED: Mapping[str, Sequence[str]] = {"unknown_codes": ("699999", "NOWHERE", "I99")}
READS = {"GET", "HEAD", "OPTIONS"}
# Writes that move nothing: logging in, out, and asking for a token.
HARMLESS = ("/Login", "/Logout", "/v1/tokens")
PAYING_SETS = ("PurchaseInvoices", "PurchaseCreditNotes")


class Books:
    """What both sandboxes hold, read through their control API."""

    def __init__(self, control: Any) -> None:
        self._control = control
        self.invoices: dict[str, Document] = {
            document["invoiceId"]: document for document in control.get("/basware/documents")
        }
        self.payments: list[Document] = control.get("/sap/documents", set="VendorPayments")
        self.posted: dict[str, list[Document]] = defaultdict(list)
        for name in PAYING_SETS:
            for document in control.get("/sap/documents", set=name):
                if (document.get("Comments") or "").startswith(MARK):
                    self.posted[invoice_id_of(document)].append({**document, "set": name})

    def payments_of(self, document: Document) -> list[Document]:
        """Outgoing payments with a line on the document, oldest first."""
        entry = document["DocEntry"]
        paying = [one for one in self.payments if any(line["DocEntry"] == entry for line in one["PaymentInvoices"])]
        return sorted(paying, key=lambda payment: int(payment["DocEntry"]))


def invoice_id_of(document: Document) -> str:
    """The Basware invoice that a document in SAP says it came from."""
    return str(document["Comments"]).splitlines()[0].removeprefix(MARK).strip()


def is_foreign(document: Document) -> bool:
    return bool(document.get("DocTotalFc"))


def gross(document: Document) -> Decimal:
    """The document's total in its own currency."""
    return Decimal(document["DocTotalFc"] if is_foreign(document) else document["DocTotal"])


def wrong_postings(books: Books) -> Iterator[str]:
    """Each good invoice is in SAP once, with its total to the cent, and Basware knows the number."""
    bad = set(Dataset().bad_invoices().values())
    for invoice_id, invoice in books.invoices.items():
        if invoice_id in bad:
            continue
        documents, label = books.posted[invoice_id], f"invoice {invoice['invoiceNumber']}"
        if len(documents) != 1:
            yield f"{label} is in SAP {len(documents)} times"
            continue
        if gross(documents[0]) != abs(Decimal(invoice["grossSum"])):
            yield f"{label}: {invoice['grossSum']} in Basware, {gross(documents[0])} in SAP"
        if str(documents[0]["DocNum"]) != invoice.get("voucherNumber1"):
            yield f"{label}: SAP's number {documents[0]['DocNum']} is {invoice.get('voucherNumber1')} in Basware"


def wrong_failures(books: Books, failed: Iterable[Document]) -> Iterator[str]:
    """Exactly the four bad invoices failed, each with its problems named, and Basware was told."""
    bad, records = Dataset().bad_invoices(), {record["key"]: record for record in failed}
    for record in records.values():
        if record["key"] not in bad.values():
            yield f"{record['flow']} {record['key']} failed: {(record['error'] or {}).get('message')}"
    for kind, invoice_id in bad.items():
        if invoice_id not in records:
            yield f"the bad invoice {kind} did not fail"
            continue
        if books.posted[invoice_id]:
            yield f"the bad invoice {kind} is in SAP"
        yield from _unnamed(kind, records[invoice_id])
        answers = books.invoices[invoice_id].get("transferResponses", [])
        if not answers or answers[-1]["success"] is not False:
            yield f"the bad invoice {kind}: Basware was not told that it failed"


def _unnamed(kind: str, record: Document) -> Iterator[str]:
    message, problems = (record["error"] or {}).get("message", ""), record["problems"]
    if not problems:
        yield f"the bad invoice {kind} has no problems"
    for part in [*NAMED.get(kind, ()), *(problem["message"].rstrip(".") for problem in problems)]:
        if part.lower() not in message.lower():
            yield f"the bad invoice {kind}: its message does not name {part!r}"


def wrong_payments(books: Books) -> Iterator[str]:
    """Basware shows of each invoice as paid what SAP shows, and every payment that counted was told one by one."""
    for invoice_id, documents in books.posted.items():
        for document in documents:
            answers = books.invoices[invoice_id].get("paymentResponses", [])
            yield from _wrong_running_totals(books, document, answers)


def _wrong_running_totals(books: Books, document: Document, answers: list[Document]) -> Iterator[str]:
    label = f"invoice {document['NumAtCard']}"
    standing = [payment for payment in books.payments_of(document) if payment["CancelStatus"] == "csNo"]
    told = {answer["paymentNumber"] for answer in answers if "paymentNumber" in answer}
    missing = [str(payment["DocNum"]) for payment in standing if str(payment["DocNum"]) not in told]
    if missing:
        yield f"{label}: Basware was not told of payment {', '.join(missing)}"
    field = "PaidToDateFC" if is_foreign(document) else "PaidToDate"
    paid, last = Decimal(document.get(field) or 0), Decimal(answers[-1].get("paidTotal", 0)) if answers else Decimal(0)
    if document["set"] == "PurchaseInvoices" and paid != last:
        yield f"{label}: {paid} paid in SAP, {last} in Basware"
    totals = [Decimal(answer["paidTotal"]) for answer in answers if "paymentReversalDocument" not in answer]
    if totals != sorted(totals) and not any("paymentReversalDocument" in answer for answer in answers):
        yield f"{label}: the running totals {totals} fall"


def writes(control: Any) -> dict[str, int]:
    """How often each call that changes something came to the sandboxes since they were started."""
    found = {}
    for traffic in control.get("/requests", log=0).values():
        for call, count in traffic["counts"].items():
            method, _, path = call.partition(" ")
            if method not in READS and not path.endswith(HARMLESS):
                found[call] = count
    return found


def needless_writes(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    """A run with nothing new must not write."""
    for call, count in after.items():
        if more := count - before.get(call, 0):
            yield f"with nothing new, {call} was called {more} times"


def needless_records(runs: Iterable[Document]) -> Iterator[str]:
    """A run with nothing new must not count anything as sent."""
    for run in runs:
        if run["counts"]["sent"]:
            yield f"with nothing new, {run['flow']} sent {run['counts']['sent']}"


def failed_runs(runs: Iterable[Document]) -> Iterator[str]:
    """A run fails as a whole only when something stood in its way."""
    for run in runs:
        if run["status"] == "failed":
            yield f"the run of {run['flow']} failed: {(run['error'] or {}).get('message')}"
