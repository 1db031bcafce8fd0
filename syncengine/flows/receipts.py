"""The goods receipts and returns of purchase orders, read for a page of orders at a time.

PurchaseDeliveryNotes cannot be filtered by the order they are based on (contracts: SAP §4), and a line goes to Basware
with *all* its receipts, since a POST replaces the whole line (contracts: Basware §3.6). So for the orders of one page
their vendors' receipts are read, seventeen vendors to a query, from the day on which the oldest of these orders was
made: no receipt is older than its order. What is kept in memory are the receipt lines of one page's orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from syncengine.connectors.outcomes import Rejected
from syncengine.connectors.sap_b1.literals import all_of, date_literal, equals
from syncengine.flows.reading import Feed, SapReader, read
from syncengine.flows.values import day, number

Line = dict[str, Any]
Order = dict[str, Any]

ORDER, RECEIPT = 22, 20
VENDORS_AT_ONCE = 17
_HEADER = ("DocEntry", "DocNum", "DocDate", "NumAtCard", "CancelStatus", "CreationDate")
_LINE = (
    "LineNum",
    "BaseEntry",
    "BaseLine",
    "Quantity",
    "RemainingOpenQuantity",
    "Price",
    "UnitPrice",
    "LineTotal",
    "RowTotalFC",
    "OpenAmount",
    "OpenAmountFC",
    "LineStatus",
)
RECEIPTS = Feed("PurchaseDeliveryNotes", "DocEntry", (*_HEADER, "DocumentLines"))
RETURNS = Feed("PurchaseReturns", "DocEntry", (*_HEADER, "DocumentLines"))
UNKNOWN_SERVICE = "sap_-1002"


def lines_based_on(document: Mapping[str, Any], base_type: int) -> Iterator[Line]:
    """The document's lines with that base and what they need of its header; a cancellation's mirror has none."""
    if document.get("CancelStatus") == "csCancellation":
        return
    header = {name: document.get(name) for name in _HEADER}
    for line in document.get("DocumentLines") or ():
        if number(line.get("BaseType")) == base_type and line.get("BaseEntry") is not None:
            yield header | {name: line.get(name) for name in _LINE}


class ReceiptReader:
    """Completes orders by `Receipts` and `Returns`; one for a run, since it remembers whether returns can be read."""

    def __init__(self, sap: SapReader) -> None:
        self._sap = sap
        self._returns_known = True

    def complete(self, orders: list[Order]) -> list[Order]:
        """The orders, each with every receipt line based on it and every return of those, oldest first."""
        found: dict[int, list[Line]] = {int(order["DocEntry"]): [] for order in orders}
        returned: dict[int, list[Line]] = {}
        for where in _questions(orders):
            receipts = [line for line in self._lines(RECEIPTS, where, ORDER) if int(line["BaseEntry"]) in found]
            for line in receipts:
                found[int(line["BaseEntry"])].append(line)
            for line in self._returns(where, receipts):
                returned.setdefault(int(line["BaseEntry"]), []).append(line)
        return [_completed(order, found[int(order["DocEntry"])], returned) for order in orders]

    def _lines(self, feed: Feed, where: str, base_type: int) -> Iterator[Line]:
        asked = Feed(feed.entity_set, feed.key, feed.select, where)
        for page in read(self._sap, asked):
            for document in page.records:
                yield from lines_based_on(document, base_type)

    def _returns(self, where: str, receipts: list[Line]) -> list[Line]:
        """The returns of these receipts, if anything was taken from them at all."""
        drawn = any(number(line["RemainingOpenQuantity"]) < number(line["Quantity"]) for line in receipts)
        if not drawn or not self._returns_known:
            return []
        entries = {line["DocEntry"] for line in receipts}
        try:
            return [line for line in self._lines(RETURNS, where, RECEIPT) if line["BaseEntry"] in entries]
        except Rejected as refused:
            # Object type 21 is in SAP's list of codes, its entity set not in the contract's: a company without it
            # has no returns that we could send.
            if refused.code != UNKNOWN_SERVICE:
                raise
            self._returns_known = False
            return []


def _completed(order: Order, receipts: list[Line], returned: Mapping[int, list[Line]]) -> Order:
    entries = sorted({int(line["DocEntry"]) for line in receipts})
    places = {(line["DocEntry"], line["LineNum"]) for line in receipts}
    returns = [line for entry in entries for line in returned.get(entry, ())]
    mine = [line for line in returns if (line["BaseEntry"], line["BaseLine"]) in places]
    return order | {"Receipts": sorted(receipts, key=_place), "Returns": sorted(mine, key=_place)}


def _place(line: Line) -> tuple[int, int]:
    return int(line["DocEntry"]), int(line["LineNum"])


def _questions(orders: list[Order]) -> Iterator[str]:
    """The filters that together find the receipts of these orders: below 20 terms each (contracts: SAP §4)."""
    vendors = sorted({str(order["CardCode"]) for order in orders if order.get("CardCode")})
    for start in range(0, len(vendors), VENDORS_AT_ONCE):
        chunk = vendors[start : start + VENDORS_AT_ONCE]
        oldest = _oldest(order for order in orders if order.get("CardCode") in chunk)
        # Old data may lack the stamp; such a receipt must not be lost.
        made = f"CreationDate ge {date_literal(oldest)} or CreationDate eq null" if oldest else ""
        yield all_of(" or ".join(equals("CardCode", vendor) for vendor in chunk), made)


def _oldest(orders: Iterable[Order]) -> date | None:
    """The first day on which one of the orders can have been received; None when that is not known of all."""
    days = [day(order.get("CreationDate")) for order in orders]
    known = [found for found in days if found is not None]
    return min(known) if known and len(known) == len(days) else None
