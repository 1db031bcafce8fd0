"""Posting, patching and cancelling purchase documents (contracts: SAP §8.4, §8.5, §11 points 8 and 9)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.sandbox.sap_b1.conftest import error_of

CLOSED = "One of the base documents has already been closed  [DocumentLines.BaseEntry][line: 0]"


def line(invoice, **changed):
    """The invoice with its first line changed; None removes a property."""
    first = {k: v for k, v in (invoice["DocumentLines"][0] | changed).items() if v is not None}
    return invoice | {"DocumentLines": [first]}


def order_of(sap, kind_test):
    orders = sap.company.collection("PurchaseOrders").values()
    return next(order for order in orders if order["DocumentStatus"] == "bost_Open" and kind_test(order))


def is_local_item(order):
    return (order["DocType"], order["DocCurrency"]) == ("dDocument_Items", "EUR")


def based(order, number, base_type=22, quantity=None, **header):
    base = order["DocumentLines"][0]
    copied = {"BaseType": base_type, "BaseEntry": order["DocEntry"], "BaseLine": base["LineNum"]}
    if quantity is not None:
        copied["Quantity"] = quantity
    body = {"CardCode": order["CardCode"], "NumAtCard": number, "DocType": order["DocType"], **header}
    return body | {"DocumentLines": [copied]}


def test_a_posted_invoice_comes_back_whole_with_what_sap_computed(client, service_invoice, today):
    answer = client.post("PurchaseInvoices", service_invoice)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/PurchaseInvoices({made['DocEntry']})")
    assert answer.headers["ETag"] == made["@odata.etag"]
    assert made["@odata.context"].endswith("#PurchaseInvoices/$entity")
    totals = {name: made[name] for name in ("DocTotal", "VatSum", "DocTotalFc", "DocRate", "PaidToDate", "DataVersion")}
    # 100.10 * 25.5 % = 25.53 and 20 * 10 % = 2
    expected = {
        "DocTotal": 147.63,
        "VatSum": 27.53,
        "DocTotalFc": 0.0,
        "DocRate": 1.0,
        "PaidToDate": 0.0,
        "DataVersion": 1,
    }
    assert totals == expected
    assert (made["DocumentStatus"], made["CancelStatus"]) == ("bost_Open", "csNo")
    assert made["U_BW_InvoiceId"] == "8f2c1d"
    assert [entry["LineNum"] for entry in made["DocumentLines"]] == [0, 1]
    assert made["DocumentLines"][0]["TaxTotal"] == 25.53


def test_numbers_count_on_per_series_and_year(client, service_invoice):
    first = client.post("PurchaseInvoices", service_invoice).json()
    second = client.post("PurchaseInvoices", service_invoice | {"NumAtCard": "A-2"}).json()
    assert second["DocEntry"] == first["DocEntry"] + 1
    assert second["DocNum"] == first["DocNum"] + 1
    assert second["TransNum"] == first["TransNum"] + 1


def test_the_due_date_follows_the_term_from_the_tax_date(client, service_invoice, today):
    made = client.post("PurchaseInvoices", service_invoice | {"PaymentGroupCode": 3}).json()
    assert made["DocDueDate"][:10] == (today + timedelta(days=30)).isoformat()
    given = (today + timedelta(days=7)).isoformat()
    other = client.post("PurchaseInvoices", service_invoice | {"DocDueDate": given}).json()
    assert other["DocDueDate"][:10] == given


def test_terms_with_instalments_make_them(client, service_invoice):
    made = client.post("PurchaseInvoices", service_invoice | {"PaymentGroupCode": 10}).json()
    assert [part["InstallmentId"] for part in made["DocumentInstallments"]] == [1, 2, 3]
    assert sum(Decimal(str(part["Total"])) for part in made["DocumentInstallments"]) == Decimal("147.63")


def test_numeric_strings_and_database_letters_are_taken(client, service_invoice):
    body = line(service_invoice, LineTotal="100.10") | {"DocType": "S", "PaymentBlock": "Y"}
    made = client.post("PurchaseInvoices", body).json()
    assert (made["DocType"], made["PaymentBlock"]) == ("dDocument_Service", "tYES")


def test_prefer_no_content_answers_with_the_location_only(client, service_invoice):
    answer = client.post("PurchaseInvoices", service_invoice, Prefer="return-no-content")
    assert (answer.status_code, answer.text) == (204, "")
    assert "PurchaseInvoices(" in answer.headers["Location"]


def test_reverse_charge_adds_nothing_to_the_total(client, service_invoice):
    made = client.post("PurchaseInvoices", line(service_invoice, VatGroup="IRC")).json()
    assert (made["DocTotal"], made["VatSum"]) == (100.1, 0.0)


def test_the_tax_rate_is_that_of_the_tax_date(client, service_invoice, sap):
    group = sap.company.collection("VatGroups")["I255"]
    group["VatGroups_Lines"].append({"Effectivefrom": service_invoice["TaxDate"], "Rate": Decimal(30)})
    assert client.post("PurchaseInvoices", line(service_invoice)).json()["VatSum"] == 30.03
    before = (sap.company.dataset.today - timedelta(days=1)).isoformat()
    earlier = line(service_invoice) | {"TaxDate": before}
    assert client.post("PurchaseInvoices", earlier).json()["VatSum"] == 25.53


def test_foreign_currency_takes_the_price_and_gives_both_totals(client, service_invoice):
    body = line(service_invoice, LineTotal=None, UnitPrice=200, Currency="$", VatGroup="I0") | {"DocCurrency": "$"}
    made = client.post("PurchaseInvoices", body | {"CardCode": "V10008"}).json()
    assert (made["DocTotalFc"], made["DocTotal"], made["DocRate"]) == (200.0, 184.0, 0.92)
    assert made["DocumentLines"][0]["RowTotalFC"] == 200.0
    by_row = line(body, UnitPrice=None, Currency=None, RowTotalFC=200)
    assert client.post("PurchaseInvoices", by_row).json()["DocTotalFc"] == 200.0


def test_line_total_in_a_foreign_document_is_local_currency(client, service_invoice):
    body = line(service_invoice, LineTotal=92, VatGroup="I0") | {"DocCurrency": "$", "CardCode": "V10008"}
    assert client.post("PurchaseInvoices", body).json()["DocTotalFc"] == 100.0


def test_a_sent_doc_total_becomes_a_discount(client, service_invoice):
    made = client.post("PurchaseInvoices", service_invoice | {"DocTotal": 147.60}).json()
    assert (made["DocTotal"], made["TotalDiscount"]) == (147.6, 0.03)


def test_charges_are_added_with_their_tax(client, sap):
    order = order_of(sap, is_local_item)
    charge = {"ExpenseCode": 1, "LineTotal": 15.0, "VatGroup": "I255", "DistributionMethod": "aedm_None"}
    body = based(
        order, "C-1", quantity=1, DocumentAdditionalExpenses=[charge | {"DistributionRule": "HEL", "Project": "P001"}]
    )
    made = client.post("PurchaseInvoices", body).json()
    net = made["DocumentLines"][0]["LineTotal"] + 15
    assert made["DocTotal"] == pytest.approx(net + made["VatSum"])
    assert made["DocumentAdditionalExpenses"][0]["TaxSum"] == 3.83
    for bad in ({"ExpenseCode": 99}, {"DistributionRule": "NOPE"}, {"Project": "NOPE"}):
        refused = based(order, "C-2", quantity=1, DocumentAdditionalExpenses=[charge | bad])
        assert error_of(client.post("PurchaseInvoices", refused))[1] == "-5002"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"CardCode": None}, "-5002", "Enter valid code  [OPCH.CardCode]"),
        ({"CardCode": "V999"}, "-2028", "Customer record not found"),
        ({"CardCode": "C20000"}, "-5002", "Invalid BP code"),
        ({"CardCode": "V10280"}, "-5002", "is inactive"),
        ({"CardCode": "V10287"}, "-5002", "is inactive"),
        ({"DocCurrency": "USD"}, "-5002", "Enter valid code  [OPCH.DocCur]"),
        ({"PaymentGroupCode": 77}, "-5002", "Enter valid code  [OPCH.GroupNum]"),
        ({"DocumentLines": []}, "-5002", "at least one line"),
        ({"DocType": "dDocument_Items"}, "-5002", "Item number is missing; specify an item number"),
        ({"Nonsense": 1}, "-1000", "Property 'Nonsense' of 'Document' is invalid"),
        ({"U_Nonsense": 1}, "-1000", "Property 'U_Nonsense' of 'Document' is invalid"),
        ({"DocType": "Invoice"}, "-1000", "Invalid value"),
        ({"DocDate": "tomorrow"}, "-1000", "Invalid value type of property 'DocDate'"),
        ({"NumAtCard": 17}, "-1000", "Invalid value type of property 'NumAtCard'"),
        ({"PaymentGroupCode": 1.5}, "-1000", "Invalid value type of property 'PaymentGroupCode'"),
        ({"DocumentLines": {}}, "-1000", "Invalid value type of property 'DocumentLines'"),
        ({"DocumentLines": [1]}, "-1000", "Invalid value type of property 'DocumentLines'"),
        ({"NumAtCard": "9" * 101}, "-5002", "Field size deviates from legal range"),
        ({"Comments": "9" * 255}, "-5002", "Field size deviates from legal range"),
    ],
)
def test_headers_that_are_refused(client, service_invoice, changes, code, words):
    status, got, text = error_of(client.post("PurchaseInvoices", service_invoice | changes))
    assert (status, got) == (400, code)
    assert words in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AccountCode": None}, "Enter valid code  [DocumentLines.AccountCode][line: 0]"),
        ({"AccountCode": "699999"}, "Enter valid code  [DocumentLines.AccountCode][line: 0] , '699999'"),
        ({"AccountCode": "6000"}, "Select an active account"),
        ({"AccountCode": "1701"}, "Control account"),
        ({"AccountCode": "5005"}, "Control account"),
        ({"AccountCode": "6606"}, "is inactive"),
        ({"AccountCode": "6603"}, "is inactive"),
        ({"VatGroup": "NOPE"}, "Enter valid code  [DocumentLines.VatGroup]"),
        ({"VatGroup": "O255"}, "inactive or no input tax"),
        ({"VatGroup": "I22"}, "inactive or no input tax"),
        ({"VatGroup": "INEW"}, "has no rate yet"),
        ({"CostingCode": "NOPE"}, "Enter valid code  [DocumentLines.CostingCode]"),
        ({"CostingCode": "L-BRG"}, "Enter valid code  [DocumentLines.CostingCode]"),
        ({"CostingCode2": "ADM"}, "Enter valid code  [DocumentLines.CostingCode2]"),
        ({"CostingCode": "OLD"}, "is inactive"),
        ({"CostingCode": "END"}, "is inactive"),
        ({"CostingCode": "NEW"}, "is inactive"),
        ({"ProjectCode": "NOPE"}, "Enter valid code  [DocumentLines.ProjectCode]"),
        ({"ProjectCode": "P013"}, "is inactive"),
        ({"ProjectCode": "P012"}, "is inactive"),
        ({"LineTotal": None}, "Enter a price or total"),
        ({"LineTotal": -1}, "Document total value must be zero or greater than zero"),
        ({"BaseType": 17}, "Enter valid code  [DocumentLines.BaseType]"),
    ],
)
def test_lines_that_are_refused(client, service_invoice, changes, words):
    status, code, text = error_of(client.post("PurchaseInvoices", line(service_invoice, **changes)))
    assert (status, code) == (400, "-5002")
    assert words in text


def test_an_unknown_line_field_names_the_line_type(client, service_invoice):
    answer = client.post("PurchaseInvoices", line(service_invoice, NoSuchField=1))
    assert error_of(answer) == (400, "-1000", "Property 'NoSuchField' of 'DocumentLine' is invalid")


def test_what_is_no_json_object_is_minus_1000(client):
    assert error_of(client.post("PurchaseInvoices", []))[1] == "-1000"
    assert error_of(client.post("PurchaseInvoices"))[1] == "-1000"


def test_distribution_rules_that_split_are_taken(client, service_invoice):
    assert client.post("PurchaseInvoices", line(service_invoice, CostingCode="S-HQ")).status_code == 201


def test_a_negative_line_beside_positive_ones_is_fine(client, service_invoice):
    lines = [service_invoice["DocumentLines"][0], service_invoice["DocumentLines"][1] | {"LineTotal": -20}]
    assert client.post("PurchaseInvoices", service_invoice | {"DocumentLines": lines}).json()["DocTotal"] == 103.63


def test_a_locked_period_is_minus_4013_and_none_is_out_of_range(client, service_invoice, sap, today):
    locked = next(p for p in sap.company.collection("FinancePeriods").values() if p["PeriodStatus"] == "ltLocked")
    old = service_invoice | {"DocDate": locked["PostingDateFrom"], "TaxDate": locked["PostingDateFrom"]}
    assert error_of(client.post("PurchaseInvoices", old))[:2] == (400, "-4013")
    far = service_invoice | {"DocDate": f"{today.year + 3}-01-01"}
    assert "Date deviates from permissible range" in error_of(client.post("PurchaseInvoices", far))[2]
    tax = service_invoice | {"TaxDate": f"{today.year + 1}-12-31"}
    assert "[OPCH.TaxDate]" in error_of(client.post("PurchaseInvoices", tax))[2]
    due = service_invoice | {"DocDueDate": "2001-01-01"}
    assert "[OPCH.DocDueDate]" in error_of(client.post("PurchaseInvoices", due))[2]


def test_a_currency_without_a_rate_is_refused(client, service_invoice, sap):
    sap.company.collection("Currencies")["$"]["RatesTo"] = "2020-01-01"
    body = line(service_invoice, LineTotal=None, UnitPrice=1) | {"DocCurrency": "$", "CardCode": "V10008"}
    assert error_of(client.post("PurchaseInvoices", body)) == (400, "-5002", "Update the exchange rate  , '$'")
    assert client.post("PurchaseInvoices", body | {"DocRate": 0.9}).status_code == 201


def test_branches_are_required_where_the_company_has_them(client, service_invoice, sap):
    sap.company.change_settings(branches=True)
    sap.company.collection("BusinessPlaces").put(1, {"BPLID": 1, "BPLName": "Main", "Disabled": "tNO"})
    assert error_of(client.post("PurchaseInvoices", service_invoice))[2] == "Specify an active branch [OPCH.BPLId]"
    assert client.post("PurchaseInvoices", service_invoice | {"BPL_IDAssignedToInvoice": 1}).status_code == 201


def test_the_same_vendor_number_is_refused_only_in_block_mode(client, service_invoice, sap):
    assert client.post("PurchaseInvoices", service_invoice).status_code == 201
    assert client.post("PurchaseInvoices", service_invoice).status_code == 201
    sap.company.change_settings(duplicate_block=True)
    assert error_of(client.post("PurchaseInvoices", service_invoice))[:2] == (400, "-10")
    assert client.post("PurchaseInvoices", service_invoice | {"NumAtCard": "A-3"}).status_code == 201


def test_withholding_reduces_what_is_paid(client, service_invoice, sap):
    sap.company.collection("WithholdingTaxCodes").put(
        "L10", {"WTCode": "L10", "WithholdingTaxCodes_Lines": [{"Effectivefrom": "2020-01-01", "Rate": Decimal(10)}]}
    )
    subject = line(service_invoice, WTLiable="tYES", VatGroup="I255") | {"CardCode": "V10292"}
    made = client.post("PurchaseInvoices", subject).json()
    assert (made["WTAmount"], made["DocTotal"]) == (10.01, 115.62)
    other = client.post("PurchaseInvoices", subject | {"CardCode": "V10004"}).json()
    assert other["WTAmount"] == 0.0


def test_an_order_line_is_taken_in_parts_until_it_closes(client, sap):
    order = order_of(sap, lambda order: is_local_item(order) and len(order["DocumentLines"]) == 1)
    whole = order["DocumentLines"][0]["Quantity"]
    first = client.post("PurchaseInvoices", based(order, "P-1", quantity=float(whole - 1))).json()
    taken = first["DocumentLines"][0]
    assert (taken["ItemCode"], taken["BaseEntry"]) == (order["DocumentLines"][0]["ItemCode"], order["DocEntry"])
    left = client.read(f"PurchaseOrders({order['DocEntry']})")
    assert left["DocumentLines"][0]["RemainingOpenQuantity"] == 1.0
    assert left["DataVersion"] == 2
    over = client.post("PurchaseInvoices", based(order, "P-2", quantity=2))
    assert "Quantity exceeds" in error_of(over)[2]
    assert client.post("PurchaseInvoices", based(order, "P-3")).json()["DocumentLines"][0]["Quantity"] == 1.0
    closed = client.read(f"PurchaseOrders({order['DocEntry']})")
    assert (closed["DocumentStatus"], closed["DocumentLines"][0]["LineStatus"]) == ("bost_Close", "bost_Close")
    assert error_of(client.post("PurchaseInvoices", based(order, "P-4", quantity=1))) == (400, "-10", CLOSED)


def test_lines_on_one_base_are_summed(client, sap):
    order = order_of(sap, is_local_item)
    body = based(order, "P-1", quantity=float(order["DocumentLines"][0]["Quantity"]))
    twice = body | {"DocumentLines": body["DocumentLines"] * 2}
    assert "Quantity exceeds" in error_of(client.post("PurchaseInvoices", twice))[2]


def test_a_base_must_fit_vendor_and_type_and_exist(client, sap):
    order = order_of(sap, is_local_item)
    assert error_of(client.post("PurchaseInvoices", based(order, "X") | {"CardCode": "V10004"}))[2] == (
        "Base document card and target document card do not match."
    )
    assert "234103405" in error_of(client.post("PurchaseInvoices", based(order, "X", DocType="dDocument_Service")))[2]
    gone = based(order, "X")
    gone["DocumentLines"][0]["BaseLine"] = 99
    assert error_of(client.post("PurchaseInvoices", gone))[1] == "-2028"
    cancelled = next(o for o in sap.company.collection("PurchaseOrders").values() if o["CancelStatus"] == "csYes")
    assert error_of(client.post("PurchaseInvoices", based(cancelled, "X")))[1] == "-10"


def test_a_service_line_without_quantity_is_taken_whole_whatever_is_sent(client, sap):
    order = order_of(sap, lambda o: o["DocType"] == "dDocument_Service" and not o["DocumentLines"][0]["Quantity"])
    body = based(order, "S-1")
    body["DocumentLines"][0]["LineTotal"] = 1
    made = client.post("PurchaseInvoices", body).json()
    assert made["DocumentLines"][0]["LineTotal"] == float(order["DocumentLines"][0]["LineTotal"])
    assert client.read(f"PurchaseOrders({order['DocEntry']})")["DocumentStatus"] == "bost_Close"


def test_cancelling_makes_a_mirror_and_gives_the_base_back(client, sap):
    order = order_of(sap, lambda order: is_local_item(order) and len(order["DocumentLines"]) == 1)
    made = client.post("PurchaseInvoices", based(order, "K-1")).json()
    assert client.post(f"PurchaseInvoices({made['DocEntry']})/Cancel").status_code == 204
    original, mirror = client.rows("PurchaseInvoices?$filter=NumAtCard eq 'K-1'&$orderby=DocEntry")
    assert (original["CancelStatus"], original["DocumentStatus"]) == ("csYes", "bost_Close")
    assert mirror["CancelStatus"] == "csCancellation"
    assert mirror["DocumentLines"][0]["BaseEntry"] == made["DocEntry"]
    again = client.read(f"PurchaseOrders({order['DocEntry']})")
    assert again["DocumentStatus"] == "bost_Open"
    assert again["DocumentLines"][0]["RemainingOpenQuantity"] == float(order["DocumentLines"][0]["Quantity"])
    assert error_of(client.post(f"PurchaseInvoices({made['DocEntry']})/Cancel"))[1] == "-5002"
    assert client.post("PurchaseInvoices", based(order, "K-1")).status_code == 201


def test_cancel2_sets_fields_of_the_mirror(client, service_invoice):
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    body = {"Document": {"DocEntry": entry, "Comments": "wrong vendor"}}
    assert client.post("PurchaseInvoicesService_Cancel2", body).status_code == 204
    mirror = client.rows("PurchaseInvoices?$filter=CancelStatus eq 'csCancellation'")[0]
    assert mirror["Comments"] == "wrong vendor"
    assert error_of(client.post("PurchaseInvoicesService_Cancel2", {"Document": {"DocEntry": 999999}}))[0] == 404
    assert error_of(client.post("PurchaseInvoicesService_Cancel2", {}))[1] == "-1000"


def test_a_credit_note_on_an_open_invoice_settles_it(client, service_invoice):
    invoice = client.post("PurchaseInvoices", service_invoice).json()
    copied = [{"BaseType": 18, "BaseEntry": invoice["DocEntry"], "BaseLine": number} for number in (0, 1)]
    body = {"CardCode": "V10004", "DocType": "dDocument_Service", "NumAtCard": "CR-1", "DocumentLines": copied}
    credit = client.post("PurchaseCreditNotes", body).json()
    assert credit["DocTotal"] == invoice["DocTotal"]
    settled = client.read(f"PurchaseInvoices({invoice['DocEntry']})")
    assert (settled["PaidToDate"], settled["DocumentStatus"]) == (invoice["DocTotal"], "bost_Close")
    assert error_of(client.post("PurchaseCreditNotes", body)) == (400, "-10", CLOSED)
    assert client.post(f"PurchaseCreditNotes({credit['DocEntry']})/Cancel").status_code == 204
    assert client.read(f"PurchaseInvoices({invoice['DocEntry']})")["DocumentStatus"] == "bost_Open"


def test_a_credit_note_takes_no_order_as_base(client, sap):
    order = order_of(sap, is_local_item)
    assert "BaseType" in error_of(client.post("PurchaseCreditNotes", based(order, "X")))[2]


def test_only_few_header_fields_may_change_after_posting(client, service_invoice):
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    changes = {"PaymentBlock": "tYES", "Comments": "checked", "U_BW_InvoiceId": "other"}
    assert client.call("PATCH", f"PurchaseInvoices({entry})", changes).status_code == 204
    after = client.read(f"PurchaseInvoices({entry})")
    assert {name: after[name] for name in changes} == changes
    assert after["DataVersion"] == 2
    for fixed in ({"CardCode": "V10005"}, {"DocumentLines": []}, {"DocDate": "2026-01-01"}):
        assert error_of(client.call("PATCH", f"PurchaseInvoices({entry})", fixed))[1] == "-1029"


def test_posted_documents_cannot_be_deleted(client, service_invoice):
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    for path in (f"PurchaseInvoices({entry})", "PurchaseOrders(801)"):
        assert error_of(client.call("DELETE", path))[1] == "-5006"
    assert error_of(client.post(f"PurchaseInvoices({entry})/Explode"))[1] == "-5006"
    assert error_of(client.call("PUT", f"PurchaseInvoices({entry})", {}))[1] == "-5006"
    assert error_of(client.call("DELETE", "PurchaseInvoices"))[1] == "-5006"
    assert error_of(client.post("PurchaseOrders", {"CardCode": "V10004"}))[1] == "-5006"


def test_orders_can_be_closed_and_cancelled(client):
    assert client.post("PurchaseOrders(810)/Close").status_code == 204
    assert client.read("PurchaseOrders(810)")["DocumentStatus"] == "bost_Close"
    assert error_of(client.post("PurchaseOrders(810)/Close"))[1] == "-5002"
    assert client.post("PurchaseOrders(811)/Cancel").status_code == 204
    assert client.read("PurchaseOrders(811)")["CancelStatus"] == "csYes"


def test_master_data_can_be_added_changed_and_deleted(client):
    project = {"Code": "PX", "Name": "Extra", "Active": "tYES", "ValidFrom": "20260101"}
    assert client.post("Projects", project).status_code == 201
    assert error_of(client.post("Projects", project))[1] == "-2035"
    assert error_of(client.post("Projects", {"Name": "no key"}))[1] == "-1000"
    assert client.call("PATCH", "Projects('PX')", {"Name": "Other"}).status_code == 204
    assert client.read("Projects('PX')")["Name"] == "Other"
    assert client.call("DELETE", "Projects('PX')").status_code == 204
    assert error_of(client.get("Projects('PX')"))[0] == 404
