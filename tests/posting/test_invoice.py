"""Reading a Basware document: what it becomes, its signs, its rows (default-mapping.md, "What it becomes")."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.flows.invoicing.rules import default_rules
from tests.posting.builders import TODAY, document, invoice, mapped, negated, order_row, reading, row, terms


def codes(source: dict[str, Any], **changed: Any) -> list[str]:
    return [problem.code for problem in reading(source, terms(**changed)).problems]


# What it becomes


def test_a_positive_document_is_a_purchase_invoice():
    assert invoice().entity_set == "PurchaseInvoices"


def test_a_negative_gross_sum_makes_a_purchase_credit_note_of_positive_sums():
    read = invoice(negated(document([row(1, "100.00"), row(2, "-10.00")])))
    assert read.entity_set == "PurchaseCreditNotes"
    assert (read.net, read.gross) == (Decimal("90.00"), Decimal("112.95"))
    assert [one.net for one in read.rows] == [Decimal("100.00"), Decimal("-10.00")]


def test_quantities_of_a_credit_note_turn_with_the_sums():
    read = invoice(negated(document([order_row(1, "10")])))
    assert (read.rows[0].matched, read.rows[0].allocated) == (Decimal(10), Decimal(10))


def test_a_credit_note_type_with_positive_sums_is_credited_as_it_stands():
    read = invoice(document(invoiceTypeCode="CRN"), terms(credit_note_types=["CRN"]))
    assert (read.kind, read.gross) == ("credit_note", Decimal("125.50"))


def test_an_unlisted_type_decides_nothing():
    assert invoice(document(invoiceTypeCode="CRN")).kind == "invoice"


def test_an_invoice_type_with_a_negative_sum_is_a_problem():
    source = negated(document(invoiceTypeCode="INV"))
    assert codes(source, invoice_types=["INV"]) == ["invoice_type"]


@pytest.mark.parametrize("gross", [Decimal(0), None])
def test_a_gross_sum_of_nothing_is_a_problem(gross: Decimal | None):
    assert codes(document(grossSum=gross)) == ["sums"]


def test_a_gross_sum_of_zero_may_be_allowed():
    rows = [row(1, "10.00"), row(2, "-10.00")]
    assert codes(document(rows), allow_zero_total=True) == []


@given(st.lists(st.decimals(min_value=-(10**5), max_value=10**5, places=2), min_size=1, max_size=6))
def test_whatever_the_rows_a_document_and_its_negative_hold_the_same_sums(nets: list[Decimal]):
    source = document([row(index, str(net)) for index, net in enumerate(nets, start=1)])
    if source["grossSum"] == 0:
        return
    one, other = invoice(source), invoice(negated(source))
    positive = one if one.kind == "invoice" else other
    assert positive.gross == abs(source["grossSum"])
    assert {one.kind, other.kind} == {"invoice", "credit_note"}
    assert [line.net for line in one.rows] == [line.net for line in other.rows]


# Header


def test_the_header_is_taken_field_by_field():
    read = invoice()
    assert (read.card_code, read.number, read.currency, read.foreign) == ("V10012", "INV-1187", "EUR", False)
    assert (read.doc_date, read.tax_date, read.due_date) == (date(2026, 11, 19), date(2026, 11, 18), date(2026, 12, 18))
    assert (read.payment_group, read.description) == ("3", "Office supplies, November")
    assert read.journal_memo == "Basware INV-1187"
    assert not read.payment_block


def test_without_a_voucher_date_the_posting_date_is_today():
    assert invoice(document(voucherDate=None)).doc_date == TODAY


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-18T00:00:00Z", 18),
        ("2026-11-18", 18),
        ("2026-11-18T23:59:59-08:00", 18),
        ("2026-11-18T00:00:00+14:00", 18),
    ],
)
def test_dates_are_the_first_ten_characters_whatever_zone_follows(written: str, day: int):
    assert invoice(document(invoiceDate=written)).tax_date.day == day


def test_the_currency_is_sap_s_own_code():
    read = invoice(document(currencyCode="USD"))
    assert (read.currency, read.foreign) == ("$", True)


@pytest.mark.parametrize(("iso", "net"), [("EUR", "100.01"), ("JPY", "100")])
def test_sums_are_rounded_to_the_currency_s_decimals(iso: str, net: str):
    read = invoice(document([row(1, "100.01")], currencyCode=iso))
    assert read.rows[0].net == Decimal(net)


@pytest.mark.parametrize("name", ["supplierCode", "invoiceNumber", "invoiceDate", "currencyCode"])
def test_a_required_field_without_a_value_is_a_problem(name: str):
    found = reading(document(**{name: None})).problems
    assert [problem.code for problem in found] == ["required"]
    assert name in found[0].message


def test_the_payment_term_goes_through_the_lookup_table():
    lookups = {"payment_terms": {"NT30": "3"}}
    assert invoice(document(paymentTermCode="NT30"), terms(lookups=lookups)).payment_group == "3"


def test_the_branch_is_looked_up_by_element_then_by_company():
    lookups = {"branches": {"HEL": "2", "1000": "1"}}
    read = {
        code: invoice(document(organizationElementCode=code), terms(lookups=lookups)).branch for code in ("HEL", "X")
    }
    assert read == {"HEL": "2", "X": "1"}


def test_either_bank_account_counts():
    read = invoice(document(supplierBankIBAN="FI21", supplierBankBBAN="123"))
    assert read.bank_accounts == ("FI21", "123")


@pytest.mark.parametrize(("field", "value"), [("cashPercent", Decimal(2)), ("cashSum", Decimal("46.44"))])
def test_a_cash_discount_is_noticed(field: str, value: Decimal):
    assert invoice(document(**{field: value})).cash_discount
    assert not invoice(document(**{field: Decimal(0)})).cash_discount


def test_a_long_number_is_cut_and_noted():
    result = mapped(document(invoiceNumber="9" * 120))
    assert len(result.target["NumAtCard"]) == 100
    assert "text_cut" in result.flags


# Rows


def test_rows_come_in_the_order_of_their_index_gaps_and_all():
    read = invoice(document([row(30, "3.00"), row(10, "1.00"), row(20, "2.00")]))
    assert [(one.number, one.net) for one in read.rows] == [
        ("10", Decimal("1.00")),
        ("20", Decimal("2.00")),
        ("30", Decimal("3.00")),
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"lastComment": "Paper"}, "Paper"),
        ({}, "Office supplies, November"),
    ],
)
def test_the_text_is_the_comment_else_the_description(fields: dict[str, str], text: str):
    assert invoice(document([row(**fields)])).rows[0].text == text


def test_without_comment_and_description_the_text_is_the_account_s_name():
    assert invoice(document(description=None)).rows[0].text == "Office supplies"


def test_the_header_s_tax_code_stands_in_when_no_row_has_one():
    rows = [row(1, taxCode=None), row(2, taxCode=None)]
    assert [one.tax_code for one in invoice(document(rows, taxCode="I10")).rows] == ["I10", "I10"]


def test_the_header_s_tax_code_does_not_stand_in_when_one_row_has_its_own():
    rows = [row(1, taxCode="I255"), row(2, taxCode=None)]
    assert [one.tax_code for one in invoice(document(rows, taxCode="I10")).rows] == ["I255", ""]


def test_a_tax_code_may_be_translated():
    lookups = {"tax_codes": {"V255": "I255"}}
    rows = [row(1, taxCode="V255"), row(2, taxCode="I10")]
    assert [one.tax_code for one in invoice(document(rows), terms(lookups=lookups)).rows] == ["I255", "I10"]


def test_no_rows_at_all_are_a_problem():
    assert "rows" in codes(document([], netSum=Decimal(1), grossSum=Decimal(1)))


def test_a_row_without_a_net_sum_is_a_problem_that_names_it():
    found = reading(document([row(7, netTotal=None)], netSum=Decimal(1), grossSum=Decimal(1))).problems
    assert [problem.message for problem in found] == ["coding row 7 has no net sum"]


def test_what_a_customer_maps_besides_is_kept_for_the_body():
    rules = [
        *default_rules(),
        {"target": "U_Season", "source": "text1"},
        {"target": "DocumentLines[].CostingCode2", "source": "dimCode1"},
    ]
    source = document([row(dimCode1="FLEET")], text1="winter")
    read = reading(source, rules=rules).invoice
    assert read.extra == {"U_Season": "winter"}
    assert read.rows[0].extra == {"CostingCode2": "FLEET"}


def test_sums_and_bases_are_not_a_customer_s_to_map():
    rules = [
        *default_rules(),
        {"target": "DocTotal", "source": "grossSum"},
        {"target": "DocumentLines[].LineTotal", "source": "grossTotal"},
    ]
    read = reading(document(), rules=rules).invoice
    assert (read.extra, read.rows[0].extra) == ({}, {})


def test_a_long_text_of_a_row_is_cut_and_noted():
    result = mapped(document([row(lastComment="x" * 150)]))
    assert len(result.target["DocumentLines"][0]["ItemDescription"]) == 100
    assert "text_cut" in result.flags
