"""Read back after every post: whose document is it, and is it what the invoice says? (contracts: SAP §8.4)"""

from decimal import Decimal
from typing import Any

import pytest

from syncengine.posting.readback import Difference, carries_mark, differences, is_ours, select_for, totals_of
from tests.posting.builders import INVOICE_ID, base, document, order_row, plan, posted, row, terms, with_order


def found(document_in_sap: dict[str, Any], **changed: Any) -> list[Difference]:
    return differences(document_in_sap, plan(**changed), terms())


def test_what_sap_made_of_it_is_the_invoice():
    assert found(posted(plan())) == []


@pytest.mark.parametrize("cents", ["0.01", "-0.02", "0.02"])
def test_cents_are_rounding(cents: str):
    made = plan()
    assert differences(posted(made, DocTotal=Decimal("125.50") + Decimal(cents)), made, terms()) == []


def yen(gross: int) -> list[Difference]:
    """An invoice over 1256 yen of which SAP made another sum."""
    coded = row(1, "1001", taxSum=Decimal(255), grossTotal=Decimal(1256))
    made = plan(document([coded], currencyCode="JPY"))
    sums = {"VatSumFc": Decimal(255), "DocTotalFc": Decimal(gross)}
    return differences(posted(made, **sums), made, terms())


def test_a_yen_or_two_are_rounding_where_there_are_no_cents():
    assert yen(1257) == []
    assert yen(1258) == []
    assert yen(1259) == [Difference("amount", "gross 1259 in SAP, 1256 on the invoice")]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DocTotal": Decimal("125.53")}, "gross 125.53 in SAP, 125.50 on the invoice"),
        ({"VatSum": Decimal("25.53")}, "tax 25.53 in SAP, 25.50 on the invoice"),
        ({"DocCurrency": "$"}, "SAP posted in $, the invoice is in EUR"),
    ],
)
def test_a_difference_of_sums_is_an_amount(changed: dict[str, Any], words: str):
    assert Difference("amount", words) in found(posted(plan(), **changed))


def test_withholding_belongs_to_the_gross_sum():
    assert found(posted(plan(), DocTotal=Decimal("115.50"), WTAmount=Decimal("10.00"))) == []


@pytest.mark.parametrize("name", ["AccountCode", "CostingCode", "ProjectCode", "VatGroup"])
def test_a_line_that_is_coded_otherwise_is_a_coding_difference(name: str):
    made = plan()
    in_sap = posted(made)
    in_sap["DocumentLines"][0][name] = "other"
    (difference,) = differences(in_sap, made, terms())
    assert difference.kind == "coding"
    assert f"{name} is other in SAP" in difference.message


def test_empty_and_missing_coding_are_the_same():
    made = plan()
    in_sap = posted(made)
    in_sap["DocumentLines"][0]["ProjectCode"] = None
    assert differences(in_sap, made, terms()) == []


def test_a_line_s_net_may_differ_by_a_cent():
    made = plan(document([row(1), row(2, "50.00")]))
    in_sap = posted(made)
    in_sap["DocumentLines"][0]["LineTotal"] += Decimal("0.01")
    assert differences(in_sap, made, terms()) == []
    in_sap["DocumentLines"][0]["LineTotal"] += Decimal("0.01")
    assert "line 1: net 100.02 in SAP" in differences(in_sap, made, terms())[0].message


def test_the_account_of_an_item_line_is_sap_s():
    made = plan(document([order_row()]), with_order(base()))
    in_sap = posted(made)
    in_sap["DocumentLines"][0]["AccountCode"] = "1400"
    assert differences(in_sap, made, terms()) == []


def test_lines_are_compared_in_sap_s_own_order():
    made = plan(document([row(1), row(2, "50.00", costCenterCode=None)]))
    in_sap = posted(made)
    in_sap["DocumentLines"].reverse()
    assert differences(in_sap, made, terms()) == []


def test_a_missing_line_is_a_difference():
    made = plan(document([row(1), row(2)]))
    in_sap = posted(made)
    del in_sap["DocumentLines"][1]
    assert "SAP has 1 lines, 2 were sent" in differences(in_sap, made, terms())[0].message


def test_foreign_documents_are_compared_in_their_currency():
    made = plan(document(currencyCode="USD"))
    in_sap = posted(made, DocTotal=Decimal(1), VatSum=Decimal(1))
    assert differences(in_sap, made, terms()) == []
    assert differences(in_sap | {"DocTotalFc": Decimal(1)}, made, terms())


def test_expenses_count_into_the_net_sum():
    asked = terms(lookups={"charges": {"6400": "1"}})
    made = plan(document([order_row(), row(2, "15.00", accountCode="6400")]), with_order(base()), asked)
    in_sap = posted(made)
    assert totals_of(in_sap, foreign=False).net == Decimal("115.00")
    assert differences(in_sap, made, asked) == []


# Whose is it?


@pytest.mark.parametrize(
    "changed",
    [{"CardCode": "V2"}, {"NumAtCard": "other"}, {"U_BW_InvoiceId": "other"}],
)
def test_a_document_of_another_invoice_is_not_ours(changed: dict[str, str]):
    made = plan()
    assert is_ours(posted(made), made, terms())
    assert not is_ours(posted(made, **changed), made, terms())


def test_without_the_field_the_mark_in_comments_decides():
    asked = terms(mark_field="")
    made = plan(asked=asked)
    assert is_ours(posted(made), made, asked)
    assert not is_ours(posted(made, Comments="Basware 1"), made, asked)


@pytest.mark.parametrize(
    ("comments", "carried"),
    [
        (f"Basware {INVOICE_ID}", True),
        (f"Checked. Basware {INVOICE_ID}\nSupplies", True),
        (f"Basware {INVOICE_ID}0", False),
        (f"xBasware {INVOICE_ID}", False),
        (None, False),
    ],
)
def test_the_mark_is_a_word_of_comments(comments: str | None, carried: bool):
    assert carries_mark({"Comments": comments}, INVOICE_ID) is carried


def test_the_mark_field_is_read_where_there_is_one():
    assert select_for(terms())[-1] == "U_BW_InvoiceId"
    assert "U_BW_InvoiceId" not in select_for(terms(mark_field=""))
