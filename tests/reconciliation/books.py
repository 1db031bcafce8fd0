"""Ten invoices that both sandboxes agree on, booked without the engine: quick to make, and nobody's word is taken."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import parse_date
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.report import Report
from syncengine.reconciliation.service import reconcile
from tests.engine.world import World

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
CURRENCIES = {"USD": "$", "SEK": "SKR"}
Document = dict[str, Any]


@dataclass
class Books:
    """`invoices` by position; `entry` says where SAP holds one of them."""

    world: World
    invoices: list[Document] = field(default_factory=list)
    entries: dict[str, tuple[str, int]] = field(default_factory=dict)

    def id(self, position: int) -> str:
        return str(self.invoices[position]["invoiceId"])

    def document(self, position: int) -> Document:
        entity_set, entry = self.entries[self.id(position)]
        found = self.world.sandboxes.sap.company.collection(entity_set).get(entry)
        assert found is not None
        return found

    def change(self, position: int, **values: Any) -> None:
        """Somebody changes the document in SAP."""
        self.world.change(*self.entries[self.id(position)], **values)

    def drop(self, position: int) -> None:
        self.world.remove(*self.entries[self.id(position)])

    def double(self, position: int, **changes: Any) -> Document:
        """Somebody duplicates the document in SAP."""
        collection = self.world.sandboxes.sap.company.collection(self.entries[self.id(position)][0])
        entry = collection.next_number()
        made = deepcopy(self.document(position)) | {"DocEntry": entry, "DocNum": 990000 + entry} | changes
        return collection.put(entry, made)

    def tell_basware(self, position: int, **changes: Any) -> None:
        self.world.tell("/basware/change", invoiceId=self.id(position), changes=changes)

    def move(self, position: int, status: str) -> None:
        self.world.tell("/basware/move", invoiceId=self.id(position), status=status)

    def report(self, first: date = FIRST, last: date = LAST) -> Report:
        return reconcile(self.world.integration, first, last)

    def wanting(self) -> dict[str, Outcome]:
        """What is not posted once."""
        return {row.invoice_id: row.outcome for row in self.report().rows if row.outcome is not Outcome.POSTED_ONCE}

    def detail(self, position: int) -> str:
        return next(row.detail for row in self.report().rows if row.invoice_id == self.id(position))


def make_books(world: World, field_name: str = "") -> Books:
    """Eight invoices, a credit note and one in foreign currency are transferred; the others were never approved."""
    books = Books(world)
    documents = world.tell("/basware/documents", "GET")
    plain = [one for one in documents if "orderNumbers" not in one]
    local = [one for one in plain if one["currencyCode"] == "EUR" and one["grossSum"] > 0]
    credit = next(one for one in plain if one["grossSum"] < 0)
    foreign = next(one for one in plain if one["currencyCode"] in CURRENCIES and one["grossSum"] > 0)
    chosen = [*local[:8], credit, foreign]
    for document in documents:
        if document not in chosen:
            world.tell("/basware/move", invoiceId=document["invoiceId"], status="Removed")
    for number, document in enumerate(chosen):
        _book(books, document, 700_000 + number, field_name)
    return books


def _book(books: Books, invoice: Document, entry: int, field_name: str) -> None:
    """A document like those that SAP holds already, with what is this invoice's own."""
    entity_set = "PurchaseCreditNotes" if invoice["grossSum"] < 0 else "PurchaseInvoices"
    company = books.world.sandboxes.sap.company
    template = deepcopy(company.collection("PurchaseInvoices").values()[0])
    books.invoices.append(invoice)
    books.entries[invoice["invoiceId"]] = (entity_set, entry)
    own = {
        "DocEntry": entry,
        "DocNum": entry,
        "CardCode": invoice["supplierCode"],
        "NumAtCard": invoice["invoiceNumber"],
        "DocDate": day_of(invoice).isoformat(),
        "DocCurrency": CURRENCIES.get(invoice["currencyCode"], invoice["currencyCode"]),
        "Comments": f"Basware {invoice['invoiceId']}\n{invoice.get('description', '')}"[:254],
    }
    marked = {field_name: invoice["invoiceId"]} if field_name else {}
    company.collection(entity_set).put(entry, template | own | _sums(invoice) | marked)
    changes = {"processingStatus": "Transferred", "voucherNumber1": str(entry)}
    books.world.tell("/basware/change", invoiceId=invoice["invoiceId"], changes=changes)


def _sums(invoice: Document) -> Document:
    gross, tax = (abs(Decimal(str(invoice[name]))) for name in ("grossSum", "taxSum1"))
    if invoice["currencyCode"] not in CURRENCIES:
        return {"DocTotal": gross, "VatSum": tax}
    return {"DocTotalFc": gross, "VatSumFc": tax, "DocTotal": gross * 2, "VatSum": tax * 2}


def day_of(invoice: Document) -> date:
    """The day that an invoice belongs to."""
    day = parse_date(invoice.get("voucherDate") or invoice["invoiceDate"])
    assert day is not None
    return day
