"""Reading both systems for a period, page by page; of each document only what the comparison needs is kept.

Memory grows with the period's invoices alone, by some hundred bytes each. Calls grow with pages: all of Basware's
documents changed since a year before the period, and SAP's documents from a month before it until today, so that
a double that was booked later is seen as well. Only what is not found so is asked for by mark, many in one call.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from syncengine.connectors.basware import Basware
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.sap_b1.literals import all_of, date_literal, equals, parse_date
from syncengine.flows.company import FlowContext
from syncengine.flows.invoicing.case import is_ours, terms_of
from syncengine.flows.invoicing.rules import LIMITS
from syncengine.mapping import FieldMapping
from syncengine.mapping.functions import calendar_day
from syncengine.mapping.text import as_text, to_decimal
from syncengine.posting.amounts import ZERO, amount
from syncengine.posting.duplicates import mark_filter, normalised
from syncengine.posting.invoice import CREDIT_NOTES, INVOICES, read_invoice
from syncengine.posting.payments import PAYMENT, SUPPLIER, invoice_lines, is_foreign
from syncengine.posting.readback import totals_of
from syncengine.posting.sap_values import NOT_CANCELLED
from syncengine.posting.terms import Terms
from syncengine.reconciliation.core import APPROVED, Approved, Held, Posted
from syncengine.reconciliation.payments import Paying

PAYING_SETS = (INVOICES, CREDIT_NOTES)
SUMS = (
    "DocTotal",
    "DocTotalFc",
    "VatSum",
    "VatSumFc",
    "WTAmount",
    "WTAmountFC",
    "PaidToDate",
    "PaidToDateFC",
)
SELECT = ("DocEntry", "DocNum", "CardCode", "NumAtCard", "DocDate", "DocCurrency", "CancelStatus", "Comments", *SUMS)

BRANCH = "BPL_IDAssignedToInvoice"
"""Only companies that work with branches have it."""
EARLIEST = date(1900, 1, 1)
MONTH, YEAR = timedelta(days=31), timedelta(days=366)
MARKS_AT_ONCE = 15
"""Filters on as many comments or vendors stay below SAP's limits on terms and on the URL (contracts: SAP §4)."""

_MARK = re.compile(r"(?<!\w)Basware (\S+)")
_PUNCTUATION = ".,;:)"

Row = Mapping[str, Any]
Link = tuple[str, int]
"""Entity set and DocEntry of a document that our books name."""
T = TypeVar("T")


@dataclass(frozen=True)
class Period:
    """Both days included. An invoice belongs to the day of its voucher, which steers the posting period.

    Basware keeps no day of approval, and `lastUpdated` moves with every answer: an invoice would wander from period to
    period. Without a voucher date it is the invoice date; an invoice with neither belongs to every period.
    """

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        return day is None or self.first <= day <= self.last


@dataclass
class InBasware:
    """The approved invoices of the period, and the status of every other document that was read."""

    approved: dict[str, Approved] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)


@dataclass
class InSap:
    """By invoice id: what SAP holds of the approved invoices, and what carries the mark of any other in the period."""

    held: dict[str, Held] = field(default_factory=lambda: defaultdict(Held))
    strays: dict[str, list[Posted]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Reader:
    """Both clients and the customer's rules. Every method reads afresh."""

    sap: ErpClient
    basware: Basware
    mapping: FieldMapping
    ctx: FlowContext

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.ctx, self.sap.settings.user_defined_id_field)

    @property
    def local(self) -> str:
        return self.terms.local_currency

    # Basware

    def in_basware(self, period: Period) -> InBasware:
        """Asked without a status Basware lists all (contracts: Basware §14.1), and none slips by while it moves on.

        A document that was last changed a year before the period cannot have been approved for it.
        """
        since = datetime.combine(_back(period.first, YEAR), datetime.min.time(), UTC)
        found = InBasware()
        for row in chain.from_iterable(self.basware.documents(last_updated=since)):
            invoice_id, status = as_text(row["invoiceId"]), as_text(row.get("processingStatus"))
            if status in APPROVED and is_ours(row, self.ctx.company) and period.holds(_day(row)):
                found.approved[invoice_id] = self._approved(row, invoice_id, status)
            else:
                found.others[invoice_id] = status
        return found

    def status(self, invoice_id: str) -> str:
        """The document's status in Basware; "" when it is not known there."""
        document = self.basware.document(invoice_id)
        return as_text(document.get("processingStatus")) if document else ""

    def _approved(self, document: Row, invoice_id: str, status: str) -> Approved:
        mapped = self.mapping.apply(document, lookups=self.ctx.lookups, limits=LIMITS)
        invoice = read_invoice(document, mapped, self.terms).invoice
        return Approved(
            invoice_id=invoice_id,
            number=invoice.number or as_text(document.get("invoiceNumber")),
            vendor=as_text(document.get("supplierCode")),
            currency=as_text(document.get("currencyCode")),
            amount=to_decimal(document.get("grossSum")),
            day=_day(document),
            status=status,
            voucher=as_text(document.get("voucherNumber1")),
            entity_set=invoice.entity_set,
            card_code=invoice.card_code,
            sap_currency=invoice.currency,
            gross=invoice.gross,
            tax=invoice.tax,
            lines=len(invoice.rows),
            told=_told(document),
            branch=invoice.branch if self.terms.branches else "",
        )

    # SAP

    def in_sap(self, approved: Mapping[str, Approved], period: Period) -> InSap:
        """Documents by mark, and those without one by vendor and number (default-mapping.md, rules 1 and 2)."""
        found, numbers = InSap(), _by_number(approved.values())
        where = f"DocDate ge {date_literal(_back(period.first, MONTH))}"
        for entity_set in PAYING_SETS:
            pages = self.sap.pages(entity_set, key="DocEntry", select=self._select, where=where)
            for row in chain.from_iterable(pages):
                document, mark = self._posted(entity_set, row), self._mark(row, approved)
                if mark in approved:
                    found.held[mark].ours.append(document)
                elif document.cancelled:
                    continue
                elif mark and period.holds(parse_date(row.get("DocDate"))):
                    found.strays[mark].append(document)
                elif not mark:
                    for invoice_id in numbers.get(_number_key(document, row), ()):
                        found.held[invoice_id].alike.append(document)
        return found

    def add_marked(self, found: InSap, invoice_ids: Sequence[str]) -> None:
        """Ask for these marks, whatever the date of the document."""
        wanted = frozenset(invoice_ids)
        for entity_set in PAYING_SETS:
            for row in self._marked(entity_set, invoice_ids):
                mark = self._mark(row, wanted)
                if mark in wanted:
                    found.held[mark].ours.append(self._posted(entity_set, row))

    def add_linked(self, found: InSap, links: Mapping[Link, str]) -> None:
        """Documents without our mark that a person has said to be the invoice: our books name them, SAP shows them."""
        for entity_set in sorted({entity_set for entity_set, _ in links}):
            entries = [entry for name, entry in links if name == entity_set]
            for row in self.sap.by_keys(entity_set, "DocEntry", entries, self._select):
                document = self._posted(entity_set, row)
                held = found.held[links[entity_set, document.doc_entry]]
                held.ours.append(document)
                held.alike = [other for other in held.alike if other != document]

    def payment_lines(self, paying: Sequence[Paying]) -> dict[int, list[Row]]:
        """By DocEntry of the invoice: the payments in force on it, each with its line as `line`.

        Payments cannot be asked for by what they pay (contracts: SAP §4): it is the vendors' of that time.
        """
        wanted = {one.document.doc_entry for one in paying}
        since = min((one.invoice.day for one in paying if one.invoice.day), default=EARLIEST)
        lines: dict[int, list[Row]] = defaultdict(list)
        for vendors in chunks(sorted({one.document.card_code for one in paying}), MARKS_AT_ONCE):
            where = all_of(
                " or ".join(equals("CardCode", vendor) for vendor in vendors),
                equals("DocType", SUPPLIER),
                equals("CancelStatus", NOT_CANCELLED),
                f"DocDate ge {date_literal(_back(since, MONTH))}",
            )
            for payment in chain.from_iterable(
                self.sap.pages("VendorPayments", key="DocEntry", select=PAYMENT, where=where)
            ):
                for line in invoice_lines(payment):
                    if line["DocEntry"] in wanted:
                        lines[line["DocEntry"]].append({**payment, "line": line})
        return lines

    @property
    def _select(self) -> tuple[str, ...]:
        own = [self.terms.mark_field] if self.terms.mark_field else []
        return (*SELECT, *own, *([BRANCH] if self.terms.branches else []))

    def _marked(self, entity_set: str, invoice_ids: Sequence[str]) -> Iterator[Row]:
        if self.terms.mark_field:
            yield from self.sap.by_keys(entity_set, self.terms.mark_field, invoice_ids, self._select)
            return
        for some in chunks(invoice_ids, MARKS_AT_ONCE):
            where = " or ".join(mark_filter(self.sap, invoice_id, self.terms) for invoice_id in some)
            yield from self.sap.find(entity_set, where=where, select=self._select, top=1000)

    def _mark(self, row: Row, known: Mapping[str, Any] | frozenset[str]) -> str:
        """The user-defined field, else the words in Comments; people may have written around them."""
        own = as_text(row.get(self.terms.mark_field)) if self.terms.mark_field else ""
        if own:
            return own
        comments = as_text(row.get("Comments"))
        for word in _MARK.findall(comments):
            for invoice_id in (word, word.rstrip(_PUNCTUATION)):
                if invoice_id in known:
                    return str(invoice_id)
        # Of an invoice that we do not know only the very form in which we write it is taken for a mark.
        unknown = _MARK.fullmatch(next(iter(comments.splitlines()), ""))
        return unknown[1] if unknown else ""

    def _posted(self, entity_set: str, row: Row) -> Posted:
        totals = totals_of(row, foreign=is_foreign(row, self.local))
        sums = {name: row[name] for name in SUMS if amount(row.get(name))}
        return Posted(
            entity_set=entity_set,
            doc_entry=int(row["DocEntry"]),
            doc_num=int(row.get("DocNum") or 0),
            card_code=as_text(row.get("CardCode")),
            currency=as_text(row.get("DocCurrency")) or self.local,
            gross=totals.gross,
            tax=totals.tax,
            cancelled=row.get("CancelStatus") not in {None, "", NOT_CANCELLED},
            sums={**sums, "DocCurrency": as_text(row.get("DocCurrency"))},
            branch=as_text(row.get(BRANCH)) if self.terms.branches else "",
        )

    def in_iso(self, document: Posted) -> Posted:
        """The document with Basware's code of its currency."""
        return replace(document, currency=self.ctx.facts.iso(document.currency) or document.currency)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, at most `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _back(day: date, by: timedelta) -> date:
    return max(day, EARLIEST + by) - by


def _day(document: Row) -> date | None:
    day = calendar_day(document.get("voucherDate")) or calendar_day(document.get("invoiceDate"))
    return date.fromisoformat(day) if day else None


def _told(document: Row) -> Any:
    """The paid total of the last answer that Basware has taken; each one replaces the one before."""
    answers = [one for one in document.get("paymentResponses") or () if one.get("success") is not False]
    return next((amount(one["paidTotal"]) for one in reversed(answers) if one.get("paidTotal") is not None), ZERO)


NumberKey = tuple[str, str, str]


def _by_number(approved: Iterable[Approved]) -> dict[NumberKey, list[str]]:
    found: dict[NumberKey, list[str]] = defaultdict(list)
    for one in approved:
        found[one.entity_set, one.card_code.casefold(), normalised(one.number)].append(one.invoice_id)
    return found


def _number_key(document: Posted, row: Row) -> NumberKey:
    return document.entity_set, document.card_code.casefold(), normalised(as_text(row.get("NumAtCard")))
