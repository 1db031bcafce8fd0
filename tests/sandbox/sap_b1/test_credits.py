"""Credit notes on invoices, vendor's numbers, and what may be changed after posting (contracts: SAP §8.4, §8.5)."""

from __future__ import annotations

import pytest

from tests.sandbox.sap_b1.conftest import error_of

INVOICES = "PurchaseInvoices"


def credit_of(invoices, *lines, **header):
    made = [{"BaseType": 18, "BaseEntry": invoices[place]["DocEntry"], "BaseLine": line} for place, line in lines]
    first = invoices[0]
    body = {"CardCode": first["CardCode"], "DocType": "dDocument_Service", "DocCurrency": first["DocCurrency"]}
    return body | {"NumAtCard": "CR", "DocumentLines": made} | header


def paid(client, invoice):
    now = client.read(f"{INVOICES}({invoice['DocEntry']})")
    return now["PaidToDate"], now["PaidToDateFC"], now["DocumentStatus"]


def test_a_credit_note_for_one_line_settles_that_line_with_its_tax(client, service_invoice):
    made = client.post(INVOICES, service_invoice).json()
    credit = client.post("PurchaseCreditNotes", credit_of([made], (0, 1))).json()
    assert credit["DocTotal"] == 22.0
    assert paid(client, made) == (22.0, 0.0, "bost_Open")
    now = client.read(f"{INVOICES}({made['DocEntry']})")["DocumentLines"]
    assert [line["LineStatus"] for line in now] == ["bost_Open", "bost_Close"]


def test_one_credit_note_settles_each_of_its_invoices_with_its_own_lines(client, service_invoice):
    invoices = [client.post(INVOICES, service_invoice).json() for _ in range(2)]
    smaller = [service_invoice["DocumentLines"][1] | {"LineTotal": 50}]
    invoices.append(client.post(INVOICES, service_invoice | {"DocumentLines": smaller}).json())
    body = credit_of(invoices, (2, 0), (0, 0), (1, 1))
    assert client.post("PurchaseCreditNotes", body).status_code == 201
    assert [paid(client, each)[0] for each in invoices] == [125.63, 22.0, 55.0]
    assert paid(client, invoices[2])[2] == "bost_Close"


def test_a_foreign_invoice_is_settled_in_both_currencies(client, service_invoice):
    lines = [{"AccountCode": "6701", "UnitPrice": 200, "Currency": "$", "VatGroup": "I10"}]
    header = {"CardCode": "V10008", "DocCurrency": "$", "DocumentLines": lines}
    made = client.post(INVOICES, service_invoice | header).json()
    credit = client.post("PurchaseCreditNotes", credit_of([made], (0, 0))).json()
    assert paid(client, made) == (202.4, 220.0, "bost_Close")
    assert client.post(f"PurchaseCreditNotes({credit['DocEntry']})/Cancel").status_code == 204
    assert paid(client, made) == (0.0, 0.0, "bost_Open")


def test_a_paid_invoice_is_no_base_although_its_lines_look_open(client, sap, service_invoice):
    made = client.post(INVOICES, service_invoice).json()
    sap.payments.pay(sap.company.collection(INVOICES)[made["DocEntry"]])
    line = client.read(f"{INVOICES}({made['DocEntry']})")["DocumentLines"][0]
    assert (line["LineStatus"], line["OpenAmount"]) == ("bost_Open", 100.1)
    refused = error_of(client.post("PurchaseCreditNotes", credit_of([made], (0, 0))))
    assert refused[1:] == (
        "-10",
        "One of the base documents has already been closed  [DocumentLines.BaseEntry][line: 0]",
    )


def test_an_unlinked_credit_note_settles_nothing(client, service_invoice):
    made = client.post(INVOICES, service_invoice).json()
    body = service_invoice | {"NumAtCard": "CR-9", "OriginalRefNo": "A-1"}
    credit = client.post("PurchaseCreditNotes", body).json()
    assert (credit["DocTotal"], credit["OriginalRefNo"]) == (147.63, "A-1")
    assert paid(client, made)[0] == 0.0
    assert error_of(client.call("DELETE", f"PurchaseCreditNotes({credit['DocEntry']})"))[1] == "-5006"


def test_numbers_of_credit_notes_and_invoices_are_checked_apart(client, sap, service_invoice):
    sap.company.change_settings(duplicate_block=True)
    assert client.post(INVOICES, service_invoice).status_code == 201
    assert client.post("PurchaseCreditNotes", service_invoice).status_code == 201
    for name in (INVOICES, "PurchaseCreditNotes"):
        status, code, text = error_of(client.post(name, service_invoice))
        assert (status, code) == (400, "-10")
        assert "reference" in text
        assert "'A-1'" in text


def test_in_block_mode_other_vendors_and_cancelled_invoices_do_not_count(client, sap, service_invoice):
    sap.company.change_settings(duplicate_block=True)
    entry = client.post(INVOICES, service_invoice).json()["DocEntry"]
    assert client.post(INVOICES, service_invoice | {"CardCode": "V10005"}).status_code == 201
    assert error_of(client.post(INVOICES, service_invoice))[1] == "-10"
    assert client.post(f"{INVOICES}({entry})/Cancel").status_code == 204
    assert client.post(INVOICES, service_invoice).status_code == 201
    for _ in range(2):  # without a number there is nothing to compare
        assert client.post(INVOICES, service_invoice | {"NumAtCard": None}).status_code == 201


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"Comments": "x"}, True),
        ({"NumAtCard": "x"}, True),
        ({"DocDueDate": "2026-12-31"}, True),
        ({"PaymentBlock": "tYES"}, True),
        ({"AttachmentEntry": 7}, True),
        ({"U_BW_InvoiceId": "x"}, True),
        ({"DocumentLines": []}, False),
        ({"CardCode": "V10005"}, False),
        ({"DocTotal": 1}, False),
        ({"DocDate": "2026-05-04"}, False),
        ({"TaxDate": "2026-05-04"}, False),
        ({"DocCurrency": "$"}, False),
        ({"CancelStatus": "csYes"}, False),
        ({"Comments": "x", "VatSum": 1}, False),
    ],
)
def test_after_posting_only_these_fields_can_be_patched(client, service_invoice, changes, allowed):
    entry = client.post(INVOICES, service_invoice).json()["DocEntry"]
    before = client.read(f"{INVOICES}({entry})")
    answer = client.call("PATCH", f"{INVOICES}({entry})", changes)
    after = client.read(f"{INVOICES}({entry})")
    assert answer.status_code == (204 if allowed else 400)
    if allowed:
        shown = {name: value[:10] if name == "DocDueDate" else value for name, value in after.items()}
        assert {name: shown[name] for name in changes} == changes
    else:
        assert after == before
