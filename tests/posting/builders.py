"""Factories of posting tests: a Basware document, what SAP holds of it, and the terms; overridden by keyword."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.flows.invoicing.rules import LIMITS, default_rules
from syncengine.mapping import Mapped, Problem, compile_rules
from syncengine.posting.checks import all_problems
from syncengine.posting.document import Plan, build_plan
from syncengine.posting.findings import BaseLine, Findings, Tax
from syncengine.posting.invoice import Invoice, Reading, read_invoice, row_sources
from syncengine.posting.matching import Matched, match_rows
from syncengine.posting.terms import Terms

TODAY = date(2026, 11, 20)
INVOICE_ID = "67192fd3809bc29599d22c92897b942a"
Document = dict[str, Any]


def row(index: int = 1, net: str = "100.00", rate: str = "25.5", **more: Any) -> Document:
    """A coding row whose tax fits its rate."""
    amount, percent = Decimal(net), Decimal(rate)
    tax = (amount * percent / 100).quantize(Decimal("0.01"))
    made = {
        "externalCode": f"row{index}",
        "rowIndex": index,
        "accountCode": "6701",
        "accountName": "Office supplies",
        "costCenterCode": "ADM",
        "taxCode": "I255",
        "taxPercent": percent,
        "netTotal": amount,
        "taxSum": tax,
        "grossTotal": amount + tax,
    }
    return _without_none(made | more)


def order_row(index: int = 1, quantity: str = "10", net: str = "100.00", **more: Any) -> Document:
    """A row matched to line 1 of order 4500123."""
    matched = {
        "orderNumber": "4500123",
        "orderLineNumber": "1",
        "matchedQuantity": Decimal(quantity),
        "allocatedQuantity": Decimal(quantity),
        "matchingType": 0,
    }
    return row(index, net, **(matched | more))


def document(rows: Sequence[Document] | None = None, **more: Any) -> Document:
    """An approved invoice whose header is the sum of its rows."""
    coding = [row()] if rows is None else list(rows)
    made = {
        "invoiceId": INVOICE_ID,
        "p2pProcessingMode": "Standard",
        "processingStatus": "WaitingForTransfer",
        "companyCode": "1000",
        "invoiceNumber": "INV-1187",
        "supplierCode": "V10012",
        "supplierName": "Nordic Paper Oy",
        "supplierSourceSystemId": "SAPB1",
        "currencyCode": "EUR",
        "netSum": _sum(coding, "netTotal"),
        "taxSum1": _sum(coding, "taxSum"),
        "grossSum": _sum(coding, "netTotal") + _sum(coding, "taxSum"),
        "invoiceDate": "2026-11-18T00:00:00Z",
        "voucherDate": "2026-11-19T00:00:00Z",
        "dueDate": "2026-12-18T00:00:00Z",
        "paymentTermCode": "3",
        "paymentBlock": False,
        "description": "Office supplies, November",
        "lastUpdated": "2026-11-20T08:00:00Z",
        "codingRows": coding,
    }
    return _without_none(made | more)


def negated(source: Document) -> Document:
    """The same document as a credit note: every sum and quantity negative."""
    names = {"netSum", "taxSum1", "grossSum"}
    parts = {"netTotal", "taxSum", "taxSum2", "grossTotal", "matchedQuantity", "allocatedQuantity"}
    rows = [{name: -value if name in parts else value for name, value in one.items()} for one in source["codingRows"]]
    return {name: -value if name in names else value for name, value in source.items()} | {"codingRows": rows}


def _sum(rows: Sequence[Document], name: str) -> Decimal:
    return sum((one.get(name) or Decimal(0) for one in rows), Decimal(0))


def _without_none(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def terms(**changed: Any) -> Terms:
    settings: dict[str, Any] = {
        "today": TODAY,
        "local_currency": "EUR",
        "currencies": {"EUR": "EUR", "USD": "$", "JPY": "JPY"},
        "currency_decimals": {"EUR": 2, "$": 2, "JPY": 0},
        "mark_field": "U_BW_InvoiceId",
    }
    return Terms(**(settings | changed))


def mapped(source: Document, asked: Terms | None = None, rules: list[dict[str, Any]] | None = None) -> Mapped:
    lookups = (asked or terms()).lookups
    compiled = compile_rules(rules or default_rules())
    return compiled.apply(source, rows={"DocumentLines": row_sources(source)}, lookups=lookups, limits=LIMITS)


def reading(source: Document, asked: Terms | None = None, rules: list[dict[str, Any]] | None = None) -> Reading:
    return read_invoice(source, mapped(source, asked, rules), asked or terms())


def invoice(source: Document | None = None, asked: Terms | None = None) -> Invoice:
    return reading(document() if source is None else source, asked).invoice


def vendor(**more: Any) -> Document:
    made = {
        "CardCode": "V10012",
        "CardType": "cSupplier",
        "FederalTaxID": "FI12345678",
        "Valid": "tYES",
        "Frozen": "tNO",
        "SubjectToWithholdingTax": "boNO",
        "BPBankAccounts": [{"IBAN": "FI21 1234 5600 0007 85", "AccountNo": "123"}],
    }
    return made | more


def account(**more: Any) -> Document:
    made = {"Code": "6701", "ActiveAccount": "tYES", "LockManualTransaction": "tNO", "BlockManualPosting": "tNO"}
    return made | {"FrozenFor": "tNO", "ValidFor": "tNO"} | more


def tax(code: str = "I255", rate: str | None = "25.5", **more: Any) -> Tax:
    percent = None if rate is None else Decimal(rate)
    return Tax(**({"code": code, "usable": True, "purchasing": True, "rate": percent} | more))


def base(base_type: int = 22, **more: Any) -> BaseLine:
    """Line 1 of order 812 (number 4500123): ten pieces at 10.00 left; a receipt line when the type is 20."""
    made: dict[str, Any] = {
        "base_type": base_type,
        "doc_entry": 812,
        "line_num": 0,
        "doc_num": "4500123" if base_type == 22 else "20001501",
        "doc_date": TODAY,
        "card_code": "V10012",
        "currency": "EUR",
        "is_item": True,
        "is_open": True,
        "ordered_quantity": Decimal(10),
        "quantity": Decimal(10),
        "open_amount": Decimal("100.00"),
        "account": "6701",
        "cost_center": "ADM",
        "project": "",
        "tax_code": "I255",
        "order": None if base_type == 22 else (812, 0),
    }
    return BaseLine(**(made | more))


def findings(**more: Any) -> Findings:
    """SAP as the document of `document()` needs it, without orders."""
    made: dict[str, Any] = {
        "vendor": vendor(),
        "accounts": {"6701": account()},
        "cost_centers": {"ADM": {"CenterCode": "ADM", "InWhichDimension": 1, "Active": "tYES"}},
        "projects": {"P001": {"Code": "P001", "Active": "tYES"}},
        "taxes": {"I255": tax()},
        "payment_term": {"GroupNumber": 3, "NumberOfInstallments": 1, "DiscountCode": ""},
    }
    return Findings(**(made | more))


def with_order(*lines: BaseLine, **more: Any) -> Findings:
    """SAP with orders (base type 22) and their receipts (20); the first order line is that of `order_row`."""
    orders = {(line.doc_entry, line.line_num): line for line in lines if line.base_type == 22}
    receipts: dict[tuple[int, int], list[BaseLine]] = {}
    for line in lines:
        if line.order is not None:
            receipts.setdefault(line.order, []).append(line)
    keys = {("4500123", "1"): [(812, 0)], ("4500123", "2"): [(812, 1)]}
    return findings(**({"orders": keys, "order_lines": orders, "receipt_lines": receipts} | more))


def match(source: Document, found: Findings, asked: Terms | None = None) -> Matched:
    return match_rows(invoice(source, asked), found, asked or terms())


def problems(source: Document, found: Findings | None = None, asked: Terms | None = None) -> list[Problem]:
    """Every problem of a document, those of its own reading first."""
    asked, found = asked or terms(), found or findings()
    read = reading(source, asked)
    matched = match_rows(read.invoice, found, asked)
    return [*read.problems, *all_problems(read.invoice, matched, found, asked)]


def plan(source: Document | None = None, found: Findings | None = None, asked: Terms | None = None) -> Plan:
    """The document to be posted; there must be no problems."""
    source, found, asked = document() if source is None else source, found or findings(), asked or terms()
    assert problems(source, found, asked) == []
    read = invoice(source, asked)
    return build_plan(read, match_rows(read, found, asked), found, asked)


def posted(made: Plan, rate: str = "25.5", **more: Any) -> Document:
    """What SAP makes of a plan's body in local currency: lines numbered, sums computed."""
    lines = []
    for number, (line, net) in enumerate(zip(made.body["DocumentLines"], made.line_nets, strict=True)):
        lines.append(line | {"LineNum": number, "LineTotal": net, "RowTotalFC": net})
    total = sum(made.line_nets, Decimal(0)) + sum(made.expense_nets, Decimal(0))
    vat = (total * Decimal(rate) / 100).quantize(Decimal("0.01"))
    sums = {"VatSum": vat, "DocTotal": total + vat, "WTAmount": Decimal(0)}
    if made.foreign:
        sums |= {"VatSumFc": vat, "DocTotalFc": total + vat, "WTAmountFC": Decimal(0)}
    header = {"DocEntry": 4711, "DocNum": 10457, "TransNum": 30219, "CancelStatus": "csNo"}
    return made.body | header | sums | {"DocumentLines": lines} | more
