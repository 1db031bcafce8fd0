"""What SAP holds of everything that one document names, as looked up now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import parse_date
from syncengine.mapping.text import as_text
from syncengine.posting.amounts import ZERO, amount
from syncengine.posting.sap_values import OPEN
from syncengine.posting.terms import Terms

Record = Mapping[str, Any]
LineKey = tuple[int, int]
"""DocEntry and LineNum of an order line."""

INVOICE_BASE = 18
RECEIPT_BASE = 20
ORDER_BASE = 22


@dataclass(frozen=True)
class BaseLine:
    """A line of an order, a goods receipt or an invoice that a document line can be based on.

    `quantity` and `open_amount` are what is left, the amount in the document's own currency.
    """

    base_type: int
    doc_entry: int
    line_num: int
    doc_num: str
    doc_date: date | None
    card_code: str
    currency: str
    is_item: bool
    is_open: bool
    ordered_quantity: Decimal
    quantity: Decimal
    open_amount: Decimal
    account: str
    cost_center: str
    project: str
    tax_code: str
    order: LineKey | None = None

    @property
    def name(self) -> str:
        """How people call it."""
        words = {INVOICE_BASE: "invoice", RECEIPT_BASE: "goods receipt", ORDER_BASE: "order"}
        return f"{words[self.base_type]} {self.doc_num} line {self.line_num + 1}"


def base_lines(document: Record, base_type: int, terms: Terms) -> list[BaseLine]:
    """The lines of one purchase order, goods receipt or invoice (contracts: SAP §8.3)."""
    lines = document.get("DocumentLines") or ()
    return [_base_line(document, line, base_type, terms) for line in lines if line.get("LineNum") is not None]


def _base_line(document: Record, line: Record, base_type: int, terms: Terms) -> BaseLine:
    currency = as_text(document.get("DocCurrency"))
    foreign = currency not in {"", terms.local_currency}
    ordered = amount(line.get("Quantity"))
    left = line.get("RemainingOpenQuantity")
    return BaseLine(
        base_type=base_type,
        doc_entry=int(document["DocEntry"]),
        line_num=int(line["LineNum"]),
        doc_num=as_text(document.get("DocNum")),
        doc_date=parse_date(document.get("DocDate")),
        card_code=as_text(document.get("CardCode")),
        currency=currency,
        is_item=document.get("DocType") != "dDocument_Service",
        is_open=document.get("DocumentStatus") == OPEN and line.get("LineStatus") in {OPEN, None},
        ordered_quantity=ordered,
        quantity=ordered if left is None else amount(left),
        open_amount=amount(line.get("OpenAmountFC" if foreign else "OpenAmount")),
        account=as_text(line.get("AccountCode")),
        cost_center=as_text(line.get(terms.costing_field)),
        project=as_text(line.get("ProjectCode")),
        tax_code=as_text(line.get(terms.tax_field)),
        order=_order_of(line),
    )


def _order_of(line: Record) -> LineKey | None:
    """The order line that a goods receipt line fulfils."""
    if line.get("BaseType") != ORDER_BASE or line.get("BaseEntry") is None:
        return None
    return int(line["BaseEntry"]), int(line.get("BaseLine") or 0)


@dataclass(frozen=True)
class Tax:
    """A tax code on the tax date. `rate` is None when none is in force; `partly` means not fully deductible."""

    code: str
    usable: bool
    purchasing: bool
    rate: Decimal | None
    reverse: bool = False
    partly: bool = False


@dataclass(frozen=True)
class Period:
    """Whether the posting date is open; `known` is False when SAP did not say; `next_open` is the day after."""

    known: bool = False
    is_open: bool = True
    next_open: date | None = None


@dataclass
class Findings:
    """Absent codes are missing from the mappings. `orders` has every order line that a row's numbers may mean."""

    vendor: Record | None = None
    accounts: Mapping[str, Record] = field(default_factory=dict)
    cost_centers: Mapping[str, Record] = field(default_factory=dict)
    projects: Mapping[str, Record] = field(default_factory=dict)
    taxes: Mapping[str, Tax] = field(default_factory=dict)
    payment_term: Record | None = None
    branch: Record | None = None
    period: Period = field(default_factory=Period)
    orders: Mapping[tuple[str, str], Sequence[LineKey]] = field(default_factory=dict)
    order_lines: Mapping[LineKey, BaseLine] = field(default_factory=dict)
    receipt_lines: Mapping[LineKey, Sequence[BaseLine]] = field(default_factory=dict)
    invoiced_unlinked: Mapping[LineKey, Decimal] = field(default_factory=dict)
    credited_lines: Sequence[BaseLine] = ()
    open_down_payments: Sequence[str] = ()

    def taken_unlinked(self, key: LineKey) -> Decimal:
        return self.invoiced_unlinked.get(key, ZERO)
