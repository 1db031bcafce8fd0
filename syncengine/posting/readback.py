"""After every post the document is read back: is it ours, and did SAP make of it what the invoice says?

contracts: SAP §8.4 (an approval procedure may have made a draft whose DocEntry belongs to another invoice; SAP computes
tax and totals itself); tolerances of default-mapping.md, "After every post".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncengine.mapping.text import as_text
from syncengine.posting.amounts import ZERO, amount, line_tolerance
from syncengine.posting.document import SERVICE, Plan
from syncengine.posting.terms import Terms

SELECT = (
    "DocEntry",
    "DocNum",
    "DocType",
    "CardCode",
    "CardName",
    "NumAtCard",
    "DocDate",
    "TaxDate",
    "DocCurrency",
    "DocTotal",
    "DocTotalFc",
    "VatSum",
    "VatSumFc",
    "WTAmount",
    "WTAmountFC",
    "PaymentBlock",
    "DocumentStatus",
    "CancelStatus",
    "AuthorizationStatus",
    "TransNum",
    "CreationDate",
    "Comments",
    "DocumentLines",
    "DocumentAdditionalExpenses",
)
"""What duplicates and read-back need of a purchase document."""


def select_for(terms: Terms) -> tuple[str, ...]:
    return (*SELECT, terms.mark_field) if terms.mark_field else SELECT


@dataclass(frozen=True)
class Difference:
    """One way in which SAP's document is not the invoice. `kind` is `amount` or `coding`."""

    kind: str
    message: str


@dataclass(frozen=True)
class Totals:
    """A purchase document's sums in its own currency; the gross before withholding tax (contracts: SAP §8.4)."""

    net: Decimal
    tax: Decimal
    gross: Decimal


def totals_of(document: Mapping[str, Any], *, foreign: bool) -> Totals:
    if foreign:
        tax, gross = amount(document.get("VatSumFc")), amount(document.get("DocTotalFc"))
        gross += amount(document.get("WTAmountFC"))
    else:
        tax, gross = amount(document.get("VatSum")), amount(document.get("DocTotal")) + amount(document.get("WTAmount"))
    lines = sum((net_of_line(line, foreign=foreign) for line in document.get("DocumentLines") or ()), ZERO)
    extra = sum((_net_of_expense(row, foreign=foreign) for row in expenses_of(document)), ZERO)
    return Totals(lines + extra, tax, gross)


def net_of_line(line: Mapping[str, Any], *, foreign: bool) -> Decimal:
    return amount(line.get("RowTotalFC" if foreign else "LineTotal"))


def _net_of_expense(expense: Mapping[str, Any], *, foreign: bool) -> Decimal:
    return amount(expense.get("LineTotalFC" if foreign else "LineTotal"))


def expenses_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Additional expenses that carry money; SAP may list empty ones too."""
    rows = document.get("DocumentAdditionalExpenses") or ()
    return [row for row in rows if amount(row.get("LineTotal")) or amount(row.get("LineTotalFC"))]


def is_ours(document: Mapping[str, Any], plan: Plan, terms: Terms) -> bool:
    """Vendor, number and mark: existence alone proves nothing (contracts: SAP §8.4)."""
    body = plan.body
    same = all(as_text(document.get(name)) == as_text(body[name]) for name in ("CardCode", "NumAtCard"))
    if terms.mark_field and terms.mark_field in document:
        return same and as_text(document.get(terms.mark_field)) == plan.invoice_id
    return same and carries_mark(document, plan.invoice_id)


def carries_mark(document: Mapping[str, Any], invoice_id: str) -> bool:
    """`Basware <invoiceId>` as a word of Comments: one id may begin with another."""
    before, mark, after = as_text(document.get("Comments")).partition(f"Basware {invoice_id}")
    return bool(mark) and not after[:1].isalnum() and not before[-1:].isalnum()


def differences(document: Mapping[str, Any], plan: Plan, terms: Terms) -> list[Difference]:
    """Currency, then each line's coding, then the sums; nothing when SAP made what the invoice says."""
    found = [Difference("amount", message) for message in _currency_difference(document, plan)]
    found += [Difference("coding", message) for message in _coding_differences(document, plan, terms)]
    found += [Difference("amount", message) for message in _sum_differences(document, plan, terms)]
    return found


def _currency_difference(document: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    asked, made = plan.body["DocCurrency"], as_text(document.get("DocCurrency"))
    if made != asked:
        yield f"SAP posted in {made or 'no currency'}, the invoice is in {asked}"


def _coding_differences(document: Mapping[str, Any], plan: Plan, terms: Terms) -> Iterator[str]:
    made = _in_order(document)
    sent = plan.body["DocumentLines"]
    if len(made) != len(sent):
        yield f"SAP has {len(made)} lines, {len(sent)} were sent"
        return
    fields = [terms.costing_field, "ProjectCode", terms.tax_field]
    if plan.body["DocType"] == SERVICE:
        fields.insert(0, "AccountCode")
    for number, (line, asked) in enumerate(zip(made, sent, strict=True), start=1):
        for name in fields:
            if as_text(line.get(name)) != as_text(asked.get(name)):
                was, wanted = as_text(line.get(name)) or "nothing", as_text(asked.get(name)) or "nothing"
                yield f"line {number}: {name} is {was} in SAP, {wanted} was sent"


def _sum_differences(document: Mapping[str, Any], plan: Plan, terms: Terms) -> Iterator[str]:
    unit = terms.unit_of(as_text(plan.body["DocCurrency"]))
    made = totals_of(document, foreign=plan.foreign)
    nets = [net_of_line(line, foreign=plan.foreign) for line in _in_order(document)]
    if len(nets) == len(plan.line_nets):
        for number, (net, asked) in enumerate(zip(nets, plan.line_nets, strict=True), start=1):
            if abs(net - asked) > unit:
                yield f"line {number}: net {net} in SAP, {asked} on the invoice"
    tolerance = line_tolerance(len(plan.line_nets) + len(plan.expense_nets), unit)
    wanted_net = plan.net if plan.net is not None else sum((*plan.line_nets, *plan.expense_nets), ZERO)
    pairs: Sequence[tuple[str, Decimal, Decimal | None]] = (
        ("net", made.net, wanted_net),
        ("tax", made.tax, plan.tax),
        ("gross", made.gross, plan.gross),
    )
    for word, has, wanted in pairs:
        if wanted is not None and abs(has - wanted) > tolerance:
            yield f"{word} {has} in SAP, {wanted} on the invoice"


def _in_order(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(document.get("DocumentLines") or (), key=lambda line: amount(line.get("LineNum")))
