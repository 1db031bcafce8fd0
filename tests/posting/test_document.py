"""The body that is posted, field by field (default-mapping.md, "Header" and "Lines")."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors import jsonio
from syncengine.connectors.sap_b1 import check_document
from syncengine.posting.document import Plan, comments, known_bank_account
from syncengine.posting.findings import Period
from tests.posting.builders import (
    INVOICE_ID,
    base,
    document,
    findings,
    invoice,
    negated,
    order_row,
    plan,
    row,
    tax,
    terms,
    vendor,
    with_order,
)

USD = {"currencyCode": "USD"}


def lines(made: Plan) -> list[dict[str, Any]]:
    return list(made.body["DocumentLines"])


def test_a_service_invoice_is_exactly_this():
    assert plan().body == {
        "DocType": "dDocument_Service",
        "CardCode": "V10012",
        "NumAtCard": "INV-1187",
        "DocDate": "2026-11-19",
        "TaxDate": "2026-11-18",
        "DocDueDate": "2026-12-18",
        "DocCurrency": "EUR",
        "PaymentGroupCode": 3,
        "DiscountPercent": Decimal(0),
        "PaymentBlock": "tNO",
        "Comments": f"Basware {INVOICE_ID}\nOffice supplies, November",
        "JournalMemo": "Basware INV-1187",
        "U_BW_InvoiceId": INVOICE_ID,
        "DocumentLines": [
            {
                "ItemDescription": "Office supplies, November",
                "AccountCode": "6701",
                "LineTotal": Decimal("100.00"),
                "VatGroup": "I255",
                "CostingCode": "ADM",
                "DiscountPercent": Decimal(0),
            }
        ],
    }


def test_an_order_line_is_exactly_this():
    made = plan(document([order_row(projectCode="P001")]), with_order(base()))
    assert made.body["DocType"] == "dDocument_Items"
    assert lines(made) == [
        {
            "BaseType": 22,
            "BaseEntry": 812,
            "BaseLine": 0,
            "Quantity": Decimal(10),
            "UnitPrice": Decimal("10.000000"),
            "Currency": "EUR",
            "VatGroup": "I255",
            "CostingCode": "ADM",
            "ProjectCode": "P001",
            "DiscountPercent": Decimal(0),
        }
    ]


@pytest.mark.parametrize(
    "source",
    [
        document(),
        document([row(1), row(2, "-5.00")]),
        negated(document()),
        document([order_row()]),
        document([order_row(), row(2, accountCode="6400")]),
        document(**USD),
    ],
    ids=["service", "discount", "credit", "order", "freight", "foreign"],
)
def test_every_body_is_one_that_sap_takes(source: dict[str, Any]):
    asked = terms(lookups={"charges": {"6400": "1"}})
    assert check_document(plan(source, with_order(base()), asked).body) == []


def test_doc_total_is_never_sent():
    assert "DocTotal" not in jsonio.dumps(plan().body)


def test_a_plan_survives_being_stored():
    made = plan(
        document([order_row(), row(2, accountCode="6400")]),
        with_order(base()),
        terms(lookups={"charges": {"6400": "1"}}),
    )
    assert Plan.from_dict(jsonio.loads(jsonio.dumps(made.to_dict()))) == made


# Dates and terms


def test_a_due_date_that_is_not_given_is_left_to_sap():
    assert "DocDueDate" not in plan(document(dueDate=None)).body


def test_a_term_with_several_instalments_sets_its_own_due_dates():
    found = findings(payment_term={"GroupNumber": 3, "NumberOfInstallments": 3})
    assert "DocDueDate" not in plan(found=found).body


def test_a_term_that_is_none_of_ours_is_left_out_and_noted():
    made = plan(document(paymentTermCode="NT30"), findings(payment_term=None))
    assert "PaymentGroupCode" not in made.body
    assert "payment term NT30 is none of SAP's" in made.notes[0]


def test_a_cash_discount_that_the_term_does_not_give_is_noted():
    source = document(cashPercent=Decimal(2))
    assert "cash discount" in plan(source).notes[0]
    given = findings(payment_term={"GroupNumber": 3, "DiscountCode": "2/10"})
    assert plan(source, given).notes == ()


def test_a_locked_period_moves_the_posting_date_when_the_setting_says_so():
    found = findings(period=Period(known=True, is_open=False, next_open=date(2026, 12, 1)))
    body = plan(found=found, asked=terms(next_open_day=True)).body
    assert (body["DocDate"], body["TaxDate"]) == ("2026-12-01", "2026-11-18")


# Text


def test_comments_begin_with_the_whole_mark_and_end_within_the_limit():
    made = plan(document(description="x" * 400))
    assert made.body["Comments"].startswith(f"Basware {INVOICE_ID}\nxxx")
    assert len(made.body["Comments"]) == 254
    assert made.flags == ("text_cut",)
    assert "Comments was cut" in made.notes[0]


def test_without_a_description_the_mark_stands_alone():
    assert comments(invoice(document(description=None))) == f"Basware {INVOICE_ID}"


def test_a_description_is_not_sent_empty():
    source = document([row(accountName=None)], description=None)
    assert "ItemDescription" not in lines(plan(source))[0]


# Money


def test_foreign_money_goes_as_price_and_currency_never_as_line_total():
    line = lines(plan(document(**USD)))[0]
    assert (line["UnitPrice"], line["Currency"]) == (Decimal("100.00"), "$")
    assert "LineTotal" not in line


def test_foreign_money_may_go_as_row_total_by_setting():
    line = lines(plan(document(**USD), asked=terms(foreign_amount_field="RowTotalFC")))[0]
    assert line["RowTotalFC"] == Decimal("100.00")
    assert not {"LineTotal", "UnitPrice"} & set(line)


@pytest.mark.parametrize(("accuracy", "price"), [(6, "33.333333"), (2, "33.33"), (4, "33.3333")])
def test_the_price_has_sap_s_accuracy(accuracy: int, price: str):
    source = document([order_row(quantity="3", net="100.00")])
    line = lines(plan(source, with_order(base()), terms(price_decimals=accuracy)))[0]
    assert line["UnitPrice"] == Decimal(price)


def test_a_credit_note_carries_positive_sums():
    made = plan(negated(document([row(1), row(2, "-10.00")])))
    assert made.entity_set == "PurchaseCreditNotes"
    assert [line["LineTotal"] for line in lines(made)] == [Decimal("100.00"), Decimal("-10.00")]
    assert made.gross == Decimal("112.95")


def test_freight_goes_into_additional_expenses_with_its_sign():
    source = document(
        [order_row(), row(2, "-15.00", accountCode="6400", projectCode="P001", lastComment="Freight back")]
    )
    made = plan(source, with_order(base()), terms(lookups={"charges": {"6400": "7"}}))
    assert made.body["DocumentAdditionalExpenses"] == [
        {
            "ExpenseCode": 7,
            "LineTotal": Decimal("-15.00"),
            "VatGroup": "I255",
            "DistributionRule": "ADM",
            "Project": "P001",
            "Remarks": "Freight back",
            "DistributionMethod": "aedm_None",
        }
    ]
    assert (made.line_nets, made.expense_nets) == ((Decimal("100.00"),), (Decimal("-15.00"),))


def test_foreign_freight_has_its_own_field():
    source = document([order_row(), row(2, "15.00", accountCode="6400")], **USD)
    made = plan(source, with_order(base(currency="$")), terms(lookups={"charges": {"6400": "7"}}))
    assert made.body["DocumentAdditionalExpenses"][0]["LineTotalFC"] == Decimal("15.00")


# Coding


@pytest.mark.parametrize(
    ("dimension", "field", "rule"), [(1, "CostingCode", "DistributionRule"), (3, "CostingCode3", "DistributionRule3")]
)
def test_the_dimension_decides_the_field(dimension: int, field: str, rule: str):
    asked = terms(dimension=dimension, lookups={"charges": {"6400": "7"}})
    centers = {"ADM": {"CenterCode": "ADM", "InWhichDimension": dimension, "Active": "tYES"}}
    found = with_order(base(), cost_centers=centers)
    made = plan(document([order_row(), row(2, accountCode="6400")]), found, asked)
    assert lines(made)[0][field] == "ADM"
    assert made.body["DocumentAdditionalExpenses"][0][rule] == "ADM"


def test_the_tax_field_is_the_company_s():
    line = lines(plan(asked=terms(tax_field="TaxCode")))[0]
    assert line["TaxCode"] == "I255"
    assert "VatGroup" not in line


@pytest.mark.parametrize(
    ("inherited", "sent"),
    [({"cost_center": "HR", "project": "P9"}, {"CostingCode": "", "ProjectCode": ""}), ({"cost_center": ""}, {})],
)
def test_what_the_base_would_leave_behind_is_sent_empty(inherited: dict[str, str], sent: dict[str, str]):
    source = document([order_row(costCenterCode=None)])
    line = lines(plan(source, with_order(base(**inherited))))[0]
    assert {name: line[name] for name in ("CostingCode", "ProjectCode") if name in line} == sent


def test_a_customer_s_own_fields_ride_along():
    read = plan(document(), findings())
    assert "U_Season" not in read.body


# Branch, mark, withholding


def test_a_branch_is_sent_only_where_the_company_has_branches():
    lookups = {"branches": {"1000": "2"}}
    asked = terms(branches=True, lookups=lookups)
    assert plan(found=findings(branch={"BPLID": 2}), asked=asked).body["BPL_IDAssignedToInvoice"] == 2
    assert "BPL_IDAssignedToInvoice" not in plan(asked=terms(lookups=lookups)).body


def test_without_a_field_of_its_own_the_mark_is_in_comments_alone():
    body = plan(asked=terms(mark_field="")).body
    assert not [name for name in body if name.startswith("U_")]
    assert INVOICE_ID in body["Comments"]


@pytest.mark.parametrize(("setting", "liable"), [("sap", "tYES"), ("none", "tNO")])
def test_withholding_follows_the_setting(setting: Any, liable: str):
    found = findings(vendor=vendor(SubjectToWithholdingTax="boYES"))
    assert lines(plan(found=found, asked=terms(withholding_tax=setting)))[0]["WTLiable"] == liable


def test_a_vendor_without_withholding_gets_no_flag():
    assert "WTLiable" not in lines(plan(asked=terms(withholding_tax="sap")))[0]


# Payment block


def test_the_document_s_own_block_is_kept():
    assert plan(document(paymentBlock=True)).body["PaymentBlock"] == "tYES"


@pytest.mark.parametrize(
    ("field", "account", "block"),
    [
        ("supplierBankIBAN", "FI2112345600000785", "tNO"),
        ("supplierBankIBAN", "fi21 1234 5600 0007 85", "tNO"),
        ("supplierBankBBAN", "123", "tNO"),
        ("supplierBankIBAN", "DE89370400440532013000", "tYES"),
        ("supplierBankBBAN", "999", "tYES"),
    ],
)
def test_an_account_that_is_not_the_vendor_s_blocks_the_payment(field: str, account: str, block: str):
    made = plan(document(**{field: account}))
    assert made.body["PaymentBlock"] == block
    assert ("bank_account_unknown" in made.flags) == (block == "tYES")


def test_the_vendor_s_own_iban_field_counts_too():
    assert known_bank_account(invoice(document(supplierBankIBAN="FI99")), {"IBAN": "FI 99"})


def test_a_paid_down_payment_not_yet_drawn_blocks_the_payment():
    made = plan(found=findings(open_down_payments=["77"]))
    assert (made.body["PaymentBlock"], made.flags) == ("tYES", ("open_down_payment",))
    assert "(77)" in made.notes[0]


def test_a_down_payment_does_not_block_a_credit_note():
    assert plan(negated(document()), findings(open_down_payments=["77"])).flags == ()


def test_unlinked_parts_of_service_orders_are_kept_for_the_balance():
    line = base(is_item=False, ordered_quantity=Decimal(0))
    made = plan(document([order_row(net="40.00")]), with_order(line))
    assert made.unlinked == ((812, 0, Decimal("40.00")),)


def test_reverse_charge_is_posted_like_any_other_code():
    source = document(
        [
            row(
                taxCode="IRC",
                taxPercent=Decimal(0),
                taxPercent2=Decimal("25.5"),
                taxSum=Decimal(0),
                grossTotal=Decimal("100.00"),
            )
        ]
    )
    made = plan(source, findings(taxes={"IRC": tax("IRC", reverse=True)}))
    assert (lines(made)[0]["VatGroup"], made.tax, made.gross) == ("IRC", Decimal("0.00"), Decimal("100.00"))
