"""Purchase orders as default-mapping.md has them: what is read, the header, what is fixed, how they leave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.flows.company import FlowContext, Known
from syncengine.flows.master import ReadWindow
from syncengine.flows.purchase_orders import PurchaseOrders
from syncengine.mapping import compile_rules
from tests.flows.contract import MasterDataContract, Record, build
from tests.flows.world import FakeSap, context, order, order_line, receipt, receipt_line

FLOW = PurchaseOrders()
CLOSED_LINE = order_line(LineStatus="bost_Close", RemainingOpenQuantity=Decimal(0), OpenAmount=Decimal(0))
CLOSED = order(DocumentStatus="bost_Close", DocumentLines=[CLOSED_LINE])
INVOICED = receipt_line(RemainingOpenQuantity=Decimal(0), LineStatus="bost_Close", OpenAmount=Decimal(0))


class TestPurchaseOrdersKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [
        order(DocumentLines=[order_line(), order_line(LineNum=3, ItemCode="PEN", Quantity=Decimal("2.5"))]),
        order(DocEntry=813, DocNum=26000346, DocCurrency="$", DocumentLines=[order_line(RowTotalFC=Decimal(900))]),
        order(
            DocEntry=814,
            DocNum=26000347,
            DocType="dDocument_Service",
            DocumentLines=[order_line(ItemCode=None, Quantity=Decimal(0))],
        ),
    ]
    more_tables = {"PurchaseDeliveryNotes": [receipt(), receipt(DocEntry=531, CancelStatus="csYes")]}

    def is_closed(self, sent: Record) -> bool:
        return sent["isClosed"] is True


def header(source: Record, ctx: FlowContext | None = None) -> Record:
    return build(FLOW, source, ctx).payload["header"][0]


def lines(source: Record, ctx: FlowContext | None = None) -> list[Record]:
    return build(FLOW, source, ctx).payload["lines"]


def after(source: Record, **changed: Any) -> FlowContext:
    """The context of a later run, when the order was sent as `source` once."""
    built = build(FLOW, source)
    return context(known={FLOW.key(source): Known(built.payload, built.payload, built.source)}, **changed)


# Header


def test_a_header_goes_field_by_field():
    assert header(order()) == {
        "externalCode": "1000-PO-812",
        "orderNumber": "26000345",
        "sourceSystem": "SAPB1",
        "companyCode": "1000",
        "organizationElementCode": "1000",
        "currencyCode": "EUR",
        "supplierCode": "V10012",
        "supplierName": "Nordic Paper Oy",
        "created": "2026-11-02T00:00:00Z",
        "requestedDeliveryDate": "2026-11-16T00:00:00Z",
        "paymentTermCode": "3",
        "description": "Yearly contract",
        "isClosed": False,
    }


@pytest.mark.parametrize(("currency", "iso"), [("EUR", "EUR"), ("$", "USD"), (None, "EUR"), ("", "EUR")])
def test_the_currency_goes_by_its_international_code(currency: str | None, iso: str):
    assert header(order(DocCurrency=currency))["currencyCode"] == iso


def test_the_source_system_is_that_of_the_vendors():
    assert header(order(), context(settings={"source_system": "SAPFI"}))["sourceSystem"] == "SAPFI"


@pytest.mark.parametrize(("branch", "element"), [(2, "FI02"), (Decimal("2.0"), "FI02"), (3, "1000"), (None, "1000")])
def test_the_organization_element_comes_from_the_lookup_of_branches_else_it_is_the_company(branch: Any, element: str):
    ctx = context(lookups={"branches": {"2": "FI02"}})
    assert header(order(BPL_IDAssignedToInvoice=branch), ctx)["organizationElementCode"] == element


def test_the_organization_element_is_fixed_at_the_first_send():
    ctx = after(order(BPL_IDAssignedToInvoice=2), lookups={"branches": {"2": "FI02"}})
    assert header(order(BPL_IDAssignedToInvoice=2), ctx)["organizationElementCode"] == "1000"


def test_a_header_is_closed_when_every_line_is():
    both = [CLOSED_LINE, order_line(LineNum=1)]
    assert header(order(DocumentLines=both))["isClosed"] is False
    assert header(CLOSED)["isClosed"] is True


def test_the_amount_of_an_order_is_in_its_own_currency():
    assert FLOW.amount(order(DocTotal=Decimal("1255.0")), context()) == (Decimal("1255.00"), "EUR")
    assert FLOW.amount(order(DocCurrency="$", DocTotalFc=Decimal("1400.5")), context()) == (Decimal("1400.50"), "USD")
    assert FLOW.amount(order(DocTotal=None), context()) == (None, "EUR")


def test_an_order_is_found_by_its_number_and_its_vendor():
    assert FLOW.label(order()) == "26000345 Nordic Paper Oy"
    assert FLOW.search_terms(order()) == "26000345 V10012"
    assert (FLOW.reference(order()), FLOW.party(order()), FLOW.key(order())) == ("26000345", "V10012", "812")


# Numbers are unique


def test_a_second_order_of_the_same_number_goes_with_its_doc_entry_and_a_note():
    ctx = context(taken={"26000345|1000|1000": "700"})
    built = build(FLOW, order(), ctx)
    assert built.payload["header"][0]["orderNumber"] == "26000345-812"
    assert built.notes == ("another order has the number 26000345 too: sent as 26000345-812",)


def test_two_orders_of_one_page_do_not_take_the_same_number():
    ctx = context()
    numbers = [header(order(DocEntry=entry), ctx)["orderNumber"] for entry in (812, 900, 812)]
    assert numbers == ["26000345", "26000345-900", "26000345"]


def test_the_same_number_under_another_organization_element_is_free():
    ctx = context(taken={"26000345|1000|FI02": "700"})
    assert header(order(), ctx)["orderNumber"] == "26000345"


def test_an_order_keeps_its_number_whoever_comes_later():
    ctx = after(order(), taken={"26000345|1000|1000": "700"})
    assert header(order(), ctx)["orderNumber"] == "26000345"


def test_an_order_keeps_its_longer_number_when_the_other_one_is_gone():
    first = build(FLOW, order(), context(taken={"26000345|1000|1000": "700"}))
    ctx = context(known={"812": Known(first.payload, first.payload, first.source)})
    assert header(order(), ctx)["orderNumber"] == "26000345-812"


def test_an_order_that_was_never_sent_is_numbered_anew():
    ctx = context(known={"812": Known(source=build(FLOW, order(DocNum=1)).source)})
    assert header(order(), ctx)["orderNumber"] == "26000345"


# Lines that come and go


def test_lines_without_a_positive_quantity_or_sum_are_not_sent_and_noted():
    source = order(
        DocumentLines=[
            order_line(),
            order_line(LineNum=1, Quantity=Decimal(0)),
            order_line(LineNum=2, LineTotal=Decimal(0)),
            order_line(LineNum=3, LineTotal=Decimal(-5)),
        ]
    )
    built = build(FLOW, source)
    assert [line["lineNumber"] for line in built.payload["lines"]] == ["1"]
    assert built.notes == tuple(f"line {n} is not sent: it has no positive quantity or sum" for n in (2, 3, 4))


def test_a_line_taken_out_of_the_order_is_sent_as_deleted_from_then_on():
    both = order(DocumentLines=[order_line(), order_line(LineNum=1)])
    ctx = after(both)
    kept, gone = lines(order(), ctx)
    assert (kept["isDeleted"], gone["isDeleted"], gone["isClosed"]) == (False, True, True)
    assert gone["externalCode"] == "1000-POL-812/1"
    later = build(FLOW, order(), ctx)
    again = context(known={"812": Known(later.payload, later.payload, later.source)})
    assert lines(order(), again) == [kept, gone]


# Leaving


@pytest.mark.parametrize(
    ("source", "in_scope"),
    [
        (order(), True),
        (order(CancelStatus="csYes"), False),
        (order(CancelStatus="csCancellation"), False),
        (CLOSED, False),
        ({**CLOSED, "Receipts": [receipt_line(DocEntry=1, CancelStatus="csNo")]}, True),
        ({**CLOSED, "Receipts": [INVOICED | {"DocEntry": 1, "CancelStatus": "csNo"}]}, False),
        ({**CLOSED, "Receipts": [receipt_line(DocEntry=1, CancelStatus="csYes")]}, False),
    ],
)
def test_in_scope_are_open_orders_and_what_open_receipts_are_based_on(source: Record, in_scope: bool):
    assert FLOW.in_scope(source, context()) is in_scope


def test_an_order_that_left_is_closed_with_all_its_lines():
    left = FLOW.left(build(FLOW, order()).payload, context(), CLOSED)
    assert left["header"][0]["isClosed"] is True
    assert [(line["isClosed"], line["isDeleted"]) for line in left["lines"]] == [(True, False)]


def test_the_lines_of_a_cancelled_order_are_deleted():
    left = FLOW.left(build(FLOW, order()).payload, context(), order(CancelStatus="csYes"))
    assert [(line["isClosed"], line["isDeleted"]) for line in left["lines"]] == [(True, True)]


# What must be there first


def test_an_order_depends_on_its_vendor_its_term_and_its_coding():
    source = order(DocumentLines=[order_line(ProjectCode="PRJ01"), order_line(LineNum=1)])
    assert FLOW.dependencies(build(FLOW, source).payload) == [
        ("vendors", "V10012"),
        ("payment_terms", "3"),
        ("tax_codes", "I255"),
        ("gl_accounts", "6000"),
        ("cost_centers", "CC100"),
        ("projects", "PRJ01"),
    ]


def test_a_header_without_lines_waits_for_no_coding():
    payload = build(FLOW, order(DocumentLines=[])).payload
    assert FLOW.dependencies(payload) == [("vendors", "V10012"), ("payment_terms", "3")]
    assert FLOW.part_after("header", payload) is None


# Mapping of lines


def test_a_customer_may_remap_a_line_by_its_own_fields_and_those_of_the_header():
    rules = [
        *FLOW.default_rules(),
        {"target": "lines[].text1", "source": "concat(document.DocNum, '/', LineNum)"},
        {"target": "lines[].comment", "source": "FreeText"},
    ]
    source = order(DocumentLines=[order_line(FreeText="urgent")])
    built = FLOW.build(source, compile_rules(rules, targets=FLOW.targets()), context())
    assert not built.problems
    assert (built.payload["lines"][0]["text1"], built.payload["lines"][0]["comment"]) == ("26000345/0", "urgent")


def test_a_text_too_long_is_cut_in_header_and_lines():
    source = order(Comments="x" * 1001, DocumentLines=[order_line(ItemCode="y" * 251)])
    built = build(FLOW, source)
    assert len(built.payload["header"][0]["description"]) == 1000
    assert len(built.payload["lines"][0]["productCode"]) == 250
    assert built.flags == {"text_cut"}
    assert not built.problems


def test_a_problem_of_a_line_names_its_place():
    rules = [rule for rule in FLOW.default_rules() if rule["target"] != "lines[].matchingMode"]
    rules.append({"target": "lines[].matchingMode", "source": "ItemCode"})
    source = order(DocumentLines=[order_line(), order_line(LineNum=1)])
    problems = FLOW.build(source, compile_rules(rules), context()).problems
    assert [problem.path for problem in problems] == ["lines[0].matchingMode", "lines[1].matchingMode"]


# Reading


def read(sap: FakeSap, window: ReadWindow) -> list[int]:
    return [record["DocEntry"] for page in FLOW.pages(sap, window, context()) for record in page.records]


def a_sap(**more: Any) -> FakeSap:
    orders = [
        order(DocEntry=1),
        order(DocEntry=2, DocumentStatus="bost_Close", UpdateDate="2026-11-01"),
        order(DocEntry=3, DocumentStatus="bost_Close", UpdateDate="2026-11-01"),
        order(DocEntry=4, DocumentStatus="bost_Close", UpdateDate="2026-11-19"),
        order(DocEntry=5, DocumentStatus="bost_Close", CancelStatus="csYes", UpdateDate="2026-11-19"),
        order(DocEntry=6, UpdateDate=None, CreationDate="2020-01-01"),
    ]
    receipts = [
        receipt(DocEntry=10, DocumentLines=[receipt_line(BaseEntry=n, LineNum=n) for n in (1, 2)]),
        receipt(DocEntry=11, DocumentStatus="bost_Close", DocumentLines=[receipt_line(BaseEntry=3)]),
        receipt(DocEntry=12, DocumentLines=[receipt_line(BaseEntry=2)]),
    ]
    return FakeSap(PurchaseOrders=orders, PurchaseDeliveryNotes=receipts, **more)


def test_a_full_read_finds_open_orders_and_those_that_open_receipts_are_based_on_each_once():
    assert read(a_sap(), ReadWindow()) == [1, 6, 2]


def test_an_incremental_read_also_finds_what_changed_closed_and_cancelled_ones_included():
    assert read(a_sap(), ReadWindow("incremental", date(2026, 11, 18))) == [1, 4, 5, 6, 2]


def test_an_order_closed_long_ago_is_found_when_a_receipt_of_it_changed():
    sap = a_sap()
    sap.tables["PurchaseDeliveryNotes"][1]["UpdateDate"] = "2026-11-19"
    assert read(sap, ReadWindow("incremental", date(2026, 11, 18))) == [1, 4, 5, 6, 2, 3]


def test_an_order_found_through_its_receipts_comes_with_all_of_them():
    pages = list(FLOW.pages(a_sap(), ReadWindow(), context()))
    (found,) = pages[-1].records
    assert [(line["DocEntry"], line["LineNum"]) for line in found["Receipts"]] == [(10, 2), (12, 0)]


def test_a_read_goes_on_in_the_receipts_when_the_orders_are_done():
    orders, receipts = FLOW.pages(a_sap(), ReadWindow(), context())
    assert (orders.cursor, receipts.cursor) == ("0:6", "1:12")
    assert list(FLOW.pages(a_sap(), ReadWindow(after="0:6"), context())) == [receipts]
    assert list(FLOW.pages(a_sap(), ReadWindow(after="1:12"), context())) == []


def test_receipts_are_read_per_page_and_not_per_order():
    sap = FakeSap(PurchaseOrders=[order(DocEntry=n) for n in range(1, 151)], PurchaseDeliveryNotes=[])
    assert len(read(sap, ReadWindow())) == 150
    assert len(sap.asked) == 1 + 2 + 1


def test_orders_by_key_come_with_their_receipts_whatever_their_status():
    (found,) = FLOW.by_keys(a_sap(), ["3"], context())
    assert found["DocumentStatus"] == "bost_Close"
    assert len(found["Receipts"]) == 1


def test_an_open_order_is_read_at_every_run_though_its_stamp_is_old():
    assert 6 in read(a_sap(), ReadWindow("incremental", date(2026, 11, 20)))
