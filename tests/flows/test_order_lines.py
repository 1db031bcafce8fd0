"""One order line with its receipts, as default-mapping.md has it, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.flows.company import FlowContext, Known
from syncengine.flows.order_lines import order_lines
from syncengine.flows.purchase_orders import PurchaseOrders
from tests.flows.contract import Record, build
from tests.flows.world import FACTS, context, order, order_line, receipt, receipt_line

FLOW = PurchaseOrders()
HEADER = {name: receipt()[name] for name in ("DocEntry", "DocNum", "DocDate", "NumAtCard", "CancelStatus")}


def received(**changed: Any) -> Record:
    return {**HEADER, **receipt_line(**changed)}


def sent(line: Record, *receipts: Record, ctx: FlowContext | None = None, **header: Any) -> Record:
    """The one line of an order as it goes to Basware."""
    returns = header.pop("returns", [])
    source = order(DocumentLines=[line], Receipts=list(receipts), Returns=returns, **header)
    built = build(FLOW, source, ctx)
    assert not built.problems, built.problems
    return built.payload["lines"][0]


def service(**changed: Any) -> Record:
    return order_line(**{"ItemCode": None, "Quantity": Decimal(0), "Price": Decimal(0), **changed})


def test_an_item_line_goes_field_by_field():
    assert sent(order_line()) == {
        "externalCode": "1000-POL-812/0",
        "orderExternalCode": "1000-PO-812",
        "lineNumber": "1",
        "sortNumber": 1,
        "productCode": "PAPER-A4",
        "description": "Copy paper A4",
        "matchingMode": "Standard",
        "quantity": 200,
        "isReceiptRequired": True,
        "isReceiptBasedMatching": True,
        "netPrice": Decimal("5.0"),
        "netSum": Decimal("1000.00"),
        "taxCode": "I255",
        "taxPercent": Decimal("25.5"),
        "isClosed": False,
        "isDeleted": False,
        "invoicedQuantity": 0,
        "invoicedNetSum": 0,
        "orderLineCoding": [
            {
                "externalCode": "1000-OC-812/0",
                "rowIndex": 1,
                "accountCode": "6000",
                "costCenterCode": "CC100",
                "allocatedQuantity": 200,
                "netTotal": Decimal("1000.00"),
            }
        ],
    }


def test_a_service_line_is_a_blanket_of_one_piece_by_its_sum():
    line = sent(service(), DocType="dDocument_Service")
    assert line["matchingMode"] == "Blanket"
    assert (line["quantity"], line["netPrice"], line["netSum"]) == (1, 1000, 1000)
    assert (line["isReceiptRequired"], line["isReceiptBasedMatching"]) == (False, False)
    assert line["orderLineCoding"][0]["allocatedQuantity"] == 1
    assert "productCode" not in line


def test_a_service_line_with_a_real_quantity_is_still_one_piece():
    line = sent(service(Quantity=Decimal(10), Price=Decimal(100)), DocType="dDocument_Service")
    assert (line["quantity"], line["netPrice"]) == (1, 1000)


def test_by_setting_item_lines_are_matched_with_the_order():
    line = sent(order_line(), ctx=context(settings={"matching": "order"}))
    assert (line["isReceiptRequired"], line["isReceiptBasedMatching"]) == (False, False)


def test_the_line_number_is_that_of_people_and_never_moves():
    line = sent(order_line(LineNum=4))
    assert (line["lineNumber"], line["sortNumber"], line["externalCode"]) == ("5", 5, "1000-POL-812/4")


@pytest.mark.parametrize(("unit", "uom"), [("pcs", "PCE"), ("box", None), (None, None)])
def test_the_unit_goes_through_its_lookup_else_it_is_left_out(unit: str | None, uom: str | None):
    ctx = context(lookups={"units": {"pcs": "PCE"}})
    assert sent(order_line(MeasureUnit=unit), ctx=ctx).get("uom") == uom


def test_in_foreign_currency_the_sum_is_that_of_the_document():
    line = order_line(RowTotalFC=Decimal("1100.00"))
    assert sent(line, DocCurrency="$")["netSum"] == 1100
    assert sent(line)["netSum"] == 1000


def test_sums_are_rounded_to_the_decimals_of_the_currency():
    assert str(sent(order_line(LineTotal=Decimal("10.005")))["netSum"]) == "10.01"
    assert str(sent(order_line(RowTotalFC=Decimal("1100.4")), DocCurrency="JPY")["netSum"]) == "1100"


def test_the_price_keeps_all_its_decimals():
    assert str(sent(order_line(Price=Decimal("0.012345")))["netPrice"]) == "0.012345"


def test_a_company_with_tax_codes_sends_the_tax_code():
    ctx = context(facts=replace(FACTS, tax_field="TaxCode"))
    assert sent(order_line(TaxCode="NY"), ctx=ctx)["taxCode"] == "NY"


@pytest.mark.parametrize(("dimension", "center"), [(1, "CC100"), (3, "D3"), (2, None)])
def test_the_cost_center_is_the_costing_code_of_the_connections_dimension(dimension: int, center: str | None):
    line = sent(order_line(CostingCode3="D3", CostingCode2=""), ctx=context(cost_center_dimension=dimension))
    assert line["orderLineCoding"][0].get("costCenterCode") == center


def test_the_project_goes_with_the_coding():
    assert sent(order_line(ProjectCode="PRJ01"))["orderLineCoding"][0]["projectCode"] == "PRJ01"


# Open and closed


CLOSED = {"LineStatus": "bost_Close", "RemainingOpenQuantity": Decimal(0)}


@pytest.mark.parametrize(
    ("line", "receipts", "is_closed"),
    [
        ({}, [], False),
        (CLOSED, [], True),
        (CLOSED, [{}], False),
        (CLOSED, [CLOSED], True),
        (CLOSED, [CLOSED, {"DocEntry": 531}], False),
        (CLOSED, [{"CancelStatus": "csYes"}], True),
        ({}, [CLOSED], False),
        (CLOSED, [{"BaseLine": 7}], True),
    ],
)
def test_a_line_is_open_while_sap_has_it_open_or_something_received_is_not_invoiced(
    line: Record, receipts: list[Record], is_closed: bool
):
    goods = [received(**one) for one in receipts]
    assert sent(order_line(**line), *goods)["isClosed"] is is_closed


# Receipts


def test_a_receipt_line_goes_field_by_field():
    assert sent(order_line(), received(LineNum=2))["goodsReceipts"] == [
        {
            "externalCode": "1000-GR-530/2",
            "goodsReceiptNumber": "20001501",
            "goodsReceiptLineNumber": "3",
            "quantity": 80,
            "netPrice": 5,
            "netSum": 400,
            "deliveryDate": "2026-11-10T00:00:00Z",
            "deliveryNoteNumber": "DN-88120",
        }
    ]


def test_receipts_that_are_invoiced_go_on_being_sent_since_a_post_replaces_the_line():
    goods = [received(**CLOSED), received(DocEntry=531)]
    assert len(sent(order_line(), *goods)["goodsReceipts"]) == 2


def test_a_cancelled_receipt_goes_as_deleted():
    (cancelled,) = sent(order_line(), received(CancelStatus="csYes"))["goodsReceipts"]
    assert cancelled["isDeleted"] is True


def test_a_receipt_without_a_price_goes_with_that_of_its_sum():
    (goods,) = sent(order_line(), received(Price=None, Quantity=Decimal(3), LineTotal=Decimal(10)))["goodsReceipts"]
    assert goods["netPrice"] == Decimal("3.333333")


def test_a_receipt_of_nothing_is_none():
    assert "goodsReceipts" not in sent(order_line(), received(Quantity=Decimal(0)))


def test_in_foreign_currency_a_receipt_is_too():
    line = order_line(RowTotalFC=Decimal(1100))
    (goods,) = sent(line, received(RowTotalFC=Decimal(440)), DocCurrency="$")["goodsReceipts"]
    assert goods["netSum"] == 440


def test_a_service_line_has_no_receipts_in_basware():
    assert "goodsReceipts" not in sent(service(), received(), DocType="dDocument_Service")


def returned(**changed: Any) -> Record:
    base = {"DocEntry": 40, "DocNum": 7001, "BaseType": 20, "BaseEntry": 530, "BaseLine": 0, "Quantity": Decimal(5)}
    return {**HEADER, **receipt_line(**{**base, "LineTotal": Decimal(25), **changed})}


def test_a_return_is_a_negative_receipt_that_names_the_one_it_reduces():
    _, reduced = sent(order_line(), received(), returns=[returned()])["goodsReceipts"]
    assert reduced == {
        "externalCode": "1000-GR-40/0R",
        "goodsReceiptNumber": "7001",
        "goodsReceiptLineNumber": "1",
        "quantity": -5,
        "netPrice": 5,
        "netSum": -25,
        "deliveryDate": "2026-11-10T00:00:00Z",
        "deliveryNoteNumber": "DN-88120",
        "referenceGRExternalCode": "1000-GR-530/0",
    }


def test_a_return_and_a_receipt_of_the_same_doc_entry_are_told_apart():
    codes = [one["externalCode"] for one in sent(order_line(), received(DocEntry=40), returns=[
        returned(BaseEntry=40)])["goodsReceipts"]]  # fmt: skip
    assert codes == ["1000-GR-40/0", "1000-GR-40/0R"]


def test_a_cancelled_return_reduces_nothing():
    assert len(sent(order_line(), received(), returns=[returned(CancelStatus="csYes")])["goodsReceipts"]) == 1


# What SAP had invoiced before


def invoiced(line: Record, *receipts: Record, **header: Any) -> tuple[Decimal, Decimal]:
    body = sent(line, *receipts, **header)
    return body["invoicedQuantity"], body["invoicedNetSum"]


@pytest.mark.parametrize(
    ("line", "receipts", "expected"),
    [
        ({}, [], (0, 0)),
        ({"RemainingOpenQuantity": Decimal(150)}, [], (50, 250)),
        ({"RemainingOpenQuantity": Decimal(120)}, [{}], (0, 0)),
        ({"RemainingOpenQuantity": Decimal(120)}, [{"RemainingOpenQuantity": Decimal(30)}], (50, 250)),
        ({"RemainingOpenQuantity": Decimal(100)}, [{"RemainingOpenQuantity": Decimal(30)}], (70, 350)),
        ({"RemainingOpenQuantity": Decimal(120)}, [CLOSED], (80, 400)),
        ({"RemainingOpenQuantity": Decimal(120)}, [CLOSED | {"RemainingOpenQuantity": None}], (80, 400)),
        ({"RemainingOpenQuantity": Decimal(200)}, [{"CancelStatus": "csYes"}], (0, 0)),
        (CLOSED, [{"Quantity": Decimal(250), "RemainingOpenQuantity": Decimal(0)}], (200, 1000)),
        ({"RemainingOpenQuantity": None}, [], (0, 0)),
        ({"RemainingOpenQuantity": Decimal(199)}, [], (1, 5)),
    ],
)
def test_invoiced_before_is_what_neither_order_nor_receipts_have_open(
    line: Record, receipts: list[Record], expected: tuple[int, int]
):
    assert invoiced(order_line(**line), *(received(**one) for one in receipts)) == expected


def test_what_was_returned_was_not_invoiced():
    line = order_line(RemainingOpenQuantity=Decimal(120))
    goods = received(RemainingOpenQuantity=Decimal(60))
    assert invoiced(line, goods, returns=[returned()]) == (15, 75)


@pytest.mark.parametrize(
    ("line", "receipts", "expected"),
    [
        ({}, [], (0, 0)),
        ({"OpenAmount": Decimal(600)}, [], (0, 400)),
        ({"OpenAmount": Decimal(0), "LineStatus": "bost_Close"}, [], (1, 1000)),
        ({"OpenAmount": None}, [], (0, 0)),
        ({"OpenAmount": Decimal(600)}, [{}], (0, 0)),
        ({"OpenAmount": Decimal(600)}, [{"OpenAmount": Decimal(100)}], (0, 300)),
    ],
)
def test_of_a_service_line_the_sum_counts(line: Record, receipts: list[Record], expected: tuple[int, int]):
    goods = [received(**one) for one in receipts]
    assert invoiced(service(**line), *goods, DocType="dDocument_Service") == expected


def test_what_was_invoiced_at_the_first_send_is_sent_unchanged_ever_after():
    first = build(FLOW, order(DocumentLines=[order_line(RemainingOpenQuantity=Decimal(150))], Receipts=[]))
    ctx = context(known={"812": Known(first.payload, first.payload, first.source)})
    later = sent(order_line(RemainingOpenQuantity=Decimal(20)), ctx=ctx)
    assert (later["invoicedQuantity"], later["invoicedNetSum"]) == (50, 250)


def test_a_line_added_later_has_a_first_send_of_its_own():
    first = build(FLOW, order())
    ctx = context(known={"812": Known(first.payload, first.payload, first.source)})
    added = order_line(LineNum=1, RemainingOpenQuantity=Decimal(150))
    _, line = build(FLOW, order(DocumentLines=[order_line(), added]), ctx).payload["lines"]
    assert line["invoicedQuantity"] == 50


quantities = st.decimals(0, 1000, places=2)


@given(quantities, quantities, st.lists(st.tuples(quantities, quantities), max_size=4), st.booleans())
def test_invoiced_before_is_never_negative_and_never_more_than_ordered(
    quantity: Decimal, remaining: Decimal, goods: list[tuple[Decimal, Decimal]], is_service: bool
):
    line = order_line(Quantity=quantity, RemainingOpenQuantity=remaining, OpenAmount=remaining)
    receipts = [received(Quantity=got, RemainingOpenQuantity=left, OpenAmount=left) for got, left in goods]
    kind = "dDocument_Service" if is_service else "dDocument_Items"
    source = order(DocumentLines=[line], Receipts=receipts, Returns=[], DocType=kind)
    (found,) = order_lines(source, context())
    taken, sum_ = found.invoiced()
    assert 0 <= taken <= found.quantity
    assert 0 <= sum_ <= found.net_sum
