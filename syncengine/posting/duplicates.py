"""Is it there already? The look-ups before a post and after an unanswered one (default-mapping.md, rules 1 to 3).

One query per entity set answers all three rules: what carries our mark, what has vendor and number, and what has the
same number and gross sum under another vendor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, Protocol

from syncengine.connectors.sap_b1.literals import all_of, date_literal, equals, parse_date, starts_with
from syncengine.mapping.text import as_text
from syncengine.posting.amounts import ZERO, line_tolerance
from syncengine.posting.document import ITEMS
from syncengine.posting.invoice import CREDIT_NOTES, INVOICES, Invoice
from syncengine.posting.readback import carries_mark, expenses_of, net_of_line, select_for, totals_of
from syncengine.posting.sap_values import NOT_CANCELLED, OPEN
from syncengine.posting.terms import Terms

DRAFTS = "Drafts"
DOWN_PAYMENTS = "PurchaseDownPayments"
DRAFT_CODES = {INVOICES: "oPurchaseInvoices", CREDIT_NOTES: "oPurchaseCreditNotes"}
AWAITING = frozenset({"dasPending", "dasApproved"})
DEAD_DRAFTS = frozenset({"dasRejected", "dasCancelled"})
YEAR = timedelta(days=365)
MOST = 200

Why = Literal["mark", "number", "elsewhere"]


class Finder(Protocol):
    """What look-ups need of the SAP client."""

    def find(
        self,
        entity_set: str,
        *,
        where: str,
        select: tuple[str, ...],
        top: int = 100,
        case_insensitive: bool = False,
    ) -> list[dict[str, Any]]: ...

    def contains(self, field_name: str, text: str) -> str: ...


@dataclass(frozen=True)
class Sighting:
    """A document in SAP that is, or may be, the invoice."""

    entity_set: str
    document: Mapping[str, Any]
    why: Why

    @property
    def entry(self) -> int:
        return int(self.document["DocEntry"])

    @property
    def number(self) -> int:
        return int(self.document.get("DocNum") or 0)

    @property
    def target_set(self) -> str:
        """The entity set that a draft is to become; else its own."""
        if self.entity_set != DRAFTS:
            return self.entity_set
        return CREDIT_NOTES if self.document.get("DocObjectCode") == DRAFT_CODES[CREDIT_NOTES] else INVOICES

    def describe(self) -> str:
        words = {DRAFTS: "draft ", DOWN_PAYMENTS: "down payment ", CREDIT_NOTES: "credit note "}
        return f"{words.get(self.entity_set, '')}DocNum {self.number} of {parse_date(self.document.get('DocDate'))}"


@dataclass(frozen=True)
class Sightings:
    """What the look-up saw, by the rule that makes it matter."""

    marked: tuple[Sighting, ...] = ()
    same_number: tuple[Sighting, ...] = ()
    elsewhere: tuple[Sighting, ...] = ()


def normalised(number: str) -> str:
    """Trimmed, inner runs of blanks to one, case folded."""
    return " ".join(number.split()).casefold()


def look_up_marks(sap: Finder, invoice_id: str, terms: Terms) -> tuple[Sighting, ...]:
    """Rule 1 alone: what carries our mark in invoices, credit notes and drafts that wait for approval."""
    mark = mark_filter(sap, invoice_id, terms)
    seen: list[Sighting] = []
    for entity_set, where in _mark_queries(mark):
        rows = sap.find(entity_set, where=where, select=_select(entity_set, terms), top=MOST)
        seen += [Sighting(entity_set, row, "mark") for row in rows if _is_marked(row, entity_set, invoice_id, terms)]
    return tuple(seen)


def _mark_queries(mark: str) -> list[tuple[str, str]]:
    alive = equals("CancelStatus", NOT_CANCELLED)
    marked = [(entity_set, all_of(mark, alive)) for entity_set in (INVOICES, CREDIT_NOTES)]
    return [*marked, (DRAFTS, all_of(mark, equals("DocumentStatus", OPEN)))]


def look_up(sap: Finder, invoice: Invoice, terms: Terms, down_payments: Iterable[Mapping[str, Any]]) -> Sightings:
    """Rules 1 to 3 in three queries; the vendor's down payments are handed in, they are read for other reasons too."""
    mark = mark_filter(sap, invoice.invoice_id, terms)
    seen: list[Sighting] = []
    for entity_set, where in _queries(mark, invoice, terms):
        rows = sap.find(entity_set, where=where, select=_select(entity_set, terms), top=MOST, case_insensitive=True)
        seen += [sighting for row in rows if (sighting := _judge(row, entity_set, invoice, terms))]
    seen += [Sighting(DOWN_PAYMENTS, row, "number") for row in down_payments if _same_number(row, invoice)]
    return Sightings(*(tuple(item for item in seen if item.why == why) for why in ("mark", "number", "elsewhere")))


def _queries(mark: str, invoice: Invoice, terms: Terms) -> list[tuple[str, str]]:
    alive = equals("CancelStatus", NOT_CANCELLED)
    number = starts_with("NumAtCard", invoice.number.strip())
    ours = all_of(equals("CardCode", invoice.card_code), number)
    elsewhere = all_of(number, f"DocDate ge {date_literal(terms.today - YEAR)}", _gross_filter(invoice))
    other_set = CREDIT_NOTES if invoice.entity_set == INVOICES else INVOICES
    return [
        (invoice.entity_set, all_of(alive, f"({mark}) or ({ours}) or ({elsewhere})")),
        (other_set, all_of(alive, mark)),
        (DRAFTS, all_of(equals("DocumentStatus", OPEN), f"({mark}) or ({ours})")),
    ]


def _gross_filter(invoice: Invoice) -> str:
    gross = f"{invoice.gross or ZERO:f}"
    return f"DocTotal eq {gross} or DocTotalFc eq {gross} or WTAmount gt 0"


def mark_filter(sap: Finder, invoice_id: str, terms: Terms) -> str:
    """The query for our mark: the user-defined field, else the words in Comments."""
    if terms.mark_field:
        return equals(terms.mark_field, invoice_id)
    return sap.contains("Comments", f"Basware {invoice_id}")


def _select(entity_set: str, terms: Terms) -> tuple[str, ...]:
    return (*select_for(terms), "DocObjectCode") if entity_set == DRAFTS else select_for(terms)


def _judge(row: Mapping[str, Any], entity_set: str, invoice: Invoice, terms: Terms) -> Sighting | None:
    if _is_marked(row, entity_set, invoice.invoice_id, terms):
        return Sighting(entity_set, row, "mark")
    if entity_set == DRAFTS and not _is_rival_draft(row, invoice):
        return None
    if entity_set not in {DRAFTS, invoice.entity_set}:
        return None
    if _same_number(row, invoice):
        return Sighting(entity_set, row, "number")
    return Sighting(entity_set, row, "elsewhere") if _is_lookalike(row, entity_set, invoice, terms) else None


def _is_marked(row: Mapping[str, Any], entity_set: str, invoice_id: str, terms: Terms) -> bool:
    """Drafts count while they wait for approval; rejected and cancelled ones do not."""
    if entity_set == DRAFTS and row.get("AuthorizationStatus") not in {None, *AWAITING}:
        return False
    if terms.mark_field:
        return as_text(row.get(terms.mark_field)) == invoice_id
    return carries_mark(row, invoice_id)


def _is_rival_draft(row: Mapping[str, Any], invoice: Invoice) -> bool:
    code = row.get("DocObjectCode")
    return code == DRAFT_CODES[invoice.entity_set] and row.get("AuthorizationStatus") not in DEAD_DRAFTS


def _same_number(row: Mapping[str, Any], invoice: Invoice) -> bool:
    same_vendor = as_text(row.get("CardCode")).casefold() == invoice.card_code.casefold()
    return same_vendor and normalised(as_text(row.get("NumAtCard"))) == normalised(invoice.number)


def _is_lookalike(row: Mapping[str, Any], entity_set: str, invoice: Invoice, terms: Terms) -> bool:
    if entity_set == DRAFTS or as_text(row.get("CardCode")).casefold() == invoice.card_code.casefold():
        return False
    created = parse_date(row.get("DocDate"))
    recent = created is None or created >= terms.today - YEAR
    same_gross = totals_of(row, foreign=invoice.foreign).gross == invoice.gross
    same = normalised(as_text(row.get("NumAtCard"))) == normalised(invoice.number)
    return recent and same and same_gross and as_text(row.get("DocCurrency")) == invoice.currency


def is_down_payment_open(row: Mapping[str, Any]) -> bool:
    """Paid, at least in part, and not drawn yet."""
    return row.get("DownPaymentStatus") != "so_Closed" and bool(row.get("PaidToDate") or row.get("PaidToDateFC"))


def content_differences(sighting: Sighting, invoice: Invoice, terms: Terms) -> list[str]:
    """How a document in SAP differs from the invoice as it is now: vendor, currency, totals and lines.

    Lines are compared by what they are coded to, not one by one: a row may have been split over several receipts.
    """
    document = sighting.document
    found = []
    if sighting.target_set != invoice.entity_set:
        found.append(f"it is a document of {sighting.target_set}, the invoice belongs to {invoice.entity_set}")
    for word, has, wanted in (
        ("vendor", as_text(document.get("CardCode")), invoice.card_code),
        ("currency", as_text(document.get("DocCurrency")), invoice.currency),
    ):
        if has != wanted:
            found.append(f"{word} {has} in SAP, {wanted} on the invoice")
    made = totals_of(document, foreign=invoice.foreign)
    tolerance = line_tolerance(len(invoice.rows), terms.unit_of(invoice.currency))
    for word, has_sum, wanted_sum in (
        ("net", made.net, invoice.net),
        ("tax", made.tax, invoice.tax),
        ("gross", made.gross, invoice.gross),
    ):
        if wanted_sum is not None and abs(has_sum - wanted_sum) > tolerance:
            found.append(f"{word} {has_sum} in SAP, {wanted_sum} on the invoice")
    return found + _line_differences(document, invoice, terms)


Coding = tuple[str, ...]


def _line_differences(document: Mapping[str, Any], invoice: Invoice, terms: Terms) -> list[str]:
    by_account = document.get("DocType") != ITEMS
    has: dict[Coding, Decimal] = defaultdict(lambda: ZERO)
    wanted: dict[Coding, Decimal] = defaultdict(lambda: ZERO)
    for line in document.get("DocumentLines") or ():
        account = as_text(line.get("AccountCode")) if by_account else ""
        coding = tuple(as_text(line.get(name)) for name in (terms.costing_field, "ProjectCode", terms.tax_field))
        has[(account, *coding)] += net_of_line(line, foreign=invoice.foreign)
    for expense in expenses_of(document):
        coding = tuple(as_text(expense.get(name)) for name in (terms.distribution_field, "Project", terms.tax_field))
        has[("", *coding)] += net_of_line(
            {"RowTotalFC": expense.get("LineTotalFC"), "LineTotal": expense.get("LineTotal")}, foreign=invoice.foreign
        )
    for row in invoice.rows:
        wanted[(row.account if by_account else "", row.cost_center, row.project, row.tax_code)] += row.net
    tolerance = terms.unit_of(invoice.currency) * max(len(invoice.rows), 1)
    codings = [coding for coding in sorted({*has, *wanted}) if abs(has[coding] - wanted[coding]) > tolerance]
    return [f"{_named(coding)}: {has[coding]} in SAP, {wanted[coding]} on the invoice" for coding in codings]


def _named(coding: Coding) -> str:
    words = ("account", "cost center", "project", "tax code")
    return " ".join(f"{word} {code}" for word, code in zip(words, coding, strict=True) if code) or "uncoded lines"


def is_ours_after_all(sighting: Sighting, invoice: Invoice, terms: Terms, since: date | None) -> bool:
    """Rule 2: created since our own unanswered attempt, with the same currency, TaxDate, totals and lines.

    Compared by days, one day of grace for the server's zone: right before the attempt nothing was there.
    """
    created = parse_date(sighting.document.get("CreationDate"))
    if since is None or created is None or created < since - timedelta(days=1):
        return False
    same_day = parse_date(sighting.document.get("TaxDate")) == invoice.tax_date
    return (
        sighting.entity_set in {INVOICES, CREDIT_NOTES}
        and same_day
        and not content_differences(sighting, invoice, terms)
    )
