"""Both real sandboxes and small books: what people do behind our back, and what the report makes of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connecting import save_connection
from syncengine.engine.connections import NotConfigured
from syncengine.models import PostedDocument
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.payments import PaymentOutcome
from tests import factories
from tests.reconciliation.books import Books, day_of, make_books

FIELD = "U_BW_InvoiceId"
CREDIT_NOTE, FOREIGN = 8, 9


@pytest.fixture
def fielded(world) -> Books:
    """The same books with the mark in a user-defined field."""
    address = world.sandboxes.addresses["sap_b1"] | {"user_defined_id_field": FIELD}
    save_connection(world.integration, "sap_b1", address, "admin@nordic-paper.example.com")
    return make_books(world, FIELD)


def test_books_that_agree_are_clean(books):
    report = books.report()
    assert report.is_clean
    assert {row.invoice_id for row in report.rows} == {one["invoiceId"] for one in books.invoices}
    assert all(len(row.documents) == 1 and row.detail == "" for row in report.rows)
    assert report.payments == []


def test_totals_count_by_outcome_and_add_up_by_currency(books):
    books.drop(0)
    tallies = {one.outcome: one for one in books.report().totals}
    wanted = Decimal(str(books.invoices[0]["grossSum"]))
    assert (tallies[Outcome.MISSING].count, tallies[Outcome.MISSING].amounts) == (1, {"EUR": wanted})
    posted = tallies[Outcome.POSTED_ONCE]
    foreign = books.invoices[FOREIGN]
    assert posted.count == 9
    assert posted.amounts[foreign["currencyCode"]] == Decimal(str(foreign["grossSum"]))
    assert tallies[Outcome.DUPLICATE].count == 0


def test_dropped_doubled_and_altered_are_named(books):
    books.drop(1)
    double = books.double(2)
    books.change(3, DocTotal=str(Decimal(str(books.document(3)["DocTotal"])) + 1))
    books.change(FOREIGN, DocTotalFc="1.00")
    assert books.wanting() == {
        books.id(1): Outcome.MISSING,
        books.id(2): Outcome.DUPLICATE,
        books.id(3): Outcome.TOTALS_DIFFER,
        books.id(FOREIGN): Outcome.TOTALS_DIFFER,
    }
    assert str(double["DocNum"]) in books.detail(2)


def test_a_double_far_beyond_the_period_is_still_a_double(books):
    later = day_of(books.invoices[4]) + timedelta(days=400)
    books.double(4, DocDate=later.isoformat())
    day = day_of(books.invoices[4])
    rows = {row.invoice_id: row.outcome for row in books.report(day, day).rows}
    assert rows[books.id(4)] is Outcome.DUPLICATE


def test_a_double_entered_by_hand_without_our_mark_is_one_too(books):
    books.double(5, Comments="second copy", NumAtCard=f" {books.document(5)['NumAtCard'].lower()} ")
    assert books.wanting() == {books.id(5): Outcome.DUPLICATE}
    assert "without our mark" in books.detail(5)


def test_a_cancelled_document_and_its_mirror_do_not_count(books):
    books.world.tell("/sap/documents/cancel", set="PurchaseCreditNotes", entry=books.document(CREDIT_NOTE)["DocEntry"])
    assert books.wanting() == {books.id(CREDIT_NOTE): Outcome.MISSING}
    assert "cancelled there: credit note" in books.detail(CREDIT_NOTE)


def test_a_document_posted_long_before_the_period_is_found_by_its_mark(books):
    books.change(6, DocDate="2001-05-04")
    day = day_of(books.invoices[6])
    rows = {row.invoice_id: row.outcome for row in books.report(day, day).rows}
    assert rows[books.id(6)] is Outcome.POSTED_ONCE


def test_the_user_defined_field_is_the_mark_whatever_people_wrote_in_comments(fielded):
    fielded.change(0, Comments="checked by Anna")
    fielded.change(1, Comments="checked by Anna", DocDate="2001-05-04")
    fielded.double(2, Comments="")
    assert fielded.wanting() == {fielded.id(2): Outcome.DUPLICATE}
    day = day_of(fielded.invoices[1])
    rows = {row.invoice_id: row.outcome for row in fielded.report(day, day).rows}
    assert rows[fielded.id(1)] is Outcome.POSTED_ONCE


def test_words_around_the_mark_do_no_harm(books):
    books.change(0, Comments=f"Seen by Anna. Basware {books.id(0)}, all well")
    assert books.wanting() == {}


def test_without_mark_and_link_the_voucher_number_that_basware_shows_decides(books):
    books.change(0, Comments="somebody wrote over it")
    books.change(1, Comments="somebody wrote over it")
    books.tell_basware(1, voucherNumber1="1")
    assert books.wanting() == {books.id(1): Outcome.MISSING}
    assert "without our mark" in books.detail(1)


def test_a_document_that_a_person_adopted_is_found_through_our_books(books):
    document = books.document(0)
    books.change(0, Comments="entered by hand", NumAtCard="another number", DocDate="2001-05-04")
    assert books.wanting() == {books.id(0): Outcome.MISSING}
    record = factories.invoice(books.world.integration, key=books.id(0), status="done")
    PostedDocument.objects.create(
        integration=books.world.integration,
        record=record,
        company="sandbox",
        entity_set="PurchaseInvoices",
        doc_entry=document["DocEntry"],
        doc_num=document["DocNum"],
        invoice_id=books.id(0),
        adopted=True,
    )
    assert books.wanting() == {}


def test_in_sap_and_not_confirmed(books):
    factories.invoice(books.world.integration, key=books.id(0), status="failed", error_message="Basware said no.")
    books.move(0, "TransferInProgress")
    books.move(1, "TransferFailed")
    assert books.wanting() == {books.id(0): Outcome.NOT_CONFIRMED, books.id(1): Outcome.NOT_CONFIRMED}
    assert books.detail(0).endswith("TransferInProgress in Basware: Basware said no.")


def test_not_in_sap_because_a_person_is_needed(books):
    factories.invoice(books.world.integration, key=books.id(0), status="failed", error_message="vendor is frozen")
    for position, status in enumerate(("TransferInProgress", "TransferFailed", "WaitingForTransfer")):
        books.drop(position)
        books.move(position, status)
    assert books.wanting() == {
        books.id(0): Outcome.FAILED, books.id(1): Outcome.FAILED, books.id(2): Outcome.MISSING
    }  # fmt: skip
    assert books.detail(0).endswith("vendor is frozen")
    assert books.detail(2).endswith("no record of it here")


def test_what_sap_holds_without_an_approval_is_named_with_its_status(books):
    books.move(0, "Removed")
    unknown = uuid.uuid4().hex
    books.double(1, Comments=f"Basware {unknown}\rby hand", NumAtCard="INVENTED-1")
    assert books.wanting() == {books.id(0): Outcome.NOT_APPROVED, unknown: Outcome.NOT_APPROVED}
    assert books.detail(0).endswith("it is Removed in Basware")
    detail = next(row.detail for row in books.report().rows if row.invoice_id == unknown)
    assert detail.endswith("Basware does not know that invoice")


def test_a_period_takes_the_invoices_whose_voucher_lies_in_it_and_blames_no_other(books):
    day = day_of(books.invoices[0])
    rows = books.report(day, day).rows
    inside = {one["invoiceId"] for one in books.invoices if day_of(one) == day}
    assert {row.invoice_id for row in rows} == inside
    assert {row.outcome for row in rows} == {Outcome.POSTED_ONCE}
    assert books.report(day - timedelta(days=3000), day - timedelta(days=2999)).rows == []


def test_an_invoice_of_another_company_is_not_ours(books):
    books.tell_basware(0, companyCode="2000")
    books.drop(0)
    assert books.wanting() == {}


class TestPayments:
    """What Basware was told against what SAP shows as paid."""

    def outcomes(self, books):
        return {row.invoice_id: row.outcome for row in books.report().payments}

    def told(self, books, position, *totals):
        answers = [{"externalCode": f"P{n}", "success": True, "paidTotal": total} for n, total in enumerate(totals)]
        books.tell_basware(position, paymentResponses=answers)

    def pay(self, books, position, **how):
        return books.world.tell("/sap/payments", entry=books.document(position)["DocEntry"], **how)

    def test_each_way_to_differ_has_its_name(self, books):
        gross = [Decimal(str(one["grossSum"])) for one in books.invoices]
        self.pay(books, 0)
        self.told(books, 0, "1.00", str(gross[0]))
        self.pay(books, 1)
        self.told(books, 2, "50.00")
        books.world.tell("/sap/reconcile", entry=books.document(3)["DocEntry"], amount="10.00")
        assert self.outcomes(books) == {
            books.id(0): PaymentOutcome.CONFIRMED,
            books.id(1): PaymentOutcome.NOT_CONFIRMED,
            books.id(2): PaymentOutcome.TOO_MUCH_CONFIRMED,
            books.id(3): PaymentOutcome.SETTLED_BY_RECONCILIATION,
        }
        assert books.report().is_clean

    def test_a_cancelled_payment_that_basware_was_not_told_of_is_too_much(self, books):
        payment = self.pay(books, 0)
        self.told(books, 0, str(books.invoices[0]["grossSum"]))
        books.world.tell("/sap/payments/cancel", entry=payment["DocEntry"])
        assert self.outcomes(books) == {books.id(0): PaymentOutcome.TOO_MUCH_CONFIRMED}

    def test_only_payments_of_invoices_in_doubt_are_read(self, books):
        self.pay(books, 0)
        self.told(books, 0, str(books.invoices[0]["grossSum"]))
        books.world.quiet()
        assert self.outcomes(books) == {books.id(0): PaymentOutcome.CONFIRMED}
        assert books.world.calls("sap_b1", "GET", "/VendorPayments") == []


def test_one_look_costs_a_fixed_number_of_calls_and_queries(books):
    books.report()
    books.world.quiet()
    with CaptureQueriesContext(connection) as one:
        books.drop(0)
        books.report()
    few = (len(books.world.calls("sap_b1")), len(books.world.calls("basware")))
    for position in range(1, 8):
        books.drop(position)
    books.world.quiet()
    with CaptureQueriesContext(connection) as many:
        books.report()
    assert (len(books.world.calls("sap_b1")), len(books.world.calls("basware"))) == few
    assert len(many) == len(one) <= 40
    assert max(few) <= 5


@pytest.mark.parametrize("system", ["sap_b1", "basware"])
def test_a_system_that_is_away_is_an_error_and_never_a_report(books, system):
    books.world.fault(system, "status", status=503, count=0)
    with pytest.raises(ConnectorError):
        books.report()


def test_a_connection_that_is_not_set_up_is_named(books):
    books.world.connection("basware").delete()
    with pytest.raises(NotConfigured, match="Basware"):
        books.report()
