"""What SAP computes of a document: tax by rate and date, totals, currencies, charges, discounts, withholding.

(contracts: SAP §8.2, §8.4, §11 point 8)
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.company import Company
from syncengine.sandbox.sap_b1.documents import Documents
from syncengine.sandbox.store import Store
from tests.sandbox.sap_b1.conftest import error_of

DAY = date(2026, 5, 4)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CENT = Decimal("0.01")
RATES = {"I255": "25.5", "I135": "13.5", "I10": "10", "I0": "0", "IRC": "0", "IEU": "0", "IND": "25.5"}
COMPANY = Company(Store(), Dataset(DAY), lambda: NOON)
DOCUMENTS = Documents(COMPANY)


def cents(amount) -> Decimal:
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


def built(lines, **header):
    """A service invoice as SAP would compute it; building writes nothing."""
    given = {"DocType": "dDocument_Service", "CardCode": "V10004", "DocDate": "2026-05-04", "DocumentLines": lines}
    return DOCUMENTS.build("PurchaseInvoices", given | header).document


def cost(amount, code="I255", **more):
    return {"AccountCode": "6701", "LineTotal": Decimal(amount), "VatGroup": code} | more


AMOUNTS = st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2)
LINES = st.lists(st.tuples(AMOUNTS, st.sampled_from(sorted(RATES))), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_the_total_is_the_lines_and_each_lines_tax_to_the_cent(lines):
    made = built([cost(amount, code) for amount, code in lines])
    taxes = [cents(amount * Decimal(RATES[code]) / 100) for amount, code in lines]
    assert [line["TaxTotal"] for line in made["DocumentLines"]] == taxes
    assert made["VatSum"] == sum(taxes)
    assert made["DocTotal"] == sum(amount for amount, _ in lines) + sum(taxes)
    assert (made["DocTotalFc"], made["VatSumFc"], made["DocRate"]) == (0, 0, 1)


@settings(max_examples=100, deadline=None)
@given(LINES, st.sampled_from([("$", "0.92"), ("SKR", "0.0875"), ("GBP", "1.17")]))
def test_a_foreign_document_has_exact_totals_in_its_own_currency(lines, currency):
    code, rate = currency
    rows = [{"AccountCode": "6701", "UnitPrice": amount, "Currency": code, "VatGroup": vat} for amount, vat in lines]
    made = built(rows, DocCurrency=code)
    net, tax = sum(a for a, _ in lines), sum(cents(a * Decimal(RATES[vat]) / 100) for a, vat in lines)
    assert (made["DocTotalFc"], made["VatSumFc"]) == (net + tax, tax)
    assert made["DocRate"] == Decimal(rate)
    assert made["DocTotal"] == sum(line["LineTotal"] + line["TaxTotal"] for line in made["DocumentLines"])
    assert [line["RowTotalFC"] for line in made["DocumentLines"]] == [amount for amount, _ in lines]
    assert [line["LineTotal"] for line in made["DocumentLines"]] == [cents(a * Decimal(rate)) for a, _ in lines]


@settings(max_examples=100, deadline=None)
@given(st.decimals("0.01", "500", places=2), st.integers(1, 400))
def test_a_line_with_quantity_and_price_has_their_product(price, quantity):
    line = {"AccountCode": "6701", "UnitPrice": price, "Quantity": Decimal(quantity), "VatGroup": "I0"}
    made = built([line])
    assert made["DocTotal"] == cents(price * quantity)
    assert made["DocumentLines"][0]["RemainingOpenQuantity"] == quantity


@pytest.mark.parametrize(
    ("tax_date", "code", "rate"),
    [
        ("2024-08-31", "I255", "24"),
        ("2024-09-01", "I255", "25.5"),
        ("2026-05-04", "I255", "25.5"),
        ("2025-12-31", "I135", "14"),
        ("2026-01-01", "I135", "13.5"),
        ("2026-05-04", "IRC", "0"),
        ("2026-05-04", "IND", "25.5"),
    ],
)
def test_the_rate_is_the_latest_that_holds_on_the_tax_date(tax_date, code, rate):
    period = COMPANY.period("2026-05-04")
    kept, period["TaxDateFrom"] = period["TaxDateFrom"], "2020-01-01"
    try:
        made = built([cost(100, code)], TaxDate=tax_date, DocDueDate="2026-06-01")
    finally:
        period["TaxDateFrom"] = kept
    assert made["DocumentLines"][0]["TaxPercentagePerRow"] == Decimal(rate)
    assert made["VatSum"] == Decimal(rate)


def test_the_vendors_tax_code_is_taken_where_the_line_has_none():
    line = {"AccountCode": "6701", "LineTotal": Decimal(100)}
    made = built([line])
    assert made["DocumentLines"][0]["VatGroup"] == COMPANY.collection("BusinessPartners")["V10004"]["VatGroup"]


def test_half_a_cent_goes_up():
    assert built([cost("0.10", "I135")])["VatSum"] == Decimal("0.01")
    assert built([cost("10.02", "I255")])["VatSum"] == Decimal("2.56")
    assert built([cost("100", "I255")])["VatSum"] == Decimal("25.50")


def test_a_discount_on_the_line_reduces_its_net_and_its_tax():
    made = built([cost(100, DiscountPercent=Decimal(10))])
    assert (made["DocumentLines"][0]["LineTotal"], made["VatSum"]) == (90, Decimal("22.95"))


def test_a_discount_on_the_header_reduces_both_totals():
    made = built([cost(200)], DiscountPercent=Decimal(50))
    assert (made["VatSum"], made["DocTotal"]) == (Decimal("25.50"), Decimal("125.50"))
    assert made["DocumentLines"][0]["LineTotal"] == 200


def test_a_rounding_difference_counts_only_where_rounding_is_on():
    assert built([cost(100, "I0")], Rounding="tYES", RoundingDiffAmount=Decimal("0.02"))["DocTotal"] == Decimal(
        "100.02"
    )
    assert built([cost(100, "I0")], RoundingDiffAmount=Decimal("0.02"))["DocTotal"] == 100


def test_a_total_that_was_sent_becomes_a_discount_and_the_tax_stays():
    made = built([cost(100)], DocTotal=Decimal("120.00"))
    assert (made["DocTotal"], made["TotalDiscount"], made["VatSum"]) == (120, Decimal("5.50"), Decimal("25.50"))
    assert "TotalDiscount" not in built([cost(100)], DocTotal=Decimal("125.50"))


@pytest.mark.parametrize(
    ("lines", "total"),
    [([cost(100, "I0"), cost(-100, "I0")], 0), ([cost(100, "I0"), cost(-40, "I0")], 60)],
)
def test_negative_lines_are_fine_down_to_a_total_of_zero(lines, total):
    assert built(lines)["DocTotal"] == total


def test_below_zero_a_total_is_refused(client, service_invoice):
    lines = [service_invoice["DocumentLines"][0] | {"LineTotal": -0.01}]
    refused = error_of(client.post("PurchaseInvoices", service_invoice | {"DocumentLines": lines}))
    assert refused == (400, "-5002", "Document total value must be zero or greater than zero")


def test_the_vendors_currency_is_the_documents_unless_it_says_otherwise():
    partners = COMPANY.collection("BusinessPartners")
    assert partners["V10008"]["Currency"] == "$"
    line = {"AccountCode": "6701", "UnitPrice": Decimal(10), "VatGroup": "I0"}
    assert built([line], CardCode="V10008")["DocCurrency"] == "$"
    assert built([line], CardCode="V10008", DocCurrency="EUR")["DocTotal"] == 10
    assert partners["V10296"]["Currency"] == "##"
    assert built([line], CardCode="V10296")["DocCurrency"] == "EUR"


def test_a_rate_that_was_sent_goes_before_the_table_and_local_currency_has_none():
    line = {"AccountCode": "6701", "UnitPrice": Decimal(100), "Currency": "$", "VatGroup": "I0"}
    assert built([line], DocCurrency="$", DocRate=Decimal("0.5"))["DocTotal"] == 50
    assert built([cost(100, "I0")], DocRate=Decimal("0.5"))["DocRate"] == 1


def test_the_rate_is_that_of_the_posting_date(client, service_invoice, today):
    day, before = today.isoformat(), (today - timedelta(days=1)).isoformat()
    body = {"Currency": "$", "Rate": 0.8, "RateDate": before}
    assert client.post("SBOBobService_SetCurrencyRate", body).status_code == 204
    lines = [{"AccountCode": "6701", "UnitPrice": 100, "Currency": "$", "VatGroup": "I0"}]
    foreign = service_invoice | {"CardCode": "V10008", "DocCurrency": "$", "DocumentLines": lines}
    for posting, rate in ((day, 0.92), (before, 0.8)):
        made = client.post("PurchaseInvoices", foreign | {"DocDate": posting, "TaxDate": before}).json()
        assert (made["DocRate"], made["DocTotal"]) == (rate, rate * 100)


def test_a_currency_without_a_rate_of_the_day_is_named_after_two_spaces(client, service_invoice, sap):
    sap.company.collection("Currencies")["SKR"]["RatesTo"] = "2020-01-01"
    refused = error_of(client.post("PurchaseInvoices", service_invoice | {"DocCurrency": "SKR"}))
    assert refused == (400, "-5002", "Update the exchange rate  , 'SKR'")


@pytest.mark.parametrize("code", ["USD", "SEK", "XXX", "eur"])
def test_currencies_are_those_of_the_company_and_not_iso(client, service_invoice, code):
    assert error_of(client.post("PurchaseInvoices", service_invoice | {"DocCurrency": code}))[1] == "-5002"


def test_charges_of_a_foreign_document_stand_in_both_currencies():
    line = {"AccountCode": "6701", "UnitPrice": Decimal(100), "Currency": "$", "VatGroup": "I0"}
    charge = {"ExpenseCode": 1, "LineTotalFC": Decimal(10), "VatGroup": "I0"}
    made = built([line], DocCurrency="$", DocumentAdditionalExpenses=[charge])
    assert (made["DocTotalFc"], made["DocTotal"]) == (110, Decimal("101.20"))
    by_local = built([line], DocCurrency="$", DocumentAdditionalExpenses=[charge | {"LineTotal": Decimal("9.20")}])
    assert by_local["DocTotalFc"] == 110


def test_a_charge_takes_the_tax_code_of_its_kind_where_it_names_none():
    made = built([cost(100, "I0")], DocumentAdditionalExpenses=[{"ExpenseCode": 2, "LineTotal": Decimal(10)}])
    assert (made["DocumentAdditionalExpenses"][0]["VatGroup"], made["DocTotal"]) == ("I255", Decimal("112.55"))


def post_with_code(sap, *codes):
    for code, rate in codes:
        history = [{"Effectivefrom": "2020-01-01", "Rate": Decimal(rate)}]
        sap.company.collection("WithholdingTaxCodes").put(code, {"WTCode": code, "WithholdingTaxCodes_Lines": history})


@pytest.mark.parametrize(
    ("asked", "withheld"),
    [
        (None, 10.0),
        ([{"WTCode": "L10"}], 10.0),
        ([{"WTCode": "L20"}], 20.0),
        ([{"WTCode": "L20", "TaxableAmount": 50}], 10),
    ],
)
def test_what_is_withheld_goes_by_the_code_and_amount_that_the_document_names(
    client, sap, service_invoice, asked, withheld
):
    post_with_code(sap, ("L10", 10), ("L20", 20))
    line = {"AccountCode": "6701", "LineTotal": 100, "VatGroup": "I255", "WTLiable": "tYES"}
    body = service_invoice | {"CardCode": "V10292", "DocumentLines": [line], "WithholdingTaxDataCollection": asked}
    made = client.post("PurchaseInvoices", body).json()
    assert (made["WTAmount"], made["DocTotal"], made["VatSum"]) == (withheld, 125.5 - withheld, 25.5)


def test_an_unknown_withholding_code_is_refused(client, sap, service_invoice):
    post_with_code(sap, ("L10", 10))
    asked = {"WithholdingTaxDataCollection": [{"WTCode": "NOPE"}], "CardCode": "V10292"}
    assert "WTCode" in error_of(client.post("PurchaseInvoices", service_invoice | asked))[2]


@pytest.mark.parametrize(("vendor", "liable"), [("V10004", "tYES"), ("V10292", "tNO")])
def test_nothing_is_withheld_from_other_vendors_or_other_lines(client, sap, service_invoice, vendor, liable):
    post_with_code(sap, ("L10", 10))
    line = {"AccountCode": "6701", "LineTotal": 100, "VatGroup": "I0", "WTLiable": liable}
    made = client.post("PurchaseInvoices", service_invoice | {"CardCode": vendor, "DocumentLines": [line]}).json()
    assert (made["WTAmount"], made["DocTotal"]) == (0.0, 100.0)


@pytest.mark.parametrize("amount", [0.01, 100.10, 99999.99, "100.10", "7"])
def test_amounts_come_back_as_they_were_sent(client, service_invoice, amount):
    line = {"AccountCode": "6701", "LineTotal": amount, "VatGroup": "I0"}
    made = client.post("PurchaseInvoices", service_invoice | {"DocumentLines": [line]}).json()
    assert made["DocTotal"] == float(amount)
