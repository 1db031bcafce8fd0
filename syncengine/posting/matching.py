"""Coding rows → parts, each on its base line: receipts, orders, freight, or no base at all.

The rules are those of default-mapping.md, "Lines". Nothing is taken twice: what one row takes from a base line is gone
for the next one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from syncengine.mapping import Problem
from syncengine.posting.amounts import ZERO, split
from syncengine.posting.findings import BaseLine, Findings, LineKey
from syncengine.posting.invoice import RETURN_MATCH, Invoice, Row
from syncengine.posting.problems import basware_problem, portal_problem
from syncengine.posting.terms import Terms

_SEVERAL = re.compile(r"[,;|\s]+")


@dataclass(frozen=True)
class Part:
    """What becomes one line of the document: `net` of a row, on a base line with a quantity, or as an expense."""

    row: Row
    net: Decimal
    base: BaseLine | None = None
    quantity: Decimal | None = None
    expense_code: int | None = None


@dataclass
class Matched:
    """All parts in the rows' order, with what was noticed on the way. `is_item` decides the document's type."""

    parts: list[Part] = field(default_factory=list)
    is_item: bool = False
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unlinked: dict[LineKey, Decimal] = field(default_factory=dict)


def order_references(row: Row) -> Iterator[list[tuple[str, str]]]:
    """The readings of a row's order numbers, the plainest first: as they stand, then as lists of several."""
    yield [(row.order_number, row.order_line)]
    orders, lines = (list(filter(None, _SEVERAL.split(text))) for text in (row.order_number, row.order_line))
    if len(lines) > 1 and len(orders) in {1, len(lines)}:
        yield list(zip(orders * len(lines) if len(orders) == 1 else orders, lines, strict=True))


def match_rows(invoice: Invoice, findings: Findings, terms: Terms) -> Matched:
    """Every row's parts; rows that cannot be placed are problems."""
    if invoice.kind == "credit_note":
        return _credited(invoice, findings)
    return _Matching(invoice, findings, terms).matched()


class _Matching:
    """One invoice's rows on their way to their base lines."""

    def __init__(self, invoice: Invoice, findings: Findings, terms: Terms) -> None:
        self._invoice, self._findings, self._terms = invoice, findings, terms
        self._result = Matched()
        self._left: dict[tuple[int, int, int], Decimal] = {}
        self._same = Counter((row.order_number, row.order_line, row.receipt_number) for row in invoice.rows)

    def matched(self) -> Matched:
        targets = {row.path: self._order_lines(row) for row in self._invoice.rows if row.order_number}
        kinds = {line.is_item for lines in targets.values() for line in lines}
        if len(kinds) > 1:
            message = "item orders and service orders cannot be posted in one document"
            self._result.problems.append(basware_problem("codingRows", message, "order"))
        self._result.is_item = True in kinds
        placed: dict[str, list[Part]] = {}
        for row in self._by_precision():
            placed[row.path] = list(self._parts(row, targets.get(row.path)))
        self._result.parts = [part for row in self._invoice.rows for part in placed[row.path]]
        return self._result

    def _by_precision(self) -> list[Row]:
        """Rows that name their receipt take from it before others help themselves."""
        return sorted(self._invoice.rows, key=lambda row: not row.receipt_number)

    def _order_lines(self, row: Row) -> list[BaseLine]:
        """The order lines that came from SAP which the row means; exactly one for each number, or a problem."""
        for reading in order_references(row):
            keys = [self._findings.orders.get(reference, ()) for reference in reading]
            if all(len(found) == 1 for found in keys):
                lines = [self._known(found[0]) for found in keys]
                if all(lines):
                    return [line for line in lines if line]
        several = len(self._findings.orders.get((row.order_number, row.order_line), ())) > 1
        reason = "means several order lines" if several else "is not an order line that came from SAP"
        message = (
            f"coding row {row.number}: order {row.order_number} line {row.order_line or '(none)'} {reason} "
            f"for vendor {self._invoice.card_code}"
        )
        self._result.problems.append(basware_problem(f"{row.path}.orderNumber", message, "order"))
        return []

    def _known(self, key: LineKey) -> BaseLine | None:
        """The order line, or what its receipts tell of it when the order itself was not needed."""
        receipts = self._findings.receipt_lines.get(key, ())
        return self._findings.order_lines.get(key) or next(iter(receipts), None)

    def _parts(self, row: Row, lines: Sequence[BaseLine] | None) -> Iterator[Part]:
        if lines is None:
            yield from self._without_order(row)
        elif lines and lines[0].is_item:
            yield from self._item(row, [_order_key(line) for line in lines])
        elif lines:
            yield self._service(row, lines[0])

    def _without_order(self, row: Row) -> Iterator[Part]:
        if not self._result.is_item:
            yield Part(row, row.net)
            return
        code = self._terms.looked_up("charges", row.account) or ""
        if code.strip().isdigit():
            yield Part(row, row.net, expense_code=int(code))
            return
        message = (
            f"coding row {row.number} (account {row.account or 'none'}) has no order, but others have item orders: "
            f"it can only be posted as a freight charge, and the lookup table charges has no entry for the account"
        )
        hint = f"Add account {row.account} to the lookup table charges with SAP's expense code, then press replay."
        self._result.problems.append(portal_problem(row.path, message, "charges", hint))

    # Item orders

    def _item(self, row: Row, keys: Sequence[LineKey]) -> Iterator[Part]:
        quantity = self._quantity(row)
        if quantity is None or quantity <= 0:
            message = f"coding row {row.number} is matched to an item order, but has no quantity"
            self._result.problems.append(basware_problem(f"{row.path}.matchedQuantity", message, "quantity"))
            return
        shares = list(self._shares(row, keys, quantity))
        missing = quantity - sum((share for _, share in shares), ZERO)
        if missing > 0:
            self._result.problems.append(self._too_much(row, keys, quantity, missing))
            return
        nets = split(row.net, [share for _, share in shares], self._terms.decimals_of(self._invoice.currency))
        for (base, share), net in zip(shares, nets, strict=True):
            self._note_account(row, base)
            yield Part(row, net, base, share)

    def _quantity(self, row: Row) -> Decimal | None:
        shared = self._same[row.order_number, row.order_line, row.receipt_number] > 1
        return row.allocated if shared else row.matched

    def _shares(self, row: Row, keys: Sequence[LineKey], quantity: Decimal) -> Iterator[tuple[BaseLine, Decimal]]:
        for base in self._bases(row, keys):
            share = min(self._left.get(_place(base), base.quantity), quantity)
            if share > 0:
                self._left[_place(base)] = self._left.get(_place(base), base.quantity) - share
                quantity -= share
                yield base, share

    def _bases(self, row: Row, keys: Sequence[LineKey]) -> Iterator[BaseLine]:
        """Where a row may take from, in this order: its receipts, oldest first, then the order line while open."""
        for key in keys:
            receipts = [line for line in self._findings.receipt_lines.get(key, ()) if line.is_open]
            if row.receipt_number:
                yield from _named(receipts, row)
            else:
                yield from receipts
        for key in () if row.receipt_number else keys:
            order = self._findings.order_lines.get(key)
            if order is not None and order.is_open:
                yield order

    def _too_much(self, row: Row, keys: Sequence[LineKey], quantity: Decimal, missing: Decimal) -> Problem:
        where = f"goods receipt {row.receipt_number} for " if row.receipt_number else ""
        name = f"{where}order {row.order_number} line {row.order_line}"
        open_bases = list(self._bases(row, keys))
        if not open_bases:
            reason = "is closed in SAP" if not row.receipt_number else "is closed or unknown in SAP"
            return basware_problem(row.path, f"coding row {row.number}: {name} {reason}", "order")
        message = (
            f"coding row {row.number}: {name} has {quantity - missing:f} left to invoice in SAP, "
            f"the invoice takes {quantity:f}"
        )
        return basware_problem(f"{row.path}.matchedQuantity", message, "quantity")

    def _note_account(self, row: Row, base: BaseLine) -> None:
        if row.account and base.account and row.account != base.account:
            note = f"coding row {row.number}: account {row.account} is coded, {base.name} posts to {base.account}"
            self._result.notes.append(note)

    # Service orders

    def _service(self, row: Row, order: BaseLine) -> Part:
        key = _order_key(order)
        receipts = (line for line in self._findings.receipt_lines.get(key, ()) if line.is_open)
        base = next(receipts, order)
        if not base.is_open:
            message = f"coding row {row.number}: {order.name} is closed in SAP"
            self._result.problems.append(basware_problem(row.path, message, "order"))
        taken = self._left.get(_place(base), ZERO)
        left = base.open_amount - taken - self._findings.taken_unlinked(key) - self._result.unlinked.get(key, ZERO)
        if row.net > left and base.is_open:
            self._result.problems.append(self._beyond_order(row, base, left))
        whole = row.net == base.open_amount and not taken
        if (
            base.is_open
            and row.net > 0
            and (whole or base.ordered_quantity > 0)
            and base.currency == self._invoice.currency
        ):
            self._left[_place(base)] = taken + row.net
            return Part(row, row.net, base, self._service_quantity(row, base, whole=whole))
        self._result.unlinked[key] = self._result.unlinked.get(key, ZERO) + row.net
        self._result.notes.append(f"coding row {row.number} is part of {base.name} and was posted without a link to it")
        return Part(row, row.net)

    def _service_quantity(self, row: Row, base: BaseLine, *, whole: bool) -> Decimal | None:
        """SAP's quantity in proportion to the money: Basware knows the line as one piece (contracts: Basware §15.2)."""
        if base.ordered_quantity <= 0:
            return None
        if whole or base.open_amount <= 0:
            return base.quantity
        return (base.quantity * row.net / base.open_amount).quantize(Decimal("0.000001"))

    def _beyond_order(self, row: Row, base: BaseLine, left: Decimal) -> Problem:
        message = f"coding row {row.number}: {base.name} has {left:f} left to invoice, the row is {row.net:f}"
        return basware_problem(f"{row.path}.netTotal", message, "order")


def _order_key(line: BaseLine) -> LineKey:
    return line.order or (line.doc_entry, line.line_num)


def _place(base: BaseLine) -> tuple[int, int, int]:
    return (base.base_type, base.doc_entry, base.line_num)


def _named(receipts: Sequence[BaseLine], row: Row) -> list[BaseLine]:
    """The receipt lines that the row names; its item number tells them apart when there are several."""
    named = [line for line in receipts if line.doc_num == row.receipt_number]
    exact = [line for line in named if str(line.line_num + 1) == row.receipt_line]
    return exact or named


def _credited(invoice: Invoice, findings: Findings) -> Matched:
    """Credit notes: on the credited invoice when every row finds a line of its own there, else without a link."""
    result = Matched()
    links = _credited_links(invoice, findings.credited_lines)
    for row in invoice.rows:
        base = links.get(row.path)
        result.parts.append(Part(row, row.net, base))
    if findings.credited_lines and not links:
        result.notes.append(
            "the credited invoice is known, but its open lines do not fit the rows: posted without a link"
        )
    for row in invoice.rows if not links else ():
        if row.order_number:
            name = f"order {row.order_number} line {row.order_line}"
            result.notes.append(f"coding row {row.number} names {name}: credit notes are posted without a link to it")
    result.is_item = any(base.is_item for base in links.values())
    return result


def _credited_links(invoice: Invoice, lines: Sequence[BaseLine]) -> dict[str, BaseLine]:
    """A line of the credited invoice for each row (same coding, enough open), or nothing at all."""
    free = [line for line in lines if line.is_open and not line.is_item and line.currency == invoice.currency]
    links: dict[str, BaseLine] = {}
    for row in invoice.rows:
        base = next((line for line in free if _fits(row, line)), None)
        if base is None:
            return {}
        free.remove(base)
        links[row.path] = base
    return links


def _fits(row: Row, line: BaseLine) -> bool:
    coding = (line.account, line.cost_center, line.project, line.tax_code)
    return coding == (row.account, row.cost_center, row.project, row.tax_code) and ZERO < row.net <= line.open_amount


def is_return(invoice: Invoice) -> bool:
    """Whether goods went back: matchingType 2 (default-mapping.md, credit notes)."""
    return any(row.matching_type == RETURN_MATCH for row in invoice.rows)
