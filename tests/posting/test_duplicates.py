"""Is it there already? Rules 1 to 3 of default-mapping.md."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.sap_b1.literals import contains
from syncengine.posting.duplicates import (
    Sighting,
    Sightings,
    content_differences,
    is_down_payment_open,
    is_ours_after_all,
    look_up,
    look_up_marks,
    normalised,
)
from syncengine.sandbox.sap_b1.filters import parse_filter
from syncengine.sandbox.sap_b1.model import entity_set
from tests.posting.builders import (
    INVOICE_ID,
    base,
    document,
    invoice,
    negated,
    order_row,
    plan,
    posted,
    row,
    terms,
    with_order,
)


class Shelf:
    """SAP's documents; filters are evaluated as the sandbox evaluates them. `asked` keeps every query."""

    def __init__(self, **documents: list[dict[str, Any]]) -> None:
        self.documents = documents
        self.asked: list[tuple[str, str, bool]] = []

    def find(
        self, name: str, *, where: str, select: Any, top: int = 100, case_insensitive: bool = False
    ) -> list[dict[str, Any]]:
        self.asked.append((name, where, case_insensitive))
        kinds = dict(entity_set(name).type.kinds) | {"U_BW_InvoiceId": "Edm.String"}
        passes = parse_filter(where, kinds, v1=False, fold=case_insensitive, key="DocEntry").matches
        return [found for found in self.documents.get(name, []) if passes(found)]

    def contains(self, field_name: str, text: str) -> str:
        return contains(field_name, text)


def in_sap(**changed: Any) -> dict[str, Any]:
    """The very document that the invoice of `document()` becomes, without our mark, as SAP would list it."""
    made = posted(
        plan(), DocumentStatus="bost_Open", CreationDate="2026-11-20", DocTotalFc=Decimal(0), VatSumFc=Decimal(0)
    )
    return made | {"Comments": "", "U_BW_InvoiceId": None} | changed


def seen(shelf: Shelf, source: dict[str, Any] | None = None, down_payments: Any = (), **settings: Any) -> Sightings:
    return look_up(shelf, invoice(source), terms(**settings), down_payments)


def ours(**changed: Any) -> dict[str, Any]:
    return in_sap(U_BW_InvoiceId=INVOICE_ID, Comments=f"Basware {INVOICE_ID}", **changed)


# Normalisation


@pytest.mark.parametrize(
    ("one", "other"),
    [("INV-1187", "inv-1187"), (" INV 1187 ", "inv  1187"), ("STRASSE", "straße"), ("A\t1", "a 1")],
)
def test_numbers_are_compared_trimmed_single_blanked_and_folded(one: str, other: str):
    assert normalised(one) == normalised(other)


def test_different_numbers_stay_different():
    assert normalised("1187") != normalised("11870")


# Rule 1


@pytest.mark.parametrize("where", ["PurchaseInvoices", "PurchaseCreditNotes"])
def test_what_carries_our_mark_is_found_under_any_vendor(where: str):
    found = seen(Shelf(**{where: [ours(CardCode="V999", NumAtCard="other")]}))
    assert [one.entity_set for one in found.marked] == [where]


@pytest.mark.parametrize("mark_field", ["U_BW_InvoiceId", ""])
def test_the_mark_is_in_its_field_or_in_comments(mark_field: str):
    (found,) = look_up_marks(Shelf(PurchaseInvoices=[ours()]), INVOICE_ID, terms(mark_field=mark_field))
    assert found.why == "mark"


def test_a_longer_id_that_begins_with_ours_is_not_ours():
    shelf = Shelf(PurchaseInvoices=[in_sap(Comments=f"Basware {INVOICE_ID}7", NumAtCard="x")])
    assert look_up_marks(shelf, INVOICE_ID, terms(mark_field="")) == ()


@pytest.mark.parametrize("status", ["csYes", "csCancellation"])
def test_cancelled_documents_do_not_count(status: str):
    found = seen(Shelf(PurchaseInvoices=[ours(CancelStatus=status)]))
    assert found == Sightings()


@pytest.mark.parametrize(
    ("status", "counts"),
    [("dasPending", True), ("dasApproved", True), (None, True), ("dasRejected", False), ("dasCancelled", False)],
)
def test_drafts_count_while_they_wait_for_approval(status: str | None, counts: bool):
    draft = ours(AuthorizationStatus=status, DocObjectCode="oPurchaseInvoices")
    assert bool(seen(Shelf(Drafts=[draft])).marked) is counts


def test_a_draft_that_became_a_document_is_closed_and_gone():
    draft = ours(AuthorizationStatus="dasGenerated", DocumentStatus="bost_Close", DocObjectCode="oPurchaseInvoices")
    assert look_up_marks(Shelf(Drafts=[draft]), INVOICE_ID, terms()) == ()


# Rule 2


@pytest.mark.parametrize("number", ["INV-1187", "inv-1187", "INV-1187 "])
def test_vendor_and_number_are_found_however_they_are_written(number: str):
    found = seen(Shelf(PurchaseInvoices=[in_sap(NumAtCard=number)]))
    assert [one.why for one in found.same_number] == ["number"]


def test_a_number_that_merely_begins_alike_is_not_the_same():
    assert seen(Shelf(PurchaseInvoices=[in_sap(NumAtCard="INV-11870")])) == Sightings()


def test_the_query_ignores_case_and_asks_each_set_once():
    shelf = Shelf()
    seen(shelf)
    assert [(name, folded) for name, _, folded in shelf.asked] == [
        ("PurchaseInvoices", True),
        ("PurchaseCreditNotes", True),
        ("Drafts", True),
    ]


def test_an_apostrophe_in_the_number_does_not_break_the_query():
    source = document(invoiceNumber="O'Neil & Co 5%")
    assert seen(Shelf(PurchaseInvoices=[in_sap(NumAtCard="o'neil & co 5%")]), source).same_number


def test_a_credit_note_is_looked_for_among_credit_notes():
    shelf = Shelf(PurchaseInvoices=[in_sap()], PurchaseCreditNotes=[in_sap(DocEntry=5)])
    assert [one.entry for one in seen(shelf, negated(document())).same_number] == [5]


def test_open_drafts_and_down_payments_with_the_number_count():
    draft = in_sap(AuthorizationStatus="dasWithout", DocObjectCode="oPurchaseInvoices", DocEntry=8)
    other = in_sap(AuthorizationStatus="dasWithout", DocObjectCode="oPurchaseCreditNotes", DocEntry=9)
    found = seen(Shelf(Drafts=[draft, other]), down_payments=[in_sap(DocEntry=10), in_sap(NumAtCard="x")])
    assert [(one.entity_set, one.entry) for one in found.same_number] == [("Drafts", 8), ("PurchaseDownPayments", 10)]


def test_a_person_is_told_number_and_date():
    (found,) = seen(Shelf(PurchaseInvoices=[in_sap()])).same_number
    assert found.describe() == "DocNum 10457 of 2026-11-19"


# Rule 3


def test_the_same_number_and_sum_under_another_vendor_is_a_lookalike():
    found = seen(Shelf(PurchaseInvoices=[in_sap(CardCode="V999")]))
    assert (len(found.elsewhere), found.same_number, found.marked) == (1, (), ())


@pytest.mark.parametrize(
    "changed",
    [{"DocTotal": Decimal("125.51")}, {"DocCurrency": "$"}, {"DocDate": "2025-11-01"}, {"NumAtCard": "INV-11870"}],
)
def test_a_lookalike_has_the_same_sum_currency_and_number_within_a_year(changed: dict[str, Any]):
    assert seen(Shelf(PurchaseInvoices=[in_sap(CardCode="V999", **changed)])) == Sightings()


def test_withholding_hides_no_lookalike():
    held_back = in_sap(CardCode="V999", DocTotal=Decimal("115.50"), WTAmount=Decimal("10.00"))
    assert seen(Shelf(PurchaseInvoices=[held_back])).elsewhere


# Is it the invoice as it is now?


def sighting(found: dict[str, Any], where: str = "PurchaseInvoices") -> Sighting:
    return Sighting(where, found, "mark")


def test_the_document_that_the_invoice_becomes_is_the_same():
    assert content_differences(sighting(in_sap()), invoice(), terms()) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"CardCode": "V999"}, "vendor V999 in SAP"),
        ({"DocCurrency": "$"}, "currency $ in SAP"),
        ({"DocTotal": Decimal("126.00")}, "gross 126.00 in SAP, 125.50 on the invoice"),
        ({"VatSum": Decimal("26.00")}, "tax 26.00 in SAP"),
    ],
)
def test_another_vendor_currency_or_sum_is_a_difference(changed: dict[str, Any], words: str):
    assert words in "; ".join(content_differences(sighting(in_sap(**changed)), invoice(), terms()))


def test_another_coding_is_a_difference():
    found = in_sap()
    found["DocumentLines"][0]["AccountCode"] = "6002"
    text = "; ".join(content_differences(sighting(found), invoice(), terms()))
    assert "account 6701" in text
    assert "account 6002" in text


def test_an_invoice_found_as_credit_note_is_a_difference():
    assert content_differences(sighting(in_sap(), "PurchaseCreditNotes"), invoice(), terms())


def test_a_row_split_over_receipts_is_the_same_content():
    source = document([order_row(quantity="8", net="100.00")])
    receipts = [base(20, doc_entry=number, quantity=Decimal(4)) for number in (1, 2)]
    made = plan(source, with_order(base(), *receipts))
    assert len(made.line_nets) == 2
    assert content_differences(sighting(posted(made)), invoice(source), terms()) == []


def test_freight_counts_as_lines():
    asked = terms(lookups={"charges": {"6400": "1"}})
    source = document([order_row(), row(2, "15.00", accountCode="6400")])
    made = plan(source, with_order(base()), asked)
    assert content_differences(sighting(posted(made)), invoice(source), asked) == []


# Ours after all


def test_created_since_our_unanswered_attempt_with_the_same_content_is_ours():
    assert is_ours_after_all(sighting(in_sap()), invoice(), terms(), date(2026, 11, 20))


@pytest.mark.parametrize(
    ("changed", "since"),
    [
        ({"CreationDate": "2026-11-18"}, date(2026, 11, 20)),
        ({"TaxDate": "2026-11-17"}, date(2026, 11, 20)),
        ({"DocTotal": Decimal("999.00")}, date(2026, 11, 20)),
        ({"CreationDate": None}, date(2026, 11, 20)),
        ({}, None),
    ],
)
def test_anything_else_found_is_somebody_else_s(changed: dict[str, Any], since: date | None):
    assert not is_ours_after_all(sighting(in_sap(**changed)), invoice(), terms(), since)


def test_a_draft_is_never_ours_after_all():
    assert not is_ours_after_all(sighting(in_sap(), "Drafts"), invoice(), terms(), date(2026, 11, 20))


@pytest.mark.parametrize(
    ("held", "is_open"),
    [
        ({"PaidToDate": Decimal(10), "DownPaymentStatus": "so_Open"}, True),
        ({"PaidToDate": Decimal(10)}, True),
        ({"PaidToDateFC": Decimal(10)}, True),
        ({"PaidToDate": Decimal(10), "DownPaymentStatus": "so_Closed"}, False),
        ({"PaidToDate": Decimal(0), "DownPaymentStatus": "so_Open"}, False),
    ],
)
def test_a_down_payment_is_open_when_paid_and_not_drawn(held: dict[str, Any], is_open: bool):
    assert is_down_payment_open(held) is is_open
