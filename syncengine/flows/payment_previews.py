"""What a customer's rules make of one real payment, for the preview of the mapping; nothing is kept or sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncengine.connectors.basware import Basware
from syncengine.connectors.basware.resources import limits
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.sap_b1.literals import equals
from syncengine.flows.company import FlowContext
from syncengine.mapping import FieldMapping, Problem
from syncengine.mapping.text import as_text
from syncengine.posting.invoice import INVOICES
from syncengine.posting.payments import PAYMENT, SUPPLIER, invoice_lines, means_of

MARK = "Basware "
NEWEST = 50

Payment = Mapping[str, Any]
Shown = tuple[dict[str, Any], dict[str, Any], list[Problem]]


def preview_payment(
    sap: ErpClient, basware: Basware, key: str | None, mapping: FieldMapping, ctx: FlowContext
) -> Shown | None:
    """The payment with that DocEntry (a record's key will do), or the newest that pays an invoice of Basware's."""
    for payment in _payments(sap, key):
        document = _document_paid(sap, basware, payment)
        if document or key is not None:
            source = {**payment, "document": document, "derived": {"means": means_of(payment)}}
            mapped = mapping.apply(source, lookups=ctx.lookups, limits=limits("paymentResponses"))
            return source, mapped.target, mapped.problems
    return None


def _payments(sap: ErpClient, key: str | None) -> list[dict[str, Any]]:
    if key is None:
        where = equals("DocType", SUPPLIER)
        return sap.find("VendorPayments", where=where, select=PAYMENT, top=NEWEST, order_by="DocEntry desc")
    entry = key.partition("/")[0]
    found = sap.by_key("VendorPayments", int(entry), PAYMENT) if entry.isdecimal() else None
    return [found] if found else []


def _document_paid(sap: ErpClient, basware: Basware, payment: Payment) -> dict[str, Any]:
    """Basware's document behind the first line that pays one; the mark in our Comments names it."""
    for line in invoice_lines(payment):
        invoice = sap.by_key(INVOICES, int(line["DocEntry"]), ("DocEntry", "Comments")) or {}
        first = (as_text(invoice.get("Comments")).splitlines() or [""])[0]
        document = basware.document(first.removeprefix(MARK).strip()) if first.startswith(MARK) else None
        if document:
            return dict(document)
    return {}
