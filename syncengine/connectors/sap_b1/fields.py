"""The fields of purchase documents that the product sends, with what SAP takes in them.

Our own form of the entity model (default-mapping.md, "Basware → SAP: invoices"; lengths: contracts: SAP §8.4).
`DocTotal` is missing on purpose: sent, it would turn any difference into a discount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Field:
    """`kind` is text, integer, number, date, choice or rows; `length` is for text, `values` for a choice."""

    kind: str
    length: int = 0
    values: tuple[str, ...] = ()
    rows: Mapping[str, Field] | None = None


def _text(length: int) -> Field:
    return Field("text", length=length)


def _choice(*values: str) -> Field:
    return Field("choice", values=values)


INTEGER = Field("integer")
NUMBER = Field("number")
DAY = Field("date")
YES_NO = _choice("tYES", "tNO")
DISTRIBUTION_RULE = _text(8)

LINE: Mapping[str, Field] = {
    "ItemDescription": _text(100),
    "AccountCode": _text(15),
    "Quantity": NUMBER,
    "UnitPrice": NUMBER,
    "Currency": _text(3),
    "LineTotal": NUMBER,
    "RowTotalFC": NUMBER,
    "DiscountPercent": NUMBER,
    "VatGroup": _text(8),
    "TaxCode": _text(8),
    "CostingCode": DISTRIBUTION_RULE,
    "CostingCode2": DISTRIBUTION_RULE,
    "CostingCode3": DISTRIBUTION_RULE,
    "CostingCode4": DISTRIBUTION_RULE,
    "CostingCode5": DISTRIBUTION_RULE,
    "ProjectCode": _text(20),
    "WTLiable": YES_NO,
    "BaseType": INTEGER,
    "BaseEntry": INTEGER,
    "BaseLine": INTEGER,
}

EXPENSE: Mapping[str, Field] = {
    "ExpenseCode": INTEGER,
    "LineTotal": NUMBER,
    "LineTotalFC": NUMBER,
    "VatGroup": _text(8),
    "TaxCode": _text(8),
    "DistributionMethod": _choice("aedm_None"),
    "DistributionRule": DISTRIBUTION_RULE,
    "DistributionRule2": DISTRIBUTION_RULE,
    "DistributionRule3": DISTRIBUTION_RULE,
    "DistributionRule4": DISTRIBUTION_RULE,
    "DistributionRule5": DISTRIBUTION_RULE,
    "Project": _text(20),
    "Remarks": _text(254),
    "WTLiable": YES_NO,
}

HEADER: Mapping[str, Field] = {
    "DocType": _choice("dDocument_Service", "dDocument_Items"),
    "CardCode": _text(15),
    "NumAtCard": _text(100),
    "DocDate": DAY,
    "TaxDate": DAY,
    "DocDueDate": DAY,
    "DocCurrency": _text(3),
    "PaymentGroupCode": INTEGER,
    "DiscountPercent": NUMBER,
    "PaymentBlock": YES_NO,
    "Comments": _text(254),
    "JournalMemo": _text(50),
    "BPL_IDAssignedToInvoice": INTEGER,
    "DocumentLines": Field("rows", rows=LINE),
    "DocumentAdditionalExpenses": Field("rows", rows=EXPENSE),
}


def check_document(body: Mapping[str, Any]) -> list[str]:
    """Everything in a document body that SAP would not take: unknown fields, wrong kinds, lengths, choices."""
    return list(_problems(body, HEADER, ""))


def _problems(body: Mapping[str, Any], known: Mapping[str, Field], path: str) -> Iterator[str]:
    for name, value in body.items():
        where = f"{path}{name}"
        if name in known:
            yield from _field_problems(value, known[name], where)
        elif not name.startswith("U_"):
            yield f"{where}: not a field that is sent"


def _field_problems(value: Any, field: Field, where: str) -> Iterator[str]:
    if field.rows is not None:
        yield from _row_problems(value, field.rows, where)
    elif not _KINDS[field.kind](value):
        yield f"{where}: {value!r} is no {field.kind}"
    elif field.kind == "text" and len(value) > field.length:
        yield f"{where}: {len(value)} characters, {field.length} allowed"
    elif field.values and value not in field.values:
        yield f"{where}: {value!r} is none of {', '.join(field.values)}"


def _row_problems(rows: Any, known: Mapping[str, Field], where: str) -> Iterator[str]:
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        yield f"{where}: not a list of rows"
        return
    for index, row in enumerate(rows):
        yield from _problems(row, known, f"{where}[{index}].")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    """A float is none: amounts are exact."""
    return _is_integer(value) or (isinstance(value, Decimal) and value.is_finite())


def _is_day(value: Any) -> bool:
    if not isinstance(value, str):
        return type(value) is date
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "choice": _is_text,
    "integer": _is_integer,
    "number": _is_number,
    "date": _is_day,
}
