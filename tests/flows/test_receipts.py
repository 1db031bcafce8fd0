"""Goods receipts and returns are read for a page of orders at a time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.outcomes import Rejected
from syncengine.flows.receipts import ReceiptReader
from tests.flows.world import FakeSap, order, receipt, receipt_line

Record = dict[str, Any]
RETURN = receipt(
    DocEntry=40,
    DocNum=7001,
    DocumentLines=[receipt_line(BaseType=20, BaseEntry=530, BaseLine=0, Quantity=Decimal(5))],
)
DRAWN = receipt(DocumentLines=[receipt_line(RemainingOpenQuantity=Decimal(30))])


def complete(orders: list[Record], **tables: list[Record]) -> list[Record]:
    return ReceiptReader(FakeSap(**{"PurchaseDeliveryNotes": [], **tables})).complete(orders)


def places(lines: list[Record]) -> list[tuple[int, int]]:
    return [(line["DocEntry"], line["LineNum"]) for line in lines]


def test_an_order_gets_the_receipt_lines_based_on_it_with_what_their_header_says():
    (found,) = complete([order()], PurchaseDeliveryNotes=[receipt()])
    (line,) = found["Receipts"]
    assert (line["DocEntry"], line["DocNum"], line["NumAtCard"], line["BaseLine"]) == (530, 20001501, "DN-88120", 0)


def test_receipts_come_oldest_first():
    notes = [receipt(DocEntry=540), receipt(DocEntry=530, DocumentLines=[receipt_line(LineNum=n) for n in (1, 0)])]
    (found,) = complete([order()], PurchaseDeliveryNotes=notes)
    assert places(found["Receipts"]) == [(530, 0), (530, 1), (540, 0)]


def test_each_order_gets_its_own():
    lines = [receipt_line(), receipt_line(LineNum=1, BaseEntry=813), receipt_line(LineNum=2, BaseEntry=999)]
    orders = [order(), order(DocEntry=813), order(DocEntry=814)]
    found = complete(orders, PurchaseDeliveryNotes=[receipt(DocumentLines=lines)])
    assert [places(one["Receipts"]) for one in found] == [[(530, 0)], [(530, 1)], []]


@pytest.mark.parametrize("base", [{"BaseType": 18}, {"BaseType": -1, "BaseEntry": None}, {"BaseType": None}])
def test_lines_with_another_base_are_none_of_its_receipts(base: Record):
    (found,) = complete([order()], PurchaseDeliveryNotes=[receipt(DocumentLines=[receipt_line(**base)])])
    assert found["Receipts"] == []


def test_the_mirror_of_a_cancellation_is_no_receipt_but_the_cancelled_one_is():
    notes = [receipt(CancelStatus="csYes"), receipt(DocEntry=531, CancelStatus="csCancellation")]
    (found,) = complete([order()], PurchaseDeliveryNotes=notes)
    assert places(found["Receipts"]) == [(530, 0)]


def test_receipts_are_asked_for_by_vendor_and_not_older_than_the_oldest_order():
    sap = FakeSap(PurchaseDeliveryNotes=[receipt(CreationDate="2026-09-30"), receipt(DocEntry=531)])
    orders = [order(), order(DocEntry=700, CreationDate="2026-10-01")]
    found, _ = ReceiptReader(sap).complete(orders)
    assert places(found["Receipts"]) == [(531, 0)]
    assert sap.asked == [
        (
            "PurchaseDeliveryNotes",
            "(CardCode eq 'V10012') and (CreationDate ge '2026-10-01' or CreationDate eq null)",
        )
    ]


def test_a_receipt_without_a_creation_date_is_not_lost():
    (found,) = complete([order()], PurchaseDeliveryNotes=[receipt(CreationDate=None)])
    assert len(found["Receipts"]) == 1


def test_an_order_without_a_creation_date_has_receipts_of_any_age():
    (found,) = complete([order(CreationDate=None)], PurchaseDeliveryNotes=[receipt(CreationDate="2001-01-01")])
    assert len(found["Receipts"]) == 1


def test_a_page_of_many_vendors_is_asked_for_in_filters_that_are_short_enough():
    sap = FakeSap(PurchaseDeliveryNotes=[])
    ReceiptReader(sap).complete([order(DocEntry=n, CardCode=f"V'{n:03}") for n in range(40)])
    assert len(sap.asked) == 3
    assert max(where.count(" eq ") for _, where in sap.asked) < 20
    assert "CardCode eq 'V''000'" in sap.asked[0][1]


def test_no_orders_are_no_question():
    sap = FakeSap()
    assert ReceiptReader(sap).complete([]) == []
    assert sap.asked == []


def test_returns_come_with_the_receipts_they_are_based_on():
    (found,) = complete([order()], PurchaseDeliveryNotes=[DRAWN], PurchaseReturns=[RETURN])
    assert [(line["DocEntry"], line["BaseEntry"], line["Quantity"]) for line in found["Returns"]] == [(40, 530, 5)]


def test_a_return_of_another_line_of_the_receipt_belongs_to_that_lines_order():
    lines = [receipt_line(RemainingOpenQuantity=Decimal(0)), receipt_line(LineNum=1, BaseEntry=813)]
    returned = receipt(DocEntry=40, DocumentLines=[receipt_line(BaseType=20, BaseEntry=530, BaseLine=1)])
    notes = [receipt(DocumentLines=lines)]
    one, other = complete([order(), order(DocEntry=813)], PurchaseDeliveryNotes=notes, PurchaseReturns=[returned])
    assert (places(one["Returns"]), places(other["Returns"])) == ([], [(40, 0)])


def test_returns_are_not_asked_for_while_nothing_was_taken_from_the_receipts():
    sap = FakeSap(PurchaseDeliveryNotes=[receipt()])
    ReceiptReader(sap).complete([order()])
    assert [name for name, _ in sap.asked] == ["PurchaseDeliveryNotes"]


def test_a_company_without_returns_is_asked_once_a_run():
    sap = FakeSap(PurchaseDeliveryNotes=[DRAWN])
    reader = ReceiptReader(sap)
    for _ in range(3):
        (found,) = reader.complete([order()])
        assert found["Returns"] == []
    assert [name for name, _ in sap.asked].count("PurchaseReturns") == 1


def test_any_other_refusal_is_not_swallowed():
    class Refusing(FakeSap):
        def _matching(self, name: str, where: str, key: str) -> list[Record]:
            if name == "PurchaseReturns":
                raise Rejected("not permitted", code="sap_-6006")
            return super()._matching(name, where, key)

    with pytest.raises(Rejected, match="not permitted"):
        ReceiptReader(Refusing(PurchaseDeliveryNotes=[DRAWN])).complete([order()])
