"""Reading: which documents count, what their mark is, and which day they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncengine.flows.invoicing.rules import default_rules
from syncengine.mapping import compile_rules
from syncengine.reconciliation.reading import Period, Reader, chunks
from tests.flows.systems import MARK, Sap
from tests.flows.world import context
from tests.posting import builders

MAY = Period(date(2026, 5, 1), date(2026, 5, 31))
ALWAYS = Period(date(1, 1, 1), date(9999, 12, 31))


class Basware:
    """Lists documents in two pages and remembers how it was asked."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.rows = list(documents)
        self.asked: list[dict[str, Any]] = []

    def documents(self, **asked: Any) -> Iterator[list[dict[str, Any]]]:
        self.asked.append(asked)
        yield self.rows[:1]
        yield self.rows[1:]

    def document(self, invoice_id: str) -> dict[str, Any] | None:
        return next((row for row in self.rows if row["invoiceId"] == invoice_id), None)


def reader(*documents: dict[str, Any], **tables: list[dict[str, Any]]) -> Reader:
    return Reader(Sap(**tables), Basware(*documents), compile_rules(default_rules()), context())  # type: ignore[arg-type]  # as much of the clients as is asked


def invoice(invoice_id: str = "i1", **changed: Any) -> dict[str, Any]:
    given = {"invoiceId": invoice_id, "processingStatus": "Transferred", "voucherDate": "2026-05-04T00:00:00Z"}
    return builders.document(**{**given, **changed})


def in_sap(entry: int, **changed: Any) -> dict[str, Any]:
    return {
        "DocEntry": entry,
        "DocNum": 10000 + entry,
        "CardCode": "V10012",
        "NumAtCard": "OTHER",
        "DocDate": "2026-05-04T00:00:00Z",
        "DocCurrency": "EUR",
        "CancelStatus": "csNo",
        "DocTotal": Decimal("125.50"),
        "VatSum": Decimal("25.50"),
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({}, True),
        ({"processingStatus": "WaitingForTransfer"}, True),
        ({"processingStatus": "TransferInProgress"}, True),
        ({"processingStatus": "TransferFailed"}, True),
        ({"processingStatus": "Paid"}, True),
        ({"processingStatus": "New"}, False),
        ({"processingStatus": "WaitingForPrebook"}, False),
        ({"processingStatus": "Removed"}, False),
        ({"p2pProcessingMode": "InvoiceEnrichment"}, False),
        ({"companyCode": "2000"}, False),
        ({"companyCode": None}, True),
        ({"voucherDate": "2026-05-01"}, True),
        ({"voucherDate": "2026-05-31T23:59:59Z"}, True),
        ({"voucherDate": "2026-04-30"}, False),
        ({"voucherDate": "2026-06-01", "invoiceDate": "2026-05-30"}, False),
        ({"voucherDate": None, "invoiceDate": "2026-05-30"}, True),
        ({"voucherDate": None, "invoiceDate": "2026-04-30"}, False),
        ({"voucherDate": None, "invoiceDate": None}, True),
    ],
)
def test_approved_invoices_of_the_period_are_taken_and_all_others_remembered_by_status(changed, taken):
    found = reader(invoice("other", processingStatus="New"), invoice(**changed)).in_basware(MAY)
    assert (set(found.approved), "i1" in found.others) == ({"i1"} if taken else set(), not taken)
    assert found.others["other"] == "New"


def test_every_status_is_asked_for_at_once_and_nothing_older_than_a_year_before():
    one = reader(invoice())
    one.in_basware(MAY)
    assert one.basware.asked == [{"last_updated": datetime(2025, 4, 30, tzinfo=UTC)}]  # type: ignore[attr-defined]


def test_no_period_is_too_early():
    assert "i1" in reader(invoice()).in_basware(ALWAYS).approved


def test_sums_are_those_that_posting_would_send():
    rows = [builders.row(net="-100.00", taxSum=Decimal("-25.50"), grossTotal=Decimal("-125.50"))]
    credit = invoice(rows=rows, grossSum=Decimal("-125.50"), netSum=Decimal("-100"), taxSum1=Decimal("-25.50"))
    one = reader(credit).in_basware(MAY).approved["i1"]
    assert (one.entity_set, one.gross, one.tax, one.amount) == (
        "PurchaseCreditNotes", Decimal("125.50"), Decimal("25.50"), Decimal("-125.50")
    )  # fmt: skip
    assert reader(invoice(currencyCode="USD")).in_basware(MAY).approved["i1"].sap_currency == "$"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (None, "0"),
        ([{"success": True, "paidTotal": Decimal("50")}], "50"),
        ([{"success": True, "paidTotal": Decimal("50")}, {"success": True, "paidTotal": Decimal("20")}], "20"),
        ([{"success": True, "paidTotal": Decimal("50")}, {"success": False, "paidTotal": Decimal("99")}], "50"),
        ([{"success": True, "paidTotal": Decimal("50")}, {"success": True}], "50"),
    ],
)
def test_the_last_good_payment_answer_says_what_basware_was_told(answers, told):
    assert reader(invoice(paymentResponses=answers)).in_basware(MAY).approved["i1"].told == Decimal(told)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({MARK: "i1"}, True),
        ({MARK: "i1", "Comments": "Basware i2"}, True),
        ({MARK: "i2", "Comments": "Basware i1"}, False),
        ({"Comments": "Basware i1\nconsulting"}, True),
        ({"Comments": "Basware i1\rconsulting"}, True),
        ({MARK: "", "Comments": "see Basware i1."}, True),
        ({"Comments": "Basware i11"}, False),
        ({"Comments": "myBasware i1"}, False),
        ({"Comments": None}, False),
    ],
)
def test_the_mark_is_the_field_else_the_words_in_comments(changed, found):
    one = reader(invoice(), PurchaseInvoices=[in_sap(1, **changed)])
    held = one.in_sap(one.in_basware(MAY).approved, MAY).held
    assert bool("i1" in held and held["i1"].ours) is found


@pytest.mark.parametrize(
    ("changed", "stray"),
    [
        ({"Comments": "Basware i2\nconsulting"}, True),
        ({MARK: "i2"}, True),
        ({"Comments": "Basware order of May"}, False),
        ({"Comments": "see Basware i2"}, False),
        ({"Comments": "Basware i2", "CancelStatus": "csYes"}, False),
        ({"Comments": "Basware i2", "DocDate": "2026-04-30"}, False),
        ({"Comments": "Basware i2", "DocDate": "2026-06-01"}, False),
    ],
)
def test_a_mark_of_an_unknown_invoice_is_a_stray_only_in_our_own_form_and_period(changed, stray):
    one = reader(invoice(), PurchaseInvoices=[in_sap(1, **changed)])
    assert set(one.in_sap(one.in_basware(MAY).approved, MAY).strays) == ({"i2"} if stray else set())


def test_vendor_and_number_find_what_has_no_mark_in_the_right_entity_set_only():
    number = invoice()["invoiceNumber"]
    vendor = invoice()["supplierCode"]
    alike = in_sap(1, CardCode=vendor.lower(), NumAtCard=f"  {number.upper()} ")
    note = in_sap(2, CardCode=vendor, NumAtCard=number)
    gone = in_sap(3, CardCode=vendor, NumAtCard=number, CancelStatus="csYes")
    one = reader(invoice(), PurchaseInvoices=[alike, gone], PurchaseCreditNotes=[note])
    held = one.in_sap(one.in_basware(MAY).approved, MAY).held["i1"]
    assert ([other.doc_entry for other in held.alike], held.ours) == ([1], [])


def test_a_mark_may_be_asked_for_whatever_the_date():
    one = reader(invoice(), PurchaseCreditNotes=[in_sap(1, DocDate="2019-01-01", **{MARK: "i1"})])
    found = one.in_sap(one.in_basware(MAY).approved, MAY)
    assert "i1" not in found.held
    one.add_marked(found, ["i1"])
    assert [document.doc_entry for document in found.held["i1"].ours] == [1]


def test_of_a_document_only_what_is_needed_is_kept():
    row = in_sap(1, PaidToDate=Decimal(0), Comments="Basware i1\n" + "x" * 200)
    one = reader(invoice(), PurchaseInvoices=[row])
    (document,) = one.in_sap(one.in_basware(MAY).approved, MAY).held["i1"].ours
    assert document.sums == {"DocCurrency": "EUR", "DocTotal": Decimal("125.50"), "VatSum": Decimal("25.50")}


def test_chunks_keep_the_order_and_lose_nothing():
    assert list(chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(chunks([], 2)) == []
