"""The demo company: sizes, oddities, and invoices that can be posted but for four."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.dataset.partners import iban
from syncengine.sandbox.sap_b1.calculation import charged_rate, tax_on, usable, within
from syncengine.sandbox.server import encode

TODAY = date(2026, 5, 4)
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset(TODAY)


@pytest.fixture(scope="module")
def sap(dataset):
    return dataset.sap()


@pytest.fixture(scope="module")
def invoices(dataset):
    return dataset.invoices()


@pytest.fixture(scope="module")
def good(dataset, invoices):
    bad = set(dataset.bad_invoices().values())
    return [invoice for invoice in invoices if invoice["invoiceId"] not in bad]


def by_key(documents: list[dict[str, Any]], key: str) -> dict[Any, dict[str, Any]]:
    return {document[key]: document for document in documents}


def posting_day(invoice: dict[str, Any]) -> str:
    return invoice.get("voucherDate", TODAY.isoformat())[:10]


def test_it_is_a_mid_sized_distributor(sap, invoices):
    assert Counter(partner["CardType"] for partner in sap["BusinessPartners"]) == {
        "cSupplier": 300,
        "cCustomer": 190,
        "cLid": 10,
    }
    counts = {name: len(sap[name]) for name in ("ChartOfAccounts", "ProfitCenters", "PaymentTermsTypes", "VatGroups")}
    assert counts == {"ChartOfAccounts": 140, "ProfitCenters": 30, "PaymentTermsTypes": 12, "VatGroups": 10}
    assert len(sap["Projects"]) == 15
    assert len(sap["PurchaseOrders"]) == 120
    assert len(invoices) == 80


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("BusinessPartners", "CardCode"),
        ("ChartOfAccounts", "Code"),
        ("ProfitCenters", "CenterCode"),
        ("DistributionRules", "FactorCode"),
        ("PurchaseOrders", "DocEntry"),
        ("PurchaseDeliveryNotes", "DocEntry"),
        ("PurchaseInvoices", "DocEntry"),
        ("Items", "ItemCode"),
    ],
)
def test_keys_are_unique(sap, name, key):
    assert len(by_key(sap[name], key)) == len(sap[name])


def test_the_same_day_gives_the_same_data():
    assert encode(Dataset(TODAY).invoices()) == encode(Dataset(TODAY).invoices())
    assert encode(Dataset(TODAY).sap()) == encode(Dataset(TODAY).sap())


def test_accounts_hold_titles_control_frozen_blocked_and_windows(sap):
    accounts = sap["ChartOfAccounts"]
    assert sum(account["ActiveAccount"] == "tNO" for account in accounts) == 24
    for name in ("LockManualTransaction", "BlockManualPosting", "FrozenFor", "ValidFor"):
        assert any(account[name] == "tYES" for account in accounts), name


def test_cost_centers_lie_in_two_dimensions_with_closed_ones_among_them(sap):
    assert Counter(center["InWhichDimension"] for center in sap["ProfitCenters"]) == {1: 20, 2: 10}
    assert {c["CenterCode"] for c in sap["ProfitCenters"] if c["Active"] == "tNO"} == {"OLD"}


def test_purchase_orders_stand_in_every_state(sap):
    orders = sap["PurchaseOrders"]
    received = {
        line["BaseEntry"]
        for receipt in sap["PurchaseDeliveryNotes"]
        if receipt["CancelStatus"] == "csNo" and receipt["DocumentStatus"] == "bost_Open"
        for line in receipt["DocumentLines"]
    }
    closed = {order["DocEntry"] for order in orders if order["DocumentStatus"] == "bost_Close"}
    assert len(closed & received) == 15
    assert sum(order["CancelStatus"] == "csYes" for order in orders) == 8
    assert sum(order["DocType"] == "dDocument_Service" for order in orders) == 16
    assert sum(order["DocCurrency"] != "EUR" for order in orders) == 9
    assert max(Counter(order["DocNum"] for order in orders).values()) == 2


def test_order_totals_are_the_sums_of_their_lines(sap):
    for name in ("PurchaseOrders", "PurchaseDeliveryNotes", "PurchaseInvoices"):
        for document in sap[name]:
            net = sum(line["LineTotal"] for line in document["DocumentLines"])
            assert document["DocTotal"] == net + document["VatSum"]


def test_what_is_open_of_an_order_line_is_what_was_ordered_less_what_was_received(sap):
    received: Counter[tuple[int, int]] = Counter()
    for receipt in sap["PurchaseDeliveryNotes"]:
        for line in receipt["DocumentLines"]:
            if receipt["CancelStatus"] == "csNo":
                received[line["BaseEntry"], line["BaseLine"]] += line["Quantity"]
    for order in sap["PurchaseOrders"]:
        for line in order["DocumentLines"]:
            if line["LineStatus"] == "bost_Open":
                left = line["Quantity"] - received[order["DocEntry"], line["LineNum"]]
                assert line["RemainingOpenQuantity"] == left


def test_scale_adds_suppliers_fast_and_unlike_the_others():
    partners = Dataset(TODAY, scale=1000).sap()["BusinessPartners"]
    assert len(by_key(partners, "CardCode")) == 1500


@pytest.mark.parametrize(("country", "length"), [("FI", 18), ("DE", 22), ("SE", 24)])
def test_ibans_have_their_length_and_check_digits(country, length):
    made = iban(country, 10_000_000_123)
    digits = "".join(str(int(letter, 36)) for letter in made[4:] + made[:4])
    assert len(made) == length
    assert int(digits) % 97 == 1


def test_four_invoices_are_bad_each_in_its_own_way(dataset, invoices, sap):
    bad = {kind: by_key(invoices, "invoiceId")[key] for kind, key in dataset.bad_invoices().items()}
    assert set(bad) == {"unknown_codes", "frozen_vendor", "closed_line", "sums_disagree"}
    row = bad["unknown_codes"]["codingRows"][0]
    assert row["accountCode"] not in by_key(sap["ChartOfAccounts"], "Code")
    assert row["costCenterCode"] not in by_key(sap["DistributionRules"], "FactorCode")
    assert row["taxCode"] not in by_key(sap["VatGroups"], "Code")
    vendor = by_key(sap["BusinessPartners"], "CardCode")[bad["frozen_vendor"]["supplierCode"]]
    assert not usable(vendor, TODAY.isoformat(), "Valid", "Frozen")
    closed = bad["closed_line"]["codingRows"][0]
    order = next(o for o in sap["PurchaseOrders"] if str(o["DocNum"]) == closed["orderNumber"])
    assert order["DocumentStatus"] == "bost_Open"
    assert order["DocumentLines"][int(closed["orderLineNumber"]) - 1]["LineStatus"] == "bost_Close"
    assert bad["sums_disagree"]["netSum"] - sum(row["netTotal"] for row in bad["sums_disagree"]["codingRows"]) == 100


def test_the_others_add_up_to_the_cent_with_the_tax_of_the_day(good, sap):
    vat = by_key(sap["VatGroups"], "Code")
    for invoice in good:
        rows = invoice["codingRows"]
        assert invoice["netSum"] == sum(row["netTotal"] for row in rows)
        assert invoice["taxSum1"] == sum(row["taxSum"] for row in rows)
        assert invoice["grossSum"] == invoice["netSum"] + invoice["taxSum1"] == sum(row["grossTotal"] for row in rows)
        for row in rows:
            rate = charged_rate(vat[row.get("taxCode") or invoice["taxCode"]], invoice["invoiceDate"][:10])
            assert (row["taxPercent"], row["taxSum"]) == (rate, tax_on(row["netTotal"], rate))


def test_the_others_use_only_codes_that_can_be_posted_to(good, sap):
    accounts, vat = by_key(sap["ChartOfAccounts"], "Code"), by_key(sap["VatGroups"], "Code")
    centers, projects = by_key(sap["ProfitCenters"], "CenterCode"), by_key(sap["Projects"], "Code")
    rules = by_key(sap["DistributionRules"], "FactorCode")
    for invoice in good:
        day = posting_day(invoice)
        for row in invoice["codingRows"]:
            account = accounts[row["accountCode"]]
            assert (account["ActiveAccount"], account["LockManualTransaction"]) == ("tYES", "tNO")
            assert account["BlockManualPosting"] == "tNO"
            assert usable(account, day, "ValidFor", "FrozenFor")
            assert rules[row["costCenterCode"]]["InWhichDimension"] == 1
            center = centers.get(row["costCenterCode"], {"Active": "tYES"})
            assert center["Active"] == "tYES"
            assert within(day, center.get("EffectiveFrom"), center.get("EffectiveTo"))
            group = vat[row.get("taxCode") or invoice["taxCode"]]
            assert (group["Category"], group["Inactive"]) == ("bovcInputTax", "tNO")
            project = projects[row.get("projectCode", "P001")]
            assert project["Active"] == "tYES"
            assert within(day, project.get("ValidFrom"), project.get("ValidTo"))


def test_the_others_come_from_usable_vendors_with_their_bank_and_currency(good, sap):
    vendors, currencies = by_key(sap["BusinessPartners"], "CardCode"), by_key(sap["Currencies"], "Code")
    for invoice in good:
        vendor = vendors[invoice["supplierCode"]]
        assert usable(vendor, posting_day(invoice), "Valid", "Frozen")
        assert vendor["SubjectToWithholdingTax"] == "boNO"
        assert currencies[vendor["Currency"]]["DocumentsCode"] == invoice["currencyCode"]
        ibans = [account.get("IBAN", "").replace(" ", "") for account in vendor["BPBankAccounts"]]
        bbans = [account["AccountNo"] for account in vendor["BPBankAccounts"]]
        assert invoice.get("supplierBankIBAN") in [None, *ibans]
        assert invoice.get("supplierBankBBAN") in [None, *bbans]


def test_the_others_lie_in_open_periods_and_numbers_are_unique(good, invoices, sap):
    locked = [period for period in sap["FinancePeriods"] if period["PeriodStatus"] == "ltLocked"]
    for invoice in good:
        day = posting_day(invoice)
        assert invoice["invoiceDate"][:10] <= day <= TODAY.isoformat()
        assert not any(period["PostingDateFrom"] <= day <= period["PostingDateTo"] for period in locked)
    assert len({(invoice["supplierCode"], invoice["invoiceNumber"]) for invoice in invoices}) == 80


def test_matched_rows_take_no_more_than_is_open_on_receipt_or_order(good, sap):
    numbers = Counter(order["DocNum"] for order in sap["PurchaseOrders"])
    orders, receipts = by_key(sap["PurchaseOrders"], "DocNum"), by_key(sap["PurchaseDeliveryNotes"], "DocNum")
    taken: Counter[tuple[str, int, int]] = Counter()
    available: dict[tuple[str, int, int], Decimal] = {}
    for invoice in good:
        for row in invoice["codingRows"]:
            if "orderNumber" not in row:
                continue
            order = orders[int(row["orderNumber"])]
            assert numbers[order["DocNum"]] == 1
            assert order["CardCode"] == invoice["supplierCode"]
            line = next(line for line in order["DocumentLines"] if str(line["LineNum"] + 1) == row["orderLineNumber"])
            open_quantity = line["RemainingOpenQuantity"]
            key = ("order", order["DocEntry"], line["LineNum"])
            if "goodsReceiptNumber" in row:
                receipt = receipts[int(row["goodsReceiptNumber"])]
                received = receipt["DocumentLines"][int(row["goodsReceiptItemNumber"]) - 1]
                assert (received["BaseEntry"], received["BaseLine"]) == (order["DocEntry"], line["LineNum"])
                key, open_quantity = (
                    ("receipt", receipt["DocEntry"], received["LineNum"]),
                    received["RemainingOpenQuantity"],
                )
            elif line["Quantity"] == 0:
                assert row["netTotal"] == line["OpenAmount"]
                continue
            taken[key] += row["allocatedQuantity"]
            available[key] = open_quantity
    without_receipt = [key for key, quantity in taken.items() if quantity > available[key]]
    assert all(kind == "order" for kind, _, _ in without_receipt), "only rows spread over receipts may exceed the order"
    assert len(available) >= 50


def test_all_kinds_of_postings_are_among_them(good):
    def rows(test):
        return sum(any(test(row) for row in invoice["codingRows"]) for invoice in good)

    assert rows(lambda row: "goodsReceiptNumber" in row) == 13
    assert rows(lambda row: "orderNumber" in row and "goodsReceiptNumber" not in row) == 15
    assert rows(lambda row: row.get("taxSum2")) == 9
    assert sum(invoice["grossSum"] < 0 for invoice in good) == 6
    assert sum(invoice["currencyCode"] != "EUR" for invoice in good) == 7
    assert sum(len({row["taxPercent"] for row in invoice["codingRows"]}) > 1 for invoice in good) == 8


@pytest.mark.parametrize("offset", range(0, 365, 13))
def test_invoices_are_sound_on_every_day_of_the_year(offset):
    today = date(2026, 1, 1) + timedelta(days=offset)
    for invoice in Dataset(today).invoices():
        assert invoice["invoiceDate"][:10] <= invoice.get("voucherDate", today.isoformat())[:10] <= today.isoformat()


def test_invoices_fit_the_openapi_document(invoices):
    contracts = Path(os.environ.get("CONTRACTS", "../shared/contracts"))
    if not (contracts / "basware-p2p-openapi.json").exists():
        pytest.skip(f"the contracts are not here ({contracts})")
    document = json.loads((contracts / "basware-p2p-openapi.json").read_text(encoding="utf-8"))
    schema = {**document, "$ref": "#/components/schemas/AccountingDocumentEntity"}
    validator = jsonschema.Draft202012Validator(schema)
    for invoice in invoices:
        validator.validate(json.loads(encode(invoice)))
