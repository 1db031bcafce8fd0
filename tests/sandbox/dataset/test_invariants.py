"""What holds of the data set on any day: sums, references, bank accounts, orders and receipts, and how it repeats."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.sandbox.dataset import COMPANY_CODE, Dataset
from syncengine.sandbox.server import encode

Document = dict[str, Any]
CENT = Decimal("0.01")
DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
ANY_DAY = settings(max_examples=12, deadline=None)
DOCUMENT_SETS = ("PurchaseOrders", "PurchaseDeliveryNotes", "PurchaseInvoices")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def by(documents: list[Document], key: str) -> dict[Any, Document]:
    return {document[key]: document for document in documents}


def good_of(dataset: Dataset) -> list[Document]:
    bad = set(dataset.bad_invoices().values())
    return [invoice for invoice in dataset.invoices() if invoice["invoiceId"] not in bad]


def rows_of(invoices: list[Document]) -> list[Document]:
    return [row for invoice in invoices for row in invoice["codingRows"]]


@ANY_DAY
@given(DAYS)
def test_there_are_eighty_invoices_of_which_exactly_four_are_bad(today):
    dataset = Dataset(today)
    invoices = dataset.invoices()
    assert (len(invoices), len(good_of(dataset))) == (80, 76)
    assert list(dataset.bad_invoices()) == ["unknown_codes", "frozen_vendor", "closed_line", "sums_disagree"]
    assert len({invoice["invoiceId"] for invoice in invoices}) == 80
    assert len({invoice["bumid"] for invoice in invoices}) == 80
    assert len({row["externalCode"] for row in rows_of(invoices)}) == len(rows_of(invoices))
    assert {invoice["companyCode"] for invoice in invoices} == {COMPANY_CODE}
    assert {invoice["processingStatus"] for invoice in invoices} == {"WaitingForTransfer"}


@ANY_DAY
@given(DAYS)
def test_good_invoices_add_up_row_by_row_and_in_total(today):
    for invoice in good_of(Dataset(today)):
        rows = invoice["codingRows"]
        for row in rows:
            assert row["grossTotal"] == row["netTotal"] + row["taxSum"]
            assert row["taxSum"] == cents(row["netTotal"] * row["taxPercent"] / 100)
            assert cents(row["netTotal"]) == row["netTotal"], "amounts have two decimals"
        for total, part in (("netSum", "netTotal"), ("taxSum1", "taxSum"), ("grossSum", "grossTotal")):
            assert invoice[total] == sum(row[part] for row in rows)
        assert invoice["grossSum"] == invoice["netSum"] + invoice["taxSum1"] != 0


@ANY_DAY
@given(DAYS)
def test_the_sums_in_company_currency_follow_the_rate(today):
    for invoice in good_of(Dataset(today)):
        rate = invoice["exchangeRateCompany"]
        assert (rate == 1) == (invoice["currencyCode"] == "EUR")
        for name in ("netSum", "taxSum1", "grossSum"):
            assert invoice[f"{name}Company"] == cents(invoice[name] * rate)


@ANY_DAY
@given(DAYS)
def test_the_only_invoice_that_disagrees_with_its_rows_is_the_bad_one(today):
    dataset = Dataset(today)
    wrong = [
        invoice["invoiceId"]
        for invoice in dataset.invoices()
        if invoice["netSum"] != sum(row["netTotal"] for row in invoice["codingRows"])
    ]
    assert wrong == [dataset.bad_invoices()["sums_disagree"]]


@ANY_DAY
@given(DAYS)
def test_the_only_unknown_codes_are_in_the_bad_invoice(today):
    dataset = Dataset(today)
    sap = dataset.sap()
    known = {
        "accountCode": set(by(sap["ChartOfAccounts"], "Code")),
        "costCenterCode": set(by(sap["DistributionRules"], "FactorCode")),
        "taxCode": set(by(sap["VatGroups"], "Code")),
        "projectCode": set(by(sap["Projects"], "Code")),
    }
    vendors, terms = by(sap["BusinessPartners"], "CardCode"), by(sap["PaymentTermsTypes"], "GroupNumber")
    for invoice in dataset.invoices():
        unknown = {
            name
            for row in invoice["codingRows"]
            for name in known
            if row.get(name, None) and row[name] not in known[name]
        }
        if invoice["invoiceId"] == dataset.bad_invoices()["unknown_codes"]:
            assert unknown == {"accountCode", "costCenterCode", "taxCode"}
        else:
            assert unknown == set()
        vendor = vendors[invoice["supplierCode"]]
        assert vendor["CardType"] == "cSupplier"
        assert (invoice["supplierName"], invoice["paymentTermCode"]) == (
            vendor["CardName"],
            str(vendor["PayTermsGrpCode"]),
        )
        assert int(invoice["paymentTermCode"]) in terms


@ANY_DAY
@given(DAYS)
def test_every_order_and_receipt_that_a_row_names_exists_and_is_the_vendors(today):
    dataset = Dataset(today)
    sap = dataset.sap()
    orders, receipts = by(sap["PurchaseOrders"], "DocNum"), by(sap["PurchaseDeliveryNotes"], "DocNum")
    for invoice in dataset.invoices():
        numbers = {row["orderNumber"] for row in invoice["codingRows"] if "orderNumber" in row}
        assert sorted(numbers) == invoice.get("orderNumbers", [])
        for row in invoice["codingRows"]:
            if "orderNumber" not in row:
                continue
            order = orders[int(row["orderNumber"])]
            assert order["CardCode"] == invoice["supplierCode"]
            assert order["CancelStatus"] == "csNo"
            assert int(row["orderLineNumber"]) - 1 in {line["LineNum"] for line in order["DocumentLines"]}
            if "goodsReceiptNumber" in row:
                receipt = receipts[int(row["goodsReceiptNumber"])]
                assert receipt["NumAtCard"] == row["deliveryNoteNumber"]
                assert {line["BaseEntry"] for line in receipt["DocumentLines"]} == {order["DocEntry"]}


@ANY_DAY
@given(DAYS)
def test_bank_accounts_on_invoices_belong_to_the_vendor_and_ibans_check(today):
    dataset = Dataset(today)
    vendors = by(dataset.sap()["BusinessPartners"], "CardCode")
    seen: dict[str, str] = {}
    for code, vendor in vendors.items():
        for account in vendor["BPBankAccounts"]:
            assert account["BPCode"] == code
            number = account.get("IBAN", "").replace(" ", "")
            if number:
                digits = "".join(str(int(letter, 36)) for letter in number[4:] + number[:4])
                assert int(digits) % 97 == 1
                assert seen.setdefault(number, code) == code, "no two vendors share an account"
    for invoice in dataset.invoices():
        accounts = vendors[invoice["supplierCode"]]["BPBankAccounts"]
        ibans = {account.get("IBAN", "").replace(" ", "") for account in accounts}
        if "supplierBankIBAN" in invoice:
            assert invoice["supplierBankIBAN"] in ibans
            assert " " not in invoice["supplierBankIBAN"]
        else:
            assert invoice["supplierBankBBAN"] in {account["AccountNo"] for account in accounts}


@ANY_DAY
@given(DAYS)
def test_documents_in_sap_are_the_sum_of_their_lines_in_both_currencies(today):
    sap = Dataset(today).sap()
    for name in DOCUMENT_SETS:
        for document in sap[name]:
            lines = document["DocumentLines"]
            foreign = document["DocCurrency"] != "EUR"
            assert document["DocTotal"] == sum(line["LineTotal"] + line["TaxTotal"] for line in lines)
            assert document["VatSum"] == sum(line["TaxTotal"] for line in lines)
            assert (document["DocTotalFc"] > 0) == foreign
            for line in lines:
                assert line["Currency"] == document["DocCurrency"]
                net = line["RowTotalFC"] if foreign else line["LineTotal"]
                assert net == cents(line["UnitPrice"] * (line["Quantity"] or 1))
                if foreign:
                    assert line["LineTotal"] == cents(net * document["DocRate"])


@ANY_DAY
@given(DAYS)
def test_never_more_is_received_than_ordered_nor_more_invoiced_than_received(today):
    sap = Dataset(today).sap()
    taken: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    for name in ("PurchaseDeliveryNotes", "PurchaseInvoices"):
        for document in sap[name]:
            for line in document["DocumentLines"]:
                if document["CancelStatus"] == "csNo":
                    taken[name][line["BaseEntry"], line["BaseLine"]] += line["Quantity"]
    for base, target in (("PurchaseOrders", "PurchaseDeliveryNotes"), ("PurchaseDeliveryNotes", "PurchaseInvoices")):
        documents = by(sap[base], "DocEntry")
        for (entry, number), quantity in taken[target].items():
            line = by(documents[entry]["DocumentLines"], "LineNum")[number]
            assert quantity <= line["Quantity"]
            assert line["RemainingOpenQuantity"] == line["Quantity"] - quantity


@ANY_DAY
@given(DAYS)
def test_what_is_open_in_money_is_the_open_share_of_the_line(today):
    sap = Dataset(today).sap()
    for name in DOCUMENT_SETS:
        for document in sap[name]:
            for line in document["DocumentLines"]:
                open_line = line["LineStatus"] == "bost_Open"
                assert open_line == (line["OpenAmount"] > 0)
                if line["Quantity"]:
                    share = line["RemainingOpenQuantity"] / line["Quantity"]
                    assert line["OpenAmount"] == cents(line["LineTotal"] * share)
                elif open_line:
                    assert line["OpenAmount"] == line["LineTotal"]


@ANY_DAY
@given(DAYS)
def test_a_document_is_open_while_one_of_its_lines_is(today):
    sap = Dataset(today).sap()
    for name in DOCUMENT_SETS:
        for document in sap[name]:
            some_open = any(line["LineStatus"] == "bost_Open" for line in document["DocumentLines"])
            assert (document["DocumentStatus"] == "bost_Open") == some_open, (name, document["DocEntry"])
            assert not (document["CancelStatus"] != "csNo" and some_open)


@ANY_DAY
@given(DAYS)
def test_every_code_inside_sap_leads_somewhere(today):
    sap = Dataset(today).sap()
    known = {
        "AccountCode": set(by(sap["ChartOfAccounts"], "Code")),
        "VatGroup": set(by(sap["VatGroups"], "Code")),
        "CostingCode": set(by(sap["DistributionRules"], "FactorCode")),
        "CostingCode2": set(by(sap["DistributionRules"], "FactorCode")),
        "ProjectCode": set(by(sap["Projects"], "Code")),
        "ItemCode": set(by(sap["Items"], "ItemCode")),
    }
    currencies, partners = by(sap["Currencies"], "Code"), by(sap["BusinessPartners"], "CardCode")
    terms = by(sap["PaymentTermsTypes"], "GroupNumber")
    for name in DOCUMENT_SETS:
        for document in sap[name]:
            assert document["CardName"] == partners[document["CardCode"]]["CardName"]
            assert document["DocCurrency"] in currencies
            assert document["PaymentGroupCode"] in terms
            for line in document["DocumentLines"]:
                for field, codes in known.items():
                    assert line.get(field) is None or line[field] in codes, (name, field)


@ANY_DAY
@given(DAYS)
def test_rules_split_over_centers_that_exist_and_accounts_hang_below_titles(today):
    sap = Dataset(today).sap()
    centers, accounts = by(sap["ProfitCenters"], "CenterCode"), by(sap["ChartOfAccounts"], "Code")
    dimensions = by(sap["Dimensions"], "DimensionCode")
    for rule in sap["DistributionRules"]:
        parts = rule["DistributionRuleLines"]
        assert rule["TotalFactor"] == sum(part["TotalInCenter"] for part in parts)
        assert {centers[part["CenterCode"]]["InWhichDimension"] for part in parts} == {rule["InWhichDimension"]}
        assert dimensions[rule["InWhichDimension"]]["IsActive"] == "tYES"
    for code in centers:
        assert any(rule["FactorCode"] == code for rule in sap["DistributionRules"]), "every center has its own rule"
    for account in accounts.values():
        parent = accounts.get(account["FatherAccountKey"])
        assert (parent is None) == (account["AccountLevel"] == 1)
        assert parent is None or parent["ActiveAccount"] == "tNO"


@ANY_DAY
@given(DAYS)
def test_dates_are_days_in_order(today):
    for invoice in Dataset(today).invoices():
        invoiced = date.fromisoformat(invoice["invoiceDate"][:10])
        assert today - timedelta(days=40) <= invoiced <= today
        assert invoice["invoiceDate"].endswith("T00:00:00Z")
        if "voucherDate" in invoice:
            assert invoiced <= date.fromisoformat(invoice["voucherDate"][:10]) <= today
        if "dueDate" in invoice:
            assert invoice["dueDate"] >= invoice["invoiceDate"]


@ANY_DAY
@given(DAYS)
def test_the_posting_dates_of_all_good_invoices_lie_in_open_periods(today):
    dataset = Dataset(today)
    periods = dataset.sap()["FinancePeriods"]
    for invoice in good_of(dataset):
        day = invoice.get("voucherDate", today.isoformat())[:10]
        (period,) = [p for p in periods if p["PostingDateFrom"] <= day <= p["PostingDateTo"]]
        assert period["PeriodStatus"] == "ltUnlocked"
        assert period["TaxDateFrom"] <= invoice["invoiceDate"][:10] <= period["TaxDateTo"]


@ANY_DAY
@given(DAYS)
def test_the_frozen_vendor_has_one_bad_invoice_and_no_good_one(today):
    dataset = Dataset(today)
    frozen = {
        p["CardCode"] for p in dataset.sap()["BusinessPartners"] if p["Frozen"] == "tYES" and not p.get("FrozenTo")
    }
    bad = by(dataset.invoices(), "invoiceId")[dataset.bad_invoices()["frozen_vendor"]]
    assert bad["supplierCode"] in frozen
    assert not frozen & {invoice["supplierCode"] for invoice in good_of(dataset)}


@settings(max_examples=6, deadline=None)
@given(DAYS, st.integers(0, 20))
def test_a_day_and_a_scale_always_give_the_same_data(today, scale):
    first, second = Dataset(today, scale), Dataset(today, scale)
    assert encode(first.sap()) == encode(second.sap())
    assert encode(first.invoices()) == encode(second.invoices())
    assert first.bad_invoices() == second.bad_invoices()


@settings(max_examples=6, deadline=None)
@given(DAYS, st.integers(1, 50))
def test_scale_adds_suppliers_and_changes_nothing_else(today, scale):
    plain, scaled = Dataset(today), Dataset(today, scale)
    partners = scaled.sap()["BusinessPartners"]
    assert partners[:500] == plain.sap()["BusinessPartners"]
    assert len(partners) == 500 + scale
    assert {partner["CardType"] for partner in partners[500:]} == {"cSupplier"}
    assert encode(scaled.invoices()) == encode(plain.invoices())


@settings(max_examples=6, deadline=None)
@given(DAYS)
def test_identities_do_not_depend_on_the_day(today):
    """What was transferred yesterday is recognised today."""
    first, second = Dataset(today), Dataset(today + timedelta(days=1))
    assert [i["invoiceId"] for i in first.invoices()] == [i["invoiceId"] for i in second.invoices()]
    assert set(by(first.sap()["BusinessPartners"], "CardCode")) == set(by(second.sap()["BusinessPartners"], "CardCode"))


def test_what_sap_gets_can_be_changed_without_changing_the_invoices():
    dataset = Dataset(date(2026, 5, 4))
    before = encode(dataset.invoices())
    for name in DOCUMENT_SETS:
        for document in dataset.sap()[name]:
            document["DocumentLines"].clear()
            document["CardCode"] = "changed"
    assert encode(dataset.invoices()) == before
