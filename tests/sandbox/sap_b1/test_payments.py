"""Outgoing payments (contracts: SAP §8.6, §11 point 9)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.sap_b1.conftest import error_of


@pytest.fixture
def invoice(client, service_invoice):
    return client.post("PurchaseInvoices", service_invoice).json()


def payment(invoice, amount, **changed):
    applied = {"DocEntry": invoice["DocEntry"], "InvoiceType": "it_PurchaseInvoice", "SumApplied": amount}
    return {
        "DocType": "rSupplier",
        "CardCode": invoice["CardCode"],
        "TransferAccount": "1902",
        "TransferSum": amount,
        "PaymentInvoices": [applied | changed],
    }


def status(client, invoice):
    now = client.read(f"PurchaseInvoices({invoice['DocEntry']})")
    return now["PaidToDate"], now["DocumentStatus"]


def test_payments_raise_what_is_paid_and_close_at_nothing_open(client, invoice):
    first = client.post("VendorPayments", payment(invoice, 100)).json()
    assert status(client, invoice) == (100.0, "bost_Open")
    assert (first["CancelStatus"], first["PaymentInvoices"][0]["InstallmentId"]) == ("csNo", 1)
    assert "@odata.etag" not in first
    assert client.post("VendorPayments", payment(invoice, 47.63)).status_code == 201
    assert status(client, invoice) == (147.63, "bost_Close")


def test_no_more_than_is_open_can_be_paid(client, invoice):
    assert "exceeds" in error_of(client.post("VendorPayments", payment(invoice, 147.64)))[2]


def test_cancelling_flips_the_old_record_and_opens_the_invoice_again(client, invoice):
    made = client.post("VendorPayments", payment(invoice, 147.63)).json()
    assert client.post(f"VendorPayments({made['DocEntry']})/Cancel").status_code == 204
    now = client.read(f"VendorPayments({made['DocEntry']})")
    assert (now["CancelStatus"], now["Cancelled"]) == ("csYes", "tYES")
    assert status(client, invoice) == (0.0, "bost_Open")
    assert len(client.rows("VendorPayments")) == 1
    assert error_of(client.post(f"VendorPayments({made['DocEntry']})/Cancel"))[1] == "-5002"


def test_a_mirror_payment_appears_where_the_setting_says_so(client, sap, invoice):
    sap.company.change_settings(payment_mirrors=True)
    made = client.post("VendorPayments", payment(invoice, 10)).json()
    client.post(f"VendorPayments({made['DocEntry']})/CancelbyCurrentSystemDate")
    assert [row["CancelStatus"] for row in client.rows("VendorPayments?$orderby=DocEntry")] == [
        "csYes",
        "csCancellation",
    ]


def test_a_paid_invoice_cannot_be_cancelled(client, invoice):
    client.post("VendorPayments", payment(invoice, 10))
    assert error_of(client.post(f"PurchaseInvoices({invoice['DocEntry']})/Cancel"))[1] == "-5002"


def test_cash_discount_settles_with_the_payment(client, invoice):
    client.post("VendorPayments", payment(invoice, 144.68, TotalDiscount=2.95))
    assert status(client, invoice) == (147.63, "bost_Close")


def test_foreign_invoices_are_paid_in_their_currency(client, service_invoice):
    lines = [{"AccountCode": "6701", "UnitPrice": 200, "Currency": "$", "VatGroup": "I0"}]
    body = service_invoice | {"CardCode": "V10008", "DocCurrency": "$", "DocumentLines": lines}
    foreign = client.post("PurchaseInvoices", body).json()
    made = client.post("VendorPayments", payment(foreign, 46, AppliedFC=50, SumApplied=None)).json()
    assert made["PaymentInvoices"][0]["SumApplied"] == 46.0
    now = client.read(f"PurchaseInvoices({foreign['DocEntry']})")
    assert (now["PaidToDate"], now["PaidToDateFC"]) == (46.0, 50.0)


def test_bad_payments_are_refused(client, invoice):
    assert error_of(client.post("VendorPayments", {"PaymentInvoices": []}))[1] == "-5002"
    other = payment(invoice, 1) | {"CardCode": "V10005"}
    assert "PaymentInvoices.DocEntry" in error_of(client.post("VendorPayments", other))[2]


def test_lines_of_other_documents_settle_nothing_here(client, invoice):
    made = client.post("VendorPayments", payment(invoice, 5, InvoiceType="it_JournalEntry")).json()
    assert made["PaymentInvoices"][0]["InvoiceType"] == "it_JournalEntry"
    assert status(client, invoice) == (0.0, "bost_Open")


@pytest.fixture
def posted(client, service_invoice):
    """Nine invoices from Basware, one of them under payment block, and one by hand."""
    for number in range(9):
        body = service_invoice | {"NumAtCard": f"N-{number}", "U_BW_InvoiceId": f"id{number}", "PaymentGroupCode": 9}
        client.post("PurchaseInvoices", body | {"PaymentBlock": "tYES" if number == 8 else "tNO"})
    client.post("PurchaseInvoices", service_invoice | {"U_BW_InvoiceId": None, "Comments": "by hand"})


def test_a_pay_run_pays_a_third_in_every_way(client, sap, posted):
    made = sap.payments.pay_run()
    assert [entry["CancelStatus"] for entry in made] == ["csNo", "csNo", "csYes"]
    invoices = {row["NumAtCard"]: row for row in client.rows("PurchaseInvoices?$filter=startswith(NumAtCard,'N-')")}
    assert (invoices["N-0"]["PaidToDate"], invoices["N-0"]["DocumentStatus"]) == (147.63, "bost_Close")
    assert made[0]["PaymentInvoices"][0]["TotalDiscount"] == Decimal("2.95")
    assert (invoices["N-3"]["PaidToDate"], invoices["N-3"]["DocumentStatus"]) == (59.05, "bost_Open")
    assert (invoices["N-6"]["PaidToDate"], invoices["N-6"]["DocumentStatus"]) == (0.0, "bost_Open")


def test_a_second_pay_run_pays_nothing_again(sap, posted):
    assert len(sap.payments.pay_run()) == 3
    assert sap.payments.pay_run() == []
