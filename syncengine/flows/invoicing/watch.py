"""The nightly look at posted invoices: cancelled in SAP, or settled there by something that is no payment.

default-mapping.md, "Later in SAP" and payments; contracts: SAP §8.6 (payments on account reconciled later do not appear
in PaymentInvoices).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import all_of, equals
from syncengine.flows.desk import Posting
from syncengine.flows.document import Archive
from syncengine.posting.amounts import LEAST_TOLERANCE, amount
from syncengine.posting.invoice import INVOICES
from syncengine.posting.payments import PAYMENT, SUPPLIER, Paid, invoice_lines, is_foreign, known_paid
from syncengine.posting.sap_values import CANCELLED, NOT_CANCELLED

PAGE = 200
WATCHED = (
    "DocEntry",
    "CancelStatus",
    "DocumentStatus",
    "DocCurrency",
    "DocTotal",
    "DocTotalFc",
    "PaidToDate",
    "PaidToDateFC",
)

Row = Mapping[str, Any]


def watched(archive: Archive) -> Iterator[list[tuple[Posting, Row]]]:
    """Posted documents that may still change, page by page, each with what SAP says of it now."""
    after = 0
    while postings := archive.postings_to_watch(after, PAGE):
        after = postings[-1].doc_entry
        pairs: list[tuple[Posting, Row]] = []
        for entity_set in sorted({posting.entity_set for posting in postings}):
            mine = {posting.doc_entry: posting for posting in postings if posting.entity_set == entity_set}
            rows = archive.sap.by_keys(entity_set, "DocEntry", mine, WATCHED)
            pairs += [(mine[row["DocEntry"]], row) for row in rows]
        yield pairs


def invoices_to_look_at(archive: Archive) -> Iterator[list[tuple[Row, dict[str, Any]]]]:
    """Basware's document and a memo for each invoice whose document in SAP wants a look."""
    local = archive.ctx.facts.local_currency
    for pairs in watched(archive):
        kin = archive.kin("payments", [posting.invoice_id for posting, _ in pairs])
        memos: list[tuple[Posting, dict[str, Any]]] = []
        for posting, row in pairs:
            paid = known_paid([one.source for one in kin.get(posting.invoice_id, ())], row, local)
            memo = _memo(archive, posting, row, paid)
            if memo:
                memos.append((posting, memo))
        yield list(_with_documents(archive, memos))


def _memo(archive: Archive, posting: Posting, row: Row, known: Paid) -> dict[str, Any]:
    if row.get("CancelStatus") == CANCELLED:
        return {"cancelled_in_sap": True}
    if posting.entity_set != INVOICES or _beyond(archive, row, known) <= LEAST_TOLERANCE:
        return {}
    # Payments that we have not read yet explain it too: SAP is asked for them before anything is flagged.
    more = _beyond(archive, row, _paid_in_sap(archive, posting, row))
    return {"settled_by_reconciliation": more} if more > LEAST_TOLERANCE else {}


def _beyond(archive: Archive, row: Row, paid: Paid) -> Decimal:
    """How much more SAP counts as paid than these payments make."""
    foreign = is_foreign(row, archive.ctx.facts.local_currency)
    return amount(row.get("PaidToDateFC" if foreign else "PaidToDate")) - paid.applied - paid.settled


def _paid_in_sap(archive: Archive, posting: Posting, row: Row) -> Paid:
    where = all_of(
        equals("CardCode", posting.card_code), equals("DocType", SUPPLIER), equals("CancelStatus", NOT_CANCELLED)
    )
    payments = archive.sap.pages("VendorPayments", key="DocEntry", select=PAYMENT, where=where)
    sources = [
        {**payment, "line": line}
        for page in payments
        for payment in page
        for line in invoice_lines(payment)
        if line["DocEntry"] == posting.doc_entry
    ]
    return known_paid(sources, row, archive.ctx.facts.local_currency)


def _with_documents(
    archive: Archive, memos: Sequence[tuple[Posting, dict[str, Any]]]
) -> Iterator[tuple[Row, dict[str, Any]]]:
    for posting, memo in memos:
        document = archive.basware.document(posting.invoice_id)
        if document is not None:
            yield document, {**memo, "status": document.get("processingStatus")}
