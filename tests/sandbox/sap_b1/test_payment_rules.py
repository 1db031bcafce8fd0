"""Outgoing payments: what they settle, refuse and give back (contracts: SAP §8.4 status, §8.6, §11 point 9)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.sandbox.sap_b1.actions import SapActions
from syncengine.sandbox.sap_b1.payments import Payments, open_amount, open_amount_fc
from tests.sandbox.sap_b1.conftest import error_of
from tests.sandbox.sap_b1.test_totals import COMPANY, DOCUMENTS, built


def pay(*lines, means=None, **header):
    """A payment by transfer over lines of (invoice, what is applied)."""
    applied = [{"DocEntry": invoice["DocEntry"], "InvoiceType": "it_PurchaseInvoice"} | more for invoice, more in lines]
    total = sum(line.get("SumApplied", 0) for line in applied) if means is None else means
    body = {"DocType": "rSupplier", "CardCode": lines[0][0]["CardCode"], "TransferAccount": "1902"}
    return body | {"TransferSum": total, "PaymentInvoices": applied} | header


@pytest.fixture
def invoice(client, service_invoice):
    return client.post("PurchaseInvoices", service_invoice).json()


@pytest.fixture
def foreign(client, service_invoice):
    lines = [{"AccountCode": "6701", "UnitPrice": 33.33, "Currency": "SKR", "VatGroup": "I0"}]
    body = service_invoice | {"CardCode": "V10006", "DocCurrency": "SKR", "DocumentLines": lines}
    return client.post("PurchaseInvoices", body).json()


def status(client, invoice):
    now = client.read(f"PurchaseInvoices({invoice['DocEntry']})")
    return now["PaidToDate"], now["PaidToDateFC"], now["DocumentStatus"]


def test_a_payment_comes_back_as_in_the_contract(client, invoice):
    answer = client.post("VendorPayments", pay((invoice, {"SumApplied": 147.63}), TransferReference="RF18 5390"))
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/VendorPayments({made['DocEntry']})")
    assert "ETag" not in answer.headers
    expected = {
        "DocType": "rSupplier",
        "CardCode": "V10004",
        "DocCurrency": "EUR",
        "TransferSum": 147.63,
        "CashSum": 0.0,
        "Cancelled": "tNO",
        "CancelStatus": "csNo",
        "AuthorizationStatus": "pasWithout",
        "PaymentChecks": [],
    }
    assert {name: made[name] for name in expected} == expected
    line = made["PaymentInvoices"][0]
    assert (line["SumApplied"], line["AppliedFC"], line["AppliedSys"]) == (147.63, 0.0, 147.63)
    assert (line["LineNum"], line["InstallmentId"], line["DocNum"]) == (0, 1, made["DocEntry"])


@pytest.mark.parametrize("name", ["DocTotal", "CreateDate", "UpdateDate", "UpdateTime", "DataVersion"])
def test_a_payment_has_neither_total_nor_stamps(client, invoice, name):
    client.post("VendorPayments", pay((invoice, {"SumApplied": 1})))
    assert name not in client.rows("VendorPayments")[0]
    assert error_of(client.get(f"VendorPayments?$select={name}"))[1] == "201"


def test_partial_payments_close_the_invoice_with_the_last_cent(client, invoice):
    for amount, expected in ((100, "bost_Open"), (47.62, "bost_Open"), (0.01, "bost_Close")):
        assert client.post("VendorPayments", pay((invoice, {"SumApplied": amount}))).status_code == 201
        assert status(client, invoice)[2] == expected
    assert status(client, invoice)[0] == 147.63


def test_without_an_amount_all_that_is_open_is_paid(client, invoice):
    client.post("VendorPayments", pay((invoice, {"SumApplied": 47.63})))
    made = client.post("VendorPayments", pay((invoice, {}), means=100)).json()
    assert made["PaymentInvoices"][0]["SumApplied"] == 100.0
    assert status(client, invoice)[2] == "bost_Close"


def test_no_more_than_is_open_can_be_applied_by_one_line_or_by_several(client, invoice):
    for lines in ([147.64], [100, 47.64], [147.63, 0.01]):
        body = pay(*((invoice, {"SumApplied": amount, "InstallmentId": n}) for n, amount in enumerate(lines, start=1)))
        status_code, code, text = error_of(client.post("VendorPayments", body))
        assert (status_code, code) == (400, "-5002")
        assert f"[line: {len(lines) - 1}]" in text
    assert status(client, invoice) == (0.0, 0.0, "bost_Open")
    assert client.rows("VendorPayments") == []


def test_one_payment_settles_instalments_and_several_invoices(client, invoice, service_invoice):
    second = client.post("PurchaseInvoices", service_invoice | {"NumAtCard": "A-2"}).json()
    lines = [(invoice, {"SumApplied": 50, "InstallmentId": 1}), (invoice, {"SumApplied": 97.63, "InstallmentId": 2})]
    made = client.post("VendorPayments", pay(*lines, (second, {"SumApplied": 10}))).json()
    assert [line["InstallmentId"] for line in made["PaymentInvoices"]] == [1, 2, 1]
    assert status(client, invoice) == (147.63, 0.0, "bost_Close")
    assert status(client, second) == (10.0, 0.0, "bost_Open")


@pytest.mark.parametrize(
    ("means", "ok"),
    [
        ({"TransferSum": 100}, True),
        ({"TransferSum": 99.99}, False),
        ({"TransferSum": 0}, False),
        ({"TransferSum": 60, "CashSum": 40}, True),
        ({"TransferSum": 0, "PaymentChecks": [{"CheckSum": 70}, {"CheckSum": 30}]}, True),
        ({"TransferSum": 0, "PaymentCreditCards": [{"CreditSum": 100}]}, True),
        ({"TransferSum": 0, "BillOfExchangeAmount": 100}, True),
        ({"TransferSum": 150}, True),  # the rest becomes a payment on account
    ],
)
def test_the_means_of_payment_must_cover_what_is_applied(client, invoice, means, ok):
    answer = client.post("VendorPayments", pay((invoice, {"SumApplied": 100})) | means)
    assert answer.ok == ok, answer.text
    assert status(client, invoice)[0] == (100.0 if ok else 0.0)


def test_a_payment_on_account_settles_no_invoice(client, invoice):
    body = {"CardCode": "V10004", "TransferAccount": "1902", "TransferSum": 500}
    made = client.post("VendorPayments", body).json()
    assert (made["PaymentInvoices"], made["TransferSum"]) == ([], 500.0)
    assert status(client, invoice)[0] == 0.0


def test_a_cash_discount_counts_as_settled(client, invoice):
    lines = (invoice, {"SumApplied": 144.68, "TotalDiscount": 2.95})
    made = client.post("VendorPayments", pay(lines)).json()
    assert made["PaymentInvoices"][0]["TotalDiscount"] == 2.95
    assert status(client, invoice) == (147.63, 0.0, "bost_Close")
    too_much = pay((invoice, {"SumApplied": 144.68, "TotalDiscount": 2.96}))
    client.post(f"VendorPayments({made['DocEntry']})/Cancel")
    assert "exceeds" in error_of(client.post("VendorPayments", too_much))[2]


def test_a_foreign_invoice_closes_without_a_cent_left_in_either_currency(client, foreign):
    assert (foreign["DocTotalFc"], foreign["DocTotal"]) == (33.33, 2.92)
    for applied in (11.11, 11.11, 11.11):
        body = pay((foreign, {"AppliedFC": applied}), means=0, DocCurrency="SKR")
        assert client.post("VendorPayments", body).status_code == 201
    assert status(client, foreign) == (2.92, 33.33, "bost_Close")


def test_a_foreign_invoice_may_be_paid_by_its_local_amount_or_as_a_whole(client, foreign):
    half = client.post("VendorPayments", pay((foreign, {"SumApplied": 1.75}), DocCurrency="SKR")).json()
    assert half["PaymentInvoices"][0]["AppliedFC"] == 20.0
    rest = client.post("VendorPayments", pay((foreign, {}), means=2, DocCurrency="SKR")).json()
    assert (rest["PaymentInvoices"][0]["AppliedFC"], rest["PaymentInvoices"][0]["SumApplied"]) == (13.33, 1.17)
    assert status(client, foreign)[2] == "bost_Close"


@pytest.mark.parametrize("action", ["Cancel", "CancelbyCurrentSystemDate"])
def test_a_cancelled_payment_opens_its_invoices_again(client, foreign, invoice, action):
    for document, more in ((invoice, {}), (foreign, {"DocCurrency": "SKR"})):
        made = client.post("VendorPayments", pay((document, {}), means=500, **more)).json()
        assert status(client, document)[2] == "bost_Close"
        answer = client.post(f"VendorPayments({made['DocEntry']})/{action}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert status(client, document) == (0.0, 0.0, "bost_Open")
        now = client.read(f"VendorPayments({made['DocEntry']})")
        assert (now["Cancelled"], now["CancelStatus"]) == ("tYES", "csYes")
        assert now["PaymentInvoices"] == made["PaymentInvoices"]


def test_a_payment_is_cancelled_once(client, invoice):
    entry = client.post("VendorPayments", pay((invoice, {"SumApplied": 10}))).json()["DocEntry"]
    client.post(f"VendorPayments({entry})/Cancel")
    assert error_of(client.post(f"VendorPayments({entry})/Cancel"))[:2] == (400, "-5002")
    assert status(client, invoice)[0] == 0.0
    assert error_of(client.post("VendorPayments(999)/Cancel"))[:2] == (404, "-2028")
    assert error_of(client.call("DELETE", f"VendorPayments({entry})"))[1] == "-5006"


def test_of_two_payments_cancelling_one_leaves_the_other(client, invoice):
    first = client.post("VendorPayments", pay((invoice, {"SumApplied": 100}))).json()
    client.post("VendorPayments", pay((invoice, {"SumApplied": 47.63})))
    client.post(f"VendorPayments({first['DocEntry']})/Cancel")
    assert status(client, invoice) == (47.63, 0.0, "bost_Open")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CardCode": None}, "[OVPM.CardCode]"),
        ({"CardCode": "V999"}, "[OVPM.CardCode]"),
        ({"CardCode": "V10005"}, "[PaymentInvoices.DocEntry][line: 0]"),
        ({"DocDate": "2001-01-01"}, "[OPCH.DocDate]"),
    ],
)
def test_payments_that_are_refused(client, invoice, changes, words):
    status_code, code, text = error_of(client.post("VendorPayments", pay((invoice, {"SumApplied": 1})) | changes))
    assert (status_code, code) == (400, "-5002")
    assert words in text


def test_neither_a_cancelled_invoice_nor_its_mirror_can_be_paid(client, invoice):
    client.post(f"PurchaseInvoices({invoice['DocEntry']})/Cancel")
    for entry in (invoice["DocEntry"], invoice["DocEntry"] + 1):
        refused = client.post("VendorPayments", pay((invoice | {"DocEntry": entry}, {"SumApplied": 1})))
        assert "[PaymentInvoices.DocEntry]" in error_of(refused)[2]


def test_an_entry_of_another_kind_is_another_document(client, invoice):
    for kind in ("it_JournalEntry", "it_PurchaseDownPayment", "it_PurchaseCreditNote"):
        body = pay((invoice, {"SumApplied": 5, "InvoiceType": kind}))
        assert client.post("VendorPayments", body).json()["PaymentInvoices"][0]["InvoiceType"] == kind
    assert status(client, invoice)[0] == 0.0


def test_new_payments_are_found_by_their_key_and_old_ones_by_their_day(client, invoice, today):
    entries = [client.post("VendorPayments", pay((invoice, {"SumApplied": 1}))).json()["DocEntry"] for _ in range(3)]
    found = client.rows(f"VendorPayments?$select=DocEntry&$filter=DocEntry gt {entries[0]}&$orderby=DocEntry")
    assert [row["DocEntry"] for row in found] == entries[1:]
    day = client.rows(f"VendorPayments?$select=DocEntry&$filter=DocDate ge '{today.isoformat()}'")
    assert len(day) == 3


@settings(max_examples=150, deadline=None)
@given(
    st.decimals("0.05", "5000", places=2),
    st.sampled_from(["EUR", "$", "SKR", "GBP"]),
    st.lists(st.decimals("0.01", "0.99", places=2), max_size=4),
)
def test_whatever_parts_are_paid_the_last_one_closes_the_invoice_exactly(price, currency, shares):
    payments = Payments(COMPANY, DOCUMENTS)
    line = {"AccountCode": "6701", "UnitPrice": price, "Currency": currency, "VatGroup": "I255"}
    document = built([line], DocCurrency=currency)
    document |= {"DocEntry": 1, "DocNum": 1}
    COMPANY.collection("PurchaseInvoices").put(1, document)
    for share in [*shares, Decimal(1)]:
        payments.pay(document, share)
        assert 0 <= document["PaidToDate"] <= document["DocTotal"]
        assert (document["DocumentStatus"] == "bost_Close") == (open_amount(document) == open_amount_fc(document) == 0)
    assert (open_amount(document), open_amount_fc(document)) == (0, 0)


def test_what_is_settled_without_a_payment_closes_a_foreign_invoice_too(client, sap, foreign):
    actions = SapActions(sap)
    actions.reconcile({"entry": foreign["DocEntry"], "amount": "1.00"})
    assert status(client, foreign) == (1.0, 11.43, "bost_Open")
    actions.reconcile({"entry": foreign["DocEntry"], "amount": "1.92"})
    assert status(client, foreign) == (2.92, 33.33, "bost_Close")
    assert client.rows("VendorPayments") == []
