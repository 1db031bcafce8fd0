"""Rows to base lines: receipts, orders, freight, credit notes (default-mapping.md, "Lines")."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.posting.findings import BaseLine
from syncengine.posting.matching import Matched, is_return, order_references
from tests.posting.builders import (
    base,
    document,
    findings,
    invoice,
    match,
    negated,
    order_row,
    row,
    terms,
    with_order,
)

TEN = Decimal(10)


def bases(matched: Matched) -> list[tuple[int, int, int, Decimal | None, Decimal]]:
    """(base type, entry, line, quantity, net) of each part."""
    return [
        (part.base.base_type, part.base.doc_entry, part.base.line_num, part.quantity, part.net)
        if part.base
        else (0, 0, 0, part.quantity, part.net)
        for part in matched.parts
    ]


def messages(matched: Matched) -> list[str]:
    return [problem.message for problem in matched.problems]


def receipt(entry: int, quantity: str, **more: Any) -> BaseLine:
    return base(20, doc_entry=entry, doc_num=str(20001500 + entry), quantity=Decimal(quantity), **more)


# Rows without an order


def test_a_row_without_an_order_is_one_part_of_a_service_document():
    matched = match(document([row(1), row(2, "50.00")]), findings())
    assert not matched.is_item
    assert bases(matched) == [(0, 0, 0, None, Decimal("100.00")), (0, 0, 0, None, Decimal("50.00"))]


# Item orders


def test_an_open_order_line_without_receipts_is_the_base():
    matched = match(document([order_row()]), with_order(base()))
    assert bases(matched) == [(22, 812, 0, TEN, Decimal("100.00"))]
    assert matched.is_item


def test_a_named_receipt_is_the_base():
    source = document([order_row(quantity="4", net="40.00", goodsReceiptNumber="20001501")])
    matched = match(source, with_order(base(), receipt(1, "6"), receipt(2, "6")))
    assert bases(matched) == [(20, 1, 0, Decimal(4), Decimal("40.00"))]


def test_a_receipt_s_item_number_tells_its_lines_apart():
    lines = [receipt(1, "3", line_num=0), receipt(1, "5", line_num=1)]
    source = document([order_row(quantity="5", net="50.00", goodsReceiptNumber="20001501", goodsReceiptItemNumber="2")])
    assert bases(match(source, with_order(base(), *lines)))[0][:4] == (20, 1, 1, Decimal(5))


def test_without_a_named_receipt_the_open_ones_are_taken_oldest_first():
    source = document([order_row(quantity="8", net="100.00")])
    found = with_order(base(is_open=False), receipt(1, "5", doc_date=date(2026, 1, 1)), receipt(2, "5"))
    assert bases(match(source, found)) == [
        (20, 1, 0, Decimal(5), Decimal("62.50")),
        (20, 2, 0, Decimal(3), Decimal("37.50")),
    ]


def test_what_goes_beyond_the_receipts_is_taken_from_the_open_order_line():
    source = document([order_row(quantity="8", net="80.00")])
    found = with_order(base(quantity=Decimal(5)), receipt(1, "5"))
    assert [part[:4] for part in bases(match(source, found))] == [(20, 1, 0, Decimal(5)), (22, 812, 0, Decimal(3))]


def test_what_goes_beyond_the_receipts_of_a_closed_order_line_is_refused():
    source = document([order_row(quantity="8", net="80.00")])
    found = with_order(base(is_open=False), receipt(1, "5"))
    matched = match(source, found)
    assert [problem.code for problem in matched.problems] == ["quantity"]
    assert "has 5 left" in messages(matched)[0]


def test_a_closed_order_line_without_receipts_is_a_problem_that_says_so():
    matched = match(document([order_row()]), with_order(base(is_open=False)))
    assert messages(matched) == ["coding row 1: order 4500123 line 1 is closed in SAP"]
    assert matched.problems[0].code == "order"


def test_more_than_is_left_is_refused_with_both_figures():
    matched = match(document([order_row(quantity="12", net="120.00")]), with_order(base()))
    assert "has 10 left to invoice in SAP, the invoice takes 12" in messages(matched)[0]


def test_a_named_receipt_is_not_helped_out_by_others():
    source = document([order_row(quantity="8", net="80.00", goodsReceiptNumber="20001501")])
    matched = match(source, with_order(base(), receipt(1, "5"), receipt(2, "5")))
    assert [problem.code for problem in matched.problems] == ["quantity"]


def test_an_unknown_receipt_is_a_problem():
    source = document([order_row(goodsReceiptNumber="77")])
    assert "goods receipt 77" in messages(match(source, with_order(base(), receipt(1, "10"))))[0]


def test_what_one_row_takes_is_gone_for_the_next():
    rows = [order_row(1, "6", "60.00", goodsReceiptNumber="20001501"), order_row(2, "6", "60.00")]
    found = with_order(base(is_open=False), receipt(1, "8"), receipt(2, "4"))
    assert [part[1:4] for part in bases(match(document(rows), found))] == [
        (1, 0, Decimal(6)),
        (1, 0, Decimal(2)),
        (2, 0, Decimal(4)),
    ]


def test_rows_that_name_their_receipt_are_served_before_those_that_do_not():
    rows = [order_row(1, "5", "50.00"), order_row(2, "5", "50.00", goodsReceiptNumber="20001501")]
    found = with_order(base(is_open=False), receipt(1, "5"), receipt(2, "5"))
    matched = match(document(rows), found)
    assert not matched.problems
    assert [part[1] for part in bases(matched)] == [2, 1]


def test_several_rows_of_one_line_take_their_allocated_quantities():
    rows = [
        order_row(1, "10", "60.00", allocatedQuantity=Decimal(6)),
        order_row(2, "10", "40.00", allocatedQuantity=Decimal(4)),
    ]
    matched = match(document(rows), with_order(base()))
    assert [part[3] for part in bases(matched)] == [Decimal(6), Decimal(4)]
    assert not matched.problems


def test_a_single_row_takes_its_matched_quantity():
    source = document([order_row(1, "10", allocatedQuantity=Decimal(1))])
    assert bases(match(source, with_order(base())))[0][3] == TEN


@pytest.mark.parametrize("quantity", [None, Decimal(0), Decimal(-1)])
def test_an_item_row_without_a_quantity_is_a_problem(quantity: Decimal | None):
    matched = match(document([order_row(matchedQuantity=quantity)]), with_order(base()))
    assert [problem.code for problem in matched.problems] == ["quantity"]


def test_a_differing_account_on_an_item_line_is_noted():
    matched = match(document([order_row(accountCode="6002")]), with_order(base()))
    assert matched.notes == ["coding row 1: account 6002 is coded, order 4500123 line 1 posts to 6701"]


@given(
    st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=6), st.integers(min_value=1, max_value=10**6)
)
def test_a_row_over_several_receipts_keeps_its_sum_to_the_cent(quantities: list[int], cents: int):
    net = Decimal(cents) / 100
    source = document([order_row(quantity=str(sum(quantities)), net=str(net))])
    found = with_order(*[receipt(number, str(quantity)) for number, quantity in enumerate(quantities, start=1)])
    matched = match(source, found)
    assert sum(part.net for part in matched.parts) == net
    assert [part.quantity for part in matched.parts] == [Decimal(quantity) for quantity in quantities]


# Which order


def test_an_order_that_did_not_come_from_sap_is_a_problem():
    matched = match(document([order_row(orderNumber="999")]), with_order(base()))
    assert "order 999 line 1 is not an order line that came from SAP" in messages(matched)[0]


def test_a_number_that_means_several_order_lines_is_a_problem():
    found = with_order(base(), orders={("4500123", "1"): [(812, 0), (900, 0)]})
    assert "means several order lines" in messages(match(document([order_row()]), found))[0]


@pytest.mark.parametrize(
    ("order", "line", "readings"),
    [
        ("1", "2", [[("1", "2")]]),
        ("1", "2,3", [[("1", "2,3")], [("1", "2"), ("1", "3")]]),
        ("1;4", "2;3", [[("1;4", "2;3")], [("1", "2"), ("4", "3")]]),
        ("1|4|5", "2|3", [[("1|4|5", "2|3")]]),
        ("1", "", [[("1", "")]]),
    ],
)
def test_several_numbers_in_one_field_are_read_as_a_list_last(order: str, line: str, readings: Any):
    (read,) = invoice(document([order_row(orderNumber=order, orderLineNumber=line)])).rows
    assert list(order_references(read)) == readings


def test_a_row_over_two_order_lines_takes_from_both():
    source = document([order_row(quantity="15", net="150.00", orderLineNumber="1,2")])
    matched = match(source, with_order(base(), base(line_num=1)))
    assert [part[2:4] for part in bases(matched)] == [(0, TEN), (1, Decimal(5))]


# Service orders


def service(**more: Any) -> BaseLine:
    return base(**({"is_item": False, "ordered_quantity": Decimal(0), "quantity": Decimal(0)} | more))


def test_a_service_line_is_linked_when_the_row_is_its_open_amount():
    matched = match(document([order_row(quantity="1")]), with_order(service()))
    assert bases(matched) == [(22, 812, 0, None, Decimal("100.00"))]
    assert not matched.is_item


def test_a_part_of_a_fixed_service_line_is_posted_without_a_link_and_remembered():
    matched = match(document([order_row(quantity="1", net="40.00")]), with_order(service()))
    assert bases(matched) == [(0, 0, 0, None, Decimal("40.00"))]
    assert matched.unlinked == {(812, 0): Decimal("40.00")}
    assert "without a link" in matched.notes[0]


def test_a_service_line_with_a_real_quantity_is_linked_in_proportion():
    line = service(ordered_quantity=Decimal(12), quantity=Decimal(12), open_amount=Decimal("1200.00"))
    assert bases(match(document([order_row(quantity="1")]), with_order(line)))[0][3] == Decimal(1)


def test_the_whole_of_a_service_line_with_a_quantity_takes_all_that_is_left():
    line = service(ordered_quantity=Decimal(12), quantity=Decimal(3))
    assert bases(match(document([order_row(quantity="1")]), with_order(line)))[0][3] == Decimal(3)


def test_rows_that_together_go_beyond_the_order_are_refused():
    rows = [order_row(1, "1", "60.00"), order_row(2, "1", "60.00")]
    matched = match(document(rows), with_order(service()))
    assert messages(matched) == ["coding row 2: order 4500123 line 1 has 40.00 left to invoice, the row is 60.00"]


def test_what_other_invoices_took_without_a_link_counts():
    found = with_order(service(), invoiced_unlinked={(812, 0): Decimal("70.00")})
    matched = match(document([order_row(quantity="1", net="40.00")]), found)
    assert [problem.code for problem in matched.problems] == ["order"]


def test_a_closed_service_line_is_a_problem():
    assert "is closed in SAP" in messages(match(document([order_row()]), with_order(service(is_open=False))))[0]


def test_a_service_receipt_is_the_base_rather_than_its_order():
    receipt_line = base(20, doc_entry=5, is_item=False, ordered_quantity=Decimal(0))
    assert bases(match(document([order_row()]), with_order(service(is_open=False), receipt_line)))[0][:2] == (20, 5)


def test_item_and_service_orders_in_one_invoice_are_a_problem():
    rows = [order_row(1), order_row(2, orderLineNumber="2")]
    matched = match(document(rows), with_order(base(), service(line_num=1)))
    assert "cannot be posted in one document" in messages(matched)[0]


# Freight


def test_a_row_without_an_order_beside_item_orders_is_an_additional_expense():
    rows = [order_row(1), row(2, "15.00", accountCode="6400")]
    matched = match(document(rows), with_order(base()), terms(lookups={"charges": {"6400": "1"}}))
    assert [part.expense_code for part in matched.parts] == [None, 1]


def test_without_an_entry_in_charges_the_problem_names_row_and_account():
    matched = match(document([order_row(1), row(2, accountCode="6400")]), with_order(base()))
    assert [problem.code for problem in matched.problems] == ["charges"]
    assert "coding row 2 (account 6400)" in messages(matched)[0]


def test_rows_without_an_order_beside_service_orders_are_ordinary_lines():
    matched = match(document([order_row(1), row(2)]), with_order(service()))
    assert not matched.problems
    assert [part.expense_code for part in matched.parts] == [None, None]


# Credit notes


def test_a_credit_note_is_never_linked_to_an_order_or_receipt():
    matched = match(negated(document([order_row()])), with_order(base(), receipt(1, "10")))
    assert bases(matched) == [(0, 0, 0, None, Decimal("100.00"))]
    assert not matched.is_item
    assert "posted without a link" in matched.notes[0]


def test_a_credit_note_is_linked_to_the_credited_invoice_when_every_row_fits():
    line = base(18, is_item=False, doc_entry=900, line_num=3)
    matched = match(negated(document([row(1, "60.00")])), findings(credited_lines=[line]))
    assert bases(matched)[0][:3] == (18, 900, 3)


@pytest.mark.parametrize(
    "changed",
    [{"is_open": False}, {"account": "6002"}, {"open_amount": Decimal(1)}, {"cost_center": "HR"}, {"currency": "$"}],
)
def test_a_credited_invoice_that_does_not_fit_is_left_unlinked_and_noted(changed: dict[str, Any]):
    line = base(18, **({"is_item": False} | changed))
    matched = match(negated(document()), findings(credited_lines=[line]))
    assert bases(matched)[0][0] == 0
    assert "do not fit" in matched.notes[0]


def test_two_rows_need_two_lines_of_the_credited_invoice():
    line = base(18, is_item=False)
    assert bases(match(negated(document([row(1), row(2)])), findings(credited_lines=[line])))[0][0] == 0


@pytest.mark.parametrize(("kind", "returned"), [(2, True), (0, False), (None, False)])
def test_matching_type_two_is_a_return(kind: int | None, returned: bool):
    assert is_return(invoice(negated(document([order_row(matchingType=kind)])))) is returned
