"""Invoices copied from orders and receipts (contracts: SAP §8.3-8.5, §11 points 8, 9)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.sap_b1.conftest import error_of

ORDERS, RECEIPTS, INVOICES = "PurchaseOrders", "PurchaseDeliveryNotes", "PurchaseInvoices"
TYPES = {ORDERS: 22, RECEIPTS: 20, INVOICES: 18}


def find(sap, name, test):
    documents = sap.company.collection(name).values()
    return next(document for document in documents if document["DocumentStatus"] == "bost_Open" and test(document))


def is_item(document):
    return document["DocType"] == "dDocument_Items" and document["DocCurrency"] == "EUR"


def single(document):
    return is_item(document) and len(document["DocumentLines"]) == 1


def is_service(quantity):
    return lambda document: (
        document["DocType"] == "dDocument_Service" and bool(document["DocumentLines"][0]["Quantity"]) == quantity
    )


def copied(name, base, *lines, **header):
    """A body on lines of a base, each (position, changes)."""
    made = [
        {"BaseType": TYPES[name], "BaseEntry": base["DocEntry"], "BaseLine": base["DocumentLines"][place]["LineNum"]}
        | changes
        for place, changes in lines or [(0, {})]
    ]
    body = {"CardCode": base["CardCode"], "DocType": base["DocType"], "DocCurrency": base["DocCurrency"]}
    return body | {"NumAtCard": "B-1", "DocumentLines": made} | header


@pytest.fixture
def invoice(client):
    def invoice(name, base, *lines, **header):
        answer = client.post(INVOICES, copied(name, base, *lines, **header))
        assert answer.status_code == 201, answer.text
        return answer.json()

    return invoice


@pytest.fixture
def refused(client):
    def refused(name, base, *lines, into=INVOICES, **header):
        status, code, text = error_of(client.post(into, copied(name, base, *lines, **header)))
        assert status == 400
        return code, text

    return refused


def open_of(client, name, base, place=0):
    document = client.read(f"{name}({base['DocEntry']})")
    line = document["DocumentLines"][place]
    return line["RemainingOpenQuantity"], line["LineStatus"], document["DocumentStatus"]


def test_what_is_not_sent_is_taken_from_the_base(invoice, sap):
    order = find(sap, ORDERS, is_item)
    base = order["DocumentLines"][0]
    made = invoice(ORDERS, order, (0, {"Quantity": 1}))["DocumentLines"][0]
    names = ("ItemCode", "ItemDescription", "AccountCode", "VatGroup", "CostingCode", "CostingCode2", "WarehouseCode")
    assert {name: made[name] for name in names} == {name: base[name] for name in names}
    assert made["UnitPrice"] == float(base["UnitPrice"])
    assert (made["BaseType"], made["BaseEntry"], made["BaseLine"]) == (22, order["DocEntry"], base["LineNum"])


def test_what_is_sent_goes_before_the_base(invoice, sap):
    order = find(sap, ORDERS, is_item)
    changes = {"Quantity": 2, "UnitPrice": 3.5, "CostingCode": "ADM", "VatGroup": "I10", "ProjectCode": "P001"}
    made = invoice(ORDERS, order, (0, changes))["DocumentLines"][0]
    assert {name: made[name] for name in changes} == changes
    assert (made["LineTotal"], made["TaxTotal"]) == (7.0, 0.7)


def test_without_a_quantity_all_that_is_open_is_taken(client, invoice, sap):
    order = find(sap, ORDERS, single)
    whole = order["DocumentLines"][0]["Quantity"]
    assert invoice(ORDERS, order, (0, {"Quantity": 3}))["DocumentLines"][0]["Quantity"] == 3.0
    assert invoice(ORDERS, order)["DocumentLines"][0]["Quantity"] == float(whole - 3)
    assert open_of(client, ORDERS, order) == (0.0, "bost_Close", "bost_Close")


def test_what_is_open_in_money_follows_the_quantity_whatever_was_invoiced(client, invoice, sap):
    order = find(sap, ORDERS, single)
    base = order["DocumentLines"][0]
    invoice(ORDERS, order, (0, {"Quantity": float(base["Quantity"] / 2), "UnitPrice": 0.01}))
    line = client.read(f"{ORDERS}({order['DocEntry']})")["DocumentLines"][0]
    assert line["OpenAmount"] == pytest.approx(line["LineTotal"] / 2, abs=0.01)
    invoice(ORDERS, order)
    assert client.read(f"{ORDERS}({order['DocEntry']})")["DocumentLines"][0]["OpenAmount"] == 0.0


def test_an_order_closes_with_its_last_open_line(client, invoice, sap):
    order = find(sap, ORDERS, lambda document: is_item(document) and len(document["DocumentLines"]) == 3)
    for place, status in ((2, "bost_Open"), (0, "bost_Open"), (1, "bost_Close")):
        invoice(ORDERS, order, (place, {}))
        assert open_of(client, ORDERS, order, place) == (0.0, "bost_Close", status)


def test_lines_are_named_by_their_number_and_not_by_their_place(client, invoice, sap):
    order = find(sap, ORDERS, lambda document: is_item(document) and document["DocumentLines"][-1]["LineNum"] == 4)
    base = order["DocumentLines"][2]
    made = invoice(ORDERS, order, (2, {"Quantity": 1}))["DocumentLines"][0]
    assert (made["BaseLine"], made["ItemCode"], made["LineNum"]) == (4, base["ItemCode"], 0)


@pytest.mark.parametrize("quantity", [0, -1, 10_000])
def test_no_other_quantity_than_what_is_open_can_be_taken(refused, sap, quantity):
    order = find(sap, ORDERS, is_item)
    text = "Quantity exceeds the base document's open quantity  [DocumentLines.Quantity][line: 0]"
    assert refused(ORDERS, order, (0, {"Quantity": quantity})) == ("-5002", text)


def test_two_lines_on_one_base_share_what_is_open(client, invoice, refused, sap):
    order = find(sap, ORDERS, single)
    whole = float(order["DocumentLines"][0]["Quantity"])
    assert "[line: 1]" in refused(ORDERS, order, (0, {"Quantity": whole}), (0, {"Quantity": 1}))[1]
    assert open_of(client, ORDERS, order)[0] == whole
    invoice(ORDERS, order, (0, {"Quantity": whole - 1}), (0, {"Quantity": 1}))
    assert open_of(client, ORDERS, order) == (0.0, "bost_Close", "bost_Close")


def test_after_full_receipt_the_order_is_closed_and_the_receipt_is_the_base(client, invoice, refused, sap):
    receipt = find(sap, RECEIPTS, lambda document: is_item(document) and len(document["DocumentLines"]) == 1)
    receipts = [
        document
        for document in sap.company.collection(RECEIPTS).values()
        if document["DocumentStatus"] == "bost_Open"
        and sap.company.collection(ORDERS)[document["DocumentLines"][0]["BaseEntry"]]["DocumentStatus"] == "bost_Close"
    ]
    receipt = receipts[0]
    order = sap.company.collection(ORDERS)[receipt["DocumentLines"][0]["BaseEntry"]]
    text = "One of the base documents has already been closed  [DocumentLines.BaseEntry][line: 0]"
    assert refused(ORDERS, order) == ("-10", text)
    places = [(place, {}) for place in range(len(receipt["DocumentLines"]))]
    invoice(RECEIPTS, receipt, *places)
    assert open_of(client, RECEIPTS, receipt) == (0.0, "bost_Close", "bost_Close")
    assert refused(RECEIPTS, receipt) == ("-10", text)


def test_invoicing_a_receipt_leaves_the_order_as_it_is(client, invoice, sap):
    receipt = find(
        sap,
        RECEIPTS,
        lambda document: (
            sap.company.collection(ORDERS)[document["DocumentLines"][0]["BaseEntry"]]["DocumentStatus"] == "bost_Open"
        ),
    )
    order = {"DocEntry": receipt["DocumentLines"][0]["BaseEntry"]}
    before = open_of(client, ORDERS, order)
    invoice(RECEIPTS, receipt, (0, {"Quantity": 1}))
    assert open_of(client, ORDERS, order) == before


def test_lines_of_several_bases_stand_on_one_invoice(client, invoice, sap):
    orders = [o for o in sap.company.collection(ORDERS).values() if o["DocumentStatus"] == "bost_Open" and is_item(o)]
    first = orders[0]
    second = next(order for order in orders[1:] if order["CardCode"] != first["CardCode"])
    second["CardCode"] = first["CardCode"]
    body = copied(ORDERS, first, (0, {"Quantity": 1}))
    body["DocumentLines"] += copied(ORDERS, second, (0, {"Quantity": 2}))["DocumentLines"]
    assert client.post(INVOICES, body).status_code == 201
    for order, taken in ((first, 1), (second, 2)):
        assert open_of(client, ORDERS, order)[0] == float(order["DocumentLines"][0]["Quantity"] - taken)


def test_linked_and_free_lines_stand_together(client, sap):
    order = find(sap, ORDERS, is_service(True))
    body = copied(ORDERS, order, (0, {"Quantity": 1}))
    body["DocumentLines"].append({"AccountCode": "6401", "LineTotal": 10, "VatGroup": "I0"})
    made = client.post(INVOICES, body).json()
    assert [line["BaseType"] for line in made["DocumentLines"]] == [22, -1]


@pytest.mark.parametrize("base_type", [17, 18, 13, 0])
def test_an_invoice_has_an_order_or_a_receipt_for_a_base(refused, sap, base_type):
    order = find(sap, ORDERS, is_item)
    assert "[DocumentLines.BaseType][line: 0]" in refused(ORDERS, order, (0, {"BaseType": base_type}))[1]


@pytest.mark.parametrize("changes", [{"BaseEntry": 999999}, {"BaseEntry": None}, {"BaseLine": 77}, {"BaseLine": None}])
def test_a_base_that_is_not_there_is_minus_2028(refused, sap, changes):
    order = find(sap, ORDERS, is_item)
    assert refused(ORDERS, order, (0, changes))[0] == "-2028"


def test_vendor_and_kind_must_be_those_of_the_base(refused, sap):
    order = find(sap, ORDERS, is_item)
    other = next(code for code in ("V10004", "V10005") if code != order["CardCode"])
    assert refused(ORDERS, order, CardCode=other)[1] == "Base document card and target document card do not match."
    text = "234103405 - Base document type and target document type do not match"
    assert refused(ORDERS, order, DocType="dDocument_Service")[1] == text
    service = find(sap, ORDERS, is_service(True))
    assert refused(ORDERS, service, DocType="dDocument_Items")[1] == text


@pytest.mark.parametrize("how", ["Close", "Cancel"])
def test_a_closed_or_cancelled_order_is_no_base(client, refused, sap, how):
    order = find(sap, ORDERS, is_item)
    assert client.post(f"{ORDERS}({order['DocEntry']})/{how}").status_code == 204
    assert refused(ORDERS, order)[0] == "-10"
    assert open_of(client, ORDERS, order) == (0.0, "bost_Close", "bost_Close")


def test_a_line_that_was_closed_by_hand_is_no_base_but_its_neighbours_are(client, invoice, refused, sap):
    order = find(
        sap, ORDERS, lambda o: o["DocumentLines"][0]["LineStatus"] == "bost_Close" and len(o["DocumentLines"]) > 1
    )
    assert refused(ORDERS, order)[0] == "-10"
    assert invoice(ORDERS, order, (1, {}))["DocumentLines"][0]["BaseLine"] == 1


def test_a_service_line_without_quantity_goes_whole_and_comes_back_whole(client, invoice, sap):
    order = find(sap, ORDERS, is_service(False))
    amount = float(order["DocumentLines"][0]["LineTotal"])
    made = invoice(ORDERS, order, (0, {"LineTotal": amount / 2}))
    assert made["DocumentLines"][0]["LineTotal"] == amount
    assert open_of(client, ORDERS, order) == (0.0, "bost_Close", "bost_Close")
    assert client.post(f"{INVOICES}({made['DocEntry']})/Cancel").status_code == 204
    line = client.read(f"{ORDERS}({order['DocEntry']})")["DocumentLines"][0]
    assert (line["OpenAmount"], line["LineStatus"]) == (amount, "bost_Open")


def test_a_service_line_with_quantity_is_taken_in_parts(client, invoice, sap):
    order = find(sap, ORDERS, is_service(True))
    base = order["DocumentLines"][0]
    made = invoice(ORDERS, order, (0, {"Quantity": 1}))
    assert made["DocumentLines"][0]["LineTotal"] == float(base["UnitPrice"])
    line = client.read(f"{ORDERS}({order['DocEntry']})")["DocumentLines"][0]
    assert line["OpenAmount"] == float(base["LineTotal"] - base["UnitPrice"])


def test_a_foreign_order_is_invoiced_at_todays_rate_and_keeps_its_own(client, invoice, sap):
    order = find(sap, ORDERS, lambda document: document["DocCurrency"] != "EUR" and len(document["DocumentLines"]) > 0)
    base = order["DocumentLines"][0]
    made = invoice(ORDERS, order, (0, {"Quantity": 1}), DocRate=2)
    assert made["DocumentLines"][0]["RowTotalFC"] == float(base["UnitPrice"])
    assert made["DocumentLines"][0]["LineTotal"] == float(base["UnitPrice"] * 2)
    line = client.read(f"{ORDERS}({order['DocEntry']})")["DocumentLines"][0]
    left = (base["Quantity"] - 1) / base["Quantity"]
    assert line["OpenAmountFC"] == pytest.approx(float(base["RowTotalFC"] * left), abs=0.005)
    assert line["OpenAmount"] == pytest.approx(float(base["LineTotal"] * left), abs=0.005)


def test_cancelling_gives_back_exactly_what_was_taken(client, invoice, sap):
    order = find(sap, ORDERS, single)
    before = client.read(f"{ORDERS}({order['DocEntry']})")
    kept = invoice(ORDERS, order, (0, {"Quantity": 2}))
    gone = invoice(ORDERS, order)
    assert client.post(f"{INVOICES}({gone['DocEntry']})/Cancel").status_code == 204
    assert open_of(client, ORDERS, order) == (before["DocumentLines"][0]["Quantity"] - 2, "bost_Open", "bost_Open")
    assert client.post(f"{INVOICES}({kept['DocEntry']})/Cancel").status_code == 204
    after = client.read(f"{ORDERS}({order['DocEntry']})")
    for name in ("RemainingOpenQuantity", "OpenAmount", "LineStatus"):
        assert after["DocumentLines"][0][name] == before["DocumentLines"][0][name]
    assert after["DataVersion"] == before["DataVersion"] + 4


def test_the_mirror_and_the_original_are_told_apart_by_their_cancel_status(client, invoice, sap):
    order = find(sap, ORDERS, is_item)
    entry = invoice(ORDERS, order, NumAtCard="M-1")["DocEntry"]
    answer = client.post(f"{INVOICES}({entry})/Cancel")
    assert (answer.status_code, answer.content) == (204, b"")
    original, mirror = client.rows(f"{INVOICES}?$filter=NumAtCard eq 'M-1'&$orderby=DocEntry")
    assert (original["DocEntry"], original["CancelStatus"], original["DocumentStatus"]) == (
        entry,
        "csYes",
        "bost_Close",
    )
    assert (mirror["CancelStatus"], mirror["DocumentStatus"], mirror["DataVersion"]) == (
        "csCancellation",
        "bost_Close",
        1,
    )
    assert mirror["DocTotal"] == original["DocTotal"]
    assert mirror["TransNum"] > original["TransNum"]
    assert [(line["BaseType"], line["BaseEntry"]) for line in mirror["DocumentLines"]] == [(18, entry)]
    for document in (original, mirror):
        assert {line["LineStatus"] for line in document["DocumentLines"]} == {"bost_Close"}
        refused = client.post(f"{INVOICES}({document['DocEntry']})/Cancel")
        assert error_of(refused) == (400, "-5002", "Document has already been cancelled")


@pytest.mark.parametrize("why", ["partly paid", "paid", "credited", "period closed"])
def test_what_is_paid_credited_or_in_a_closed_period_cannot_be_cancelled(client, sap, service_invoice, why):
    entry = client.post(INVOICES, service_invoice).json()["DocEntry"]
    stored = sap.company.collection(INVOICES)[entry]
    if why == "credited":
        lines = [{"BaseType": 18, "BaseEntry": entry, "BaseLine": 0}]
        body = {"CardCode": "V10004", "DocType": "dDocument_Service", "DocumentLines": lines}
        assert client.post("PurchaseCreditNotes", body).status_code == 201
    elif why == "period closed":
        sap.company.period(stored["DocDate"])["PeriodStatus"] = "ltLocked"
    else:
        sap.payments.pay(stored, 1 if why == "paid" else Decimal("0.1"))
    status, code, _ = error_of(client.post(f"{INVOICES}({entry})/Cancel"))
    assert (status, code) == (400, "-4013" if why == "period closed" else "-5002")
    assert client.read(f"{INVOICES}({entry})")["CancelStatus"] == "csNo"


def test_cancel2_takes_only_fields_of_a_document(client, service_invoice):
    entry = client.post(INVOICES, service_invoice).json()["DocEntry"]
    document = {"DocEntry": entry, "Comments": "x", "Nope": 1}
    refused = client.post("PurchaseInvoicesService_Cancel2", {"Document": document})
    assert error_of(refused) == (400, "-1000", "Property 'Nope' of 'Document' is invalid")
    assert client.read(f"{INVOICES}({entry})")["CancelStatus"] == "csNo"
