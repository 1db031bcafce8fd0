"""What the other side may leave out, or write as text: nothing breaks, and what can be done is done.

Contracts: Basware §1 (null fields may be absent), §14.3 (only six header fields are required), SAP §4.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from tests.flows import world as sources
from tests.flows.contract import build
from tests.flows.desks import Row
from tests.flows.test_invoices import run, world
from tests.flows.world import context
from tests.posting.builders import document, row

Record = dict[str, Any]

OPTIONAL = [
    "p2pProcessingMode",
    "voucherDate",
    "dueDate",
    "netSum",
    "taxSum1",
    "paymentTermCode",
    "description",
    "supplierName",
    "lastUpdated",
    "supplierSourceSystemId",
    "invoiceTypeCode",
    "orderNumbers",
    "disputeInfo",
    "prebooked",
    "removedBeforeTransfer",
    "supplierBankIBAN",
    "supplierBankBBAN",
    "cashPercent",
    "cashSum",
    "taxCode",
    "organizationElementCode",
]
OPTIONAL_IN_ROWS = [
    "externalCode",
    "rowIndex",
    "accountName",
    "costCenterCode",
    "projectCode",
    "taxPercent",
    "taxPercent2",
    "taxSum",
    "taxSum2",
    "grossTotal",
    "orderNumber",
    "orderLineNumber",
    "goodsReceiptNumber",
    "matchingType",
    "matchedQuantity",
    "allocatedQuantity",
    "lastComment",
]
NEEDED = {"invoiceNumber": "NumAtCard", "invoiceDate": "TaxDate", "grossSum": "gross sum", "codingRows": "coding rows"}
NEEDED_IN_ROWS = {"accountCode": "has no account", "taxCode": "has no tax code", "netTotal": "has no net sum"}


def whole() -> Record:
    """A document in which every optional field has a value."""
    given = {
        "invoiceTypeCode": "INV",
        "orderNumbers": ["4500123"],
        "disputeInfo": {"isDisputed": False, "disputeReason": None},
        "prebooked": False,
        "removedBeforeTransfer": False,
        "supplierBankIBAN": "FI2112345600000785",
        "supplierBankBBAN": "123",
        "cashPercent": Decimal(0),
        "cashSum": Decimal(0),
        "taxCode": "I255",
        "organizationElementCode": "1000",
    }
    coded = row(taxPercent2=Decimal(0), taxSum2=Decimal(0), lastComment="paper", matchingType=0, projectCode="")
    unmatched = {"orderNumber": "", "orderLineNumber": "", "goodsReceiptNumber": ""}
    quantities = {"matchedQuantity": Decimal(0), "allocatedQuantity": Decimal(0)}
    return document([coded | unmatched | quantities, row(2, "50.00")], **given)


def without(record: Record, name: str, how: str) -> Record:
    """The record with the field gone, null or empty."""
    left = {key: value for key, value in record.items() if key != name}
    return left if how == "absent" else left | {name: {"null": None, "empty": ""}[how]}


def without_in_row(name: str, how: str) -> Record:
    made = whole()
    first, *others = made["codingRows"]
    return made | {"codingRows": [without(first, name, how), *others]}


def posted(source: Record) -> Row:
    made = world(source)
    record = run(made)
    assert (record.stage, record.status, record.message) == ("posted", "waiting", "")
    assert made.sap.invoices[0]["DocTotal"] == Decimal("188.25")
    return record


def refused(source: Record) -> str:
    """What the clerk in Basware reads."""
    made = world(source)
    assert run(made).status == "failed"
    assert made.sap.invoices == []
    (answer,) = made.basware.answers
    assert answer["success"] is False
    return str(answer["responseMessage"])


HOW = pytest.mark.parametrize("how", ["absent", "null", "empty"])


@HOW
@pytest.mark.parametrize("name", OPTIONAL)
def test_an_invoice_without_an_optional_field_is_posted(name: str, how: str):
    posted(without(whole(), name, how))


@HOW
@pytest.mark.parametrize("name", OPTIONAL_IN_ROWS)
def test_a_row_without_an_optional_field_is_posted(name: str, how: str):
    posted(without_in_row(name, how))


@HOW
@pytest.mark.parametrize("name", NEEDED)
def test_an_invoice_without_what_sap_needs_is_answered_false_and_says_what(name: str, how: str):
    assert NEEDED[name] in refused(without(whole(), name, how))


@HOW
@pytest.mark.parametrize("name", NEEDED_IN_ROWS)
def test_a_row_without_what_sap_needs_is_answered_false_and_says_what(name: str, how: str):
    assert NEEDED_IN_ROWS[name] in refused(without_in_row(name, how))


def test_numbers_that_come_as_text_are_numbers():
    made = _as_text(whole())
    assert made["codingRows"][0]["netTotal"] == "100.00"
    posted(made)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value) if isinstance(value, Decimal) else value


# Master data

RECORDS: dict[str, Record] = {
    "payment_terms": sources.payment_term(),
    "tax_codes": sources.vat_group(),
    "gl_accounts": sources.account(),
    "cost_centers": sources.profit_center(),
    "projects": sources.project(),
    "vendors": sources.vendor(),
    "purchase_orders": sources.order() | {"Receipts": [], "Returns": []},
}
LINES = {
    "vendors": ("BPAddresses", "BPBankAccounts"),
    "tax_codes": ("VatGroups_Lines",),
    "purchase_orders": ("DocumentLines",),
}
KEYS = {"LineNum", "Receipts", "Returns"}


def thinned(flow: MasterDataFlow) -> Iterator[tuple[str, Record]]:
    """The flow's record with one field after another absent, null and empty, those of its lines too."""
    record = RECORDS[flow.name]
    for how in ("absent", "null", "empty"):
        for name in record.keys() - KEYS - {flow.key_field}:
            yield f"{name} {how}", without(record, name, how)
        for lines in LINES.get(flow.name, ()):
            for name in record[lines][0].keys() - KEYS:
                yield f"{lines}.{name} {how}", record | {lines: [without(record[lines][0], name, how)]}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_sap_s_that_lacks_a_field_is_built_or_its_problem_named(name: str):
    flow = registry.get(name)
    assert isinstance(flow, MasterDataFlow)
    for changed, record in thinned(flow):
        before = deepcopy(record)
        flow.in_scope(record, context())
        flow.edges(record)
        built = build(flow, record)
        assert flow.label(record), changed
        assert all(problem.path and problem.message for problem in built.problems), changed
        assert record == before, changed
