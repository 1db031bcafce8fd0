"""A Basware document as the ledger sees it: read once, signs settled, coding rows in order (default-mapping.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from syncengine.mapping import Mapped, Problem
from syncengine.mapping.functions import calendar_day
from syncengine.mapping.text import as_text, to_decimal
from syncengine.posting.amounts import money
from syncengine.posting.problems import basware_problem
from syncengine.posting.sap_values import YES, yes_no
from syncengine.posting.terms import Terms

INVOICES = "PurchaseInvoices"
CREDIT_NOTES = "PurchaseCreditNotes"
RETURN_MATCH = 2

HEADER_COMPUTED = ("DocType", "DocTotal", "DocTotalFc", "DiscountPercent", "DocumentAdditionalExpenses")
ROW_COMPUTED = (
    "LineTotal",
    "RowTotalFC",
    "UnitPrice",
    "Price",
    "PriceAfterVAT",
    "Quantity",
    "Currency",
    "BaseType",
    "BaseEntry",
    "BaseLine",
    "DiscountPercent",
    "TaxCode",
    "WTLiable",
)
"""Never a customer's to map: sums, quantities, bases (default-mapping.md)."""

HEADER_OWN = frozenset(
    {
        "CardCode",
        "NumAtCard",
        "DocDate",
        "TaxDate",
        "DocDueDate",
        "PaymentGroupCode",
        "DocCurrency",
        "PaymentBlock",
        "Comments",
        "JournalMemo",
        "BPL_IDAssignedToInvoice",
        "DocumentLines",
        *HEADER_COMPUTED,
    }
)
ROW_OWN = frozenset({"ItemDescription", "AccountCode", "VatGroup", "CostingCode", "ProjectCode", *ROW_COMPUTED})
"""The fields that posting looks after; what else a customer maps goes into the body as it is."""


@dataclass(frozen=True)
class Row:
    """One coding row, sums and quantities with their final sign. `number` is its rowIndex, `path` says where it is."""

    number: str
    path: str
    net: Decimal
    tax: Decimal | None = None
    tax2: Decimal | None = None
    gross: Decimal | None = None
    tax_code: str = ""
    tax_percent: Decimal | None = None
    tax_percent2: Decimal | None = None
    account: str = ""
    cost_center: str = ""
    project: str = ""
    text: str = ""
    order_number: str = ""
    order_line: str = ""
    receipt_number: str = ""
    receipt_line: str = ""
    matched: Decimal | None = None
    allocated: Decimal | None = None
    matching_type: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Invoice:
    """One document to be posted. Sums are positive for what the entity set expects; `currency` is SAP's code."""

    invoice_id: str
    number: str
    card_code: str
    kind: Literal["invoice", "credit_note"]
    currency: str
    foreign: bool
    net: Decimal | None
    tax: Decimal | None
    gross: Decimal | None
    doc_date: date
    tax_date: date
    due_date: date | None
    payment_group: str
    payment_block: bool
    description: str
    journal_memo: str
    branch: str
    supplier_system: str
    bank_accounts: tuple[str, ...]
    cash_discount: bool
    rows: tuple[Row, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entity_set(self) -> str:
        return INVOICES if self.kind == "invoice" else CREDIT_NOTES

    @property
    def word(self) -> str:
        """How people call what it becomes in SAP."""
        return "A/P invoice" if self.kind == "invoice" else "A/P credit note"

    @property
    def mark(self) -> str:
        """What Comments begins with, so that the document is found again by our id."""
        return f"Basware {self.invoice_id}"


@dataclass
class Reading:
    """What was read and what was wrong with it."""

    invoice: Invoice
    problems: list[Problem]


def ordered_rows(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The coding rows in rowIndex order, which may have gaps (contracts: Basware §14.4); rows without one come last."""
    rows = [row for row in document.get("codingRows") or () if isinstance(row, Mapping)]

    def position(row: Mapping[str, Any]) -> tuple[bool, Decimal]:
        index = to_decimal(row.get("rowIndex"))
        return (index is None, index or Decimal(0))

    return sorted(rows, key=position)


def row_sources(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the rules of `DocumentLines[]` see: the row, the header as `document`, and its tax code as `derived`."""
    rows = ordered_rows(document)
    header = {name: value for name, value in document.items() if name != "codingRows"}
    shared = None if any(as_text(row.get("taxCode")) for row in rows) else document.get("taxCode")
    return [{**row, "document": header, "derived": {"taxCode": row.get("taxCode") or shared}} for row in rows]


def read_invoice(document: Mapping[str, Any], mapped: Mapped, terms: Terms) -> Reading:
    """The invoice of a document and its mapped fields, with every problem that the document has by itself."""
    header = mapped.target
    kind, sign, problems = _kind(document, terms)
    currency = terms.sap_currency(as_text(header.get("DocCurrency")))
    decimals = terms.decimals_of(currency)
    rows = _rows(document, header.get("DocumentLines", ()), sign, decimals)
    bank = (as_text(document.get(name)) for name in ("supplierBankIBAN", "supplierBankBBAN"))
    invoice = Invoice(
        invoice_id=as_text(document.get("invoiceId")),
        number=as_text(header.get("NumAtCard")),
        card_code=as_text(header.get("CardCode")),
        kind=kind,
        currency=currency,
        foreign=currency != terms.local_currency,
        net=_signed(document.get("netSum"), sign, decimals),
        tax=_signed(document.get("taxSum1"), sign, decimals),
        gross=_signed(document.get("grossSum"), sign, decimals),
        doc_date=_day(header.get("DocDate")) or terms.today,
        tax_date=_day(header.get("TaxDate")) or terms.today,
        due_date=_day(header.get("DocDueDate")),
        payment_group=as_text(header.get("PaymentGroupCode")),
        payment_block=yes_no(header.get("PaymentBlock")) == YES,
        description=as_text(header.get("Comments")),
        journal_memo=as_text(header.get("JournalMemo")),
        branch=as_text(header.get("BPL_IDAssignedToInvoice")),
        supplier_system=as_text(document.get("supplierSourceSystemId")),
        bank_accounts=tuple(account for account in bank if account),
        cash_discount=any(to_decimal(document.get(name)) for name in ("cashPercent", "cashSum")),
        rows=tuple(rows),
        extra={name: value for name, value in header.items() if name not in HEADER_OWN},
    )
    return Reading(invoice, [*mapped.problems, *problems, *_row_problems(document)])


Kind = Literal["invoice", "credit_note"]


def _day(value: Any) -> date | None:
    text = calendar_day(value)
    return date.fromisoformat(text) if text else None


def _kind(document: Mapping[str, Any], terms: Terms) -> tuple[Kind, int, list[Problem]]:
    """What the document becomes, the factor of its sums, and what is wrong with its sum and type."""
    gross = to_decimal(document.get("grossSum"))
    code = as_text(document.get("invoiceTypeCode"))
    if gross is None or (gross == 0 and not terms.allow_zero_total):
        message = "the gross sum is missing" if gross is None else "the gross sum is 0"
        return "invoice", 1, [basware_problem("grossSum", message, "sums")]
    if gross >= 0:
        return ("credit_note" if code in terms.credit_note_types else "invoice"), 1, []
    if code in terms.invoice_types:
        message = f"type {code} is an invoice type, but the gross sum {gross} is negative"
        return "credit_note", -1, [basware_problem("invoiceTypeCode", message, "invoice_type")]
    return "credit_note", -1, []


def _signed(value: Any, sign: int, decimals: int) -> Decimal | None:
    number = to_decimal(value)
    return None if number is None else money(number * sign, decimals)


def _rows(document: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], sign: int, decimals: int) -> Iterator[Row]:
    for index, raw in enumerate(ordered_rows(document)):
        line = lines[index] if index < len(lines) else {}
        yield _row(raw, line, f"codingRows[{index}]", sign, decimals)


def _row(raw: Mapping[str, Any], line: Mapping[str, Any], path: str, sign: int, decimals: int) -> Row:
    def quantity(name: str) -> Decimal | None:
        number = to_decimal(raw.get(name))
        return None if number is None else number * sign

    matching = to_decimal(raw.get("matchingType"))
    return Row(
        number=as_text(raw.get("rowIndex")) or path[11:-1],
        path=path,
        net=_signed(raw.get("netTotal"), sign, decimals) or Decimal(0),
        tax=_signed(raw.get("taxSum"), sign, decimals),
        tax2=_signed(raw.get("taxSum2"), sign, decimals),
        gross=_signed(raw.get("grossTotal"), sign, decimals),
        tax_code=as_text(line.get("VatGroup")),
        tax_percent=to_decimal(raw.get("taxPercent")),
        tax_percent2=to_decimal(raw.get("taxPercent2")),
        account=as_text(line.get("AccountCode")),
        cost_center=as_text(line.get("CostingCode")),
        project=as_text(line.get("ProjectCode")),
        text=as_text(line.get("ItemDescription")),
        order_number=as_text(raw.get("orderNumber")),
        order_line=as_text(raw.get("orderLineNumber")),
        receipt_number=as_text(raw.get("goodsReceiptNumber")),
        receipt_line=as_text(raw.get("goodsReceiptItemNumber")),
        matched=quantity("matchedQuantity"),
        allocated=quantity("allocatedQuantity"),
        matching_type=None if matching is None else int(matching),
        extra={name: value for name, value in line.items() if name not in ROW_OWN},
    )


def _row_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    rows = ordered_rows(document)
    if not rows:
        yield basware_problem("codingRows", "the document has no coding rows", "rows")
    for index, row in enumerate(rows):
        if to_decimal(row.get("netTotal")) is None:
            number = as_text(row.get("rowIndex")) or str(index)
            message = f"coding row {number} has no net sum"
            yield basware_problem(f"codingRows[{index}].netTotal", message, "sums")
