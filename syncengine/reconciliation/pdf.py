"""The report on paper, for the auditor's file: what was compared and when, every row, and a hash of the rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from syncengine.reconciliation.core import Outcome, Row
from syncengine.reconciliation.export import as_dict, decimal_text
from syncengine.reconciliation.payments import PaymentOutcome, PaymentRow
from syncengine.reconciliation.report import Report, Tally
from tenants.models import Connection, Integration, System

FONTS = Path(__file__).parent / "fonts"
FONT = "DejaVu"
MARGIN = 12.0
LINE = 4.2
INK, MUTED, RULE, BAND = (28, 35, 45), (95, 105, 118), (200, 206, 214), (238, 241, 245)
GOOD, BAD = (24, 110, 62), (165, 32, 26)
LONGEST_CELL = 600
GAP = 4.0

VERDICT = "Verdict"
INVOICE_COLUMNS = (
    ("Invoice", 44.0, "L"),
    ("Vendor", 30.0, "L"),
    ("Amount in Basware", 36.0, "R"),
    (VERDICT, 28.0, "L"),
    ("In SAP", 62.0, "L"),
    ("Remark", 73.0, "L"),
)
PAYMENT_COLUMNS = (
    ("Invoice", 44.0, "L"),
    ("Vendor", 30.0, "L"),
    ("Paid in SAP", 34.0, "R"),
    ("Told to Basware", 34.0, "R"),
    (VERDICT, 46.0, "L"),
    ("Remark", 85.0, "L"),
)
READ_AFRESH = (
    "Both systems were read afresh for this report at the time above: Basware for every invoice approved in the "
    "period, SAP Business One for every document that carries the mark of one of them or looks like it. Nothing in "
    "either system was changed, and nothing that Ledgerbridge remembers stands in for what they say themselves."
)
HOW_HASHED = (
    "SHA-256 over all rows below, invoices and payments, as the REST API gives them for this reading: JSON in UTF-8, "
    "keys sorted, no blanks."
)

Columns = Sequence[tuple[str, float, str]]


@dataclass(frozen=True)
class Subject:
    """What was compared, and for whom; `asked_by` is as in the audit trail."""

    organization: str
    integration: str
    sap: str
    basware: str
    asked_by: str
    made_at: datetime


def subject_of(integration: Integration, asked_by: str, now: datetime) -> Subject:
    """Names and addresses of both systems, without credentials."""
    stored = {row.system: row.settings for row in Connection.objects.without_secrets().filter(integration=integration)}
    sap, basware = stored.get(System.SAP_B1, {}), stored.get(System.BASWARE, {})
    return Subject(
        organization=integration.organization.name,
        integration=integration.name,
        sap=f"company {sap.get('company_db', '–')} at {sap.get('base_url', '–')}",
        basware=f"company {basware.get('company_code', '–')} at {basware.get('base_url', '–')}",
        asked_by=asked_by,
        made_at=now,
    )


def rows_digest(report: Report) -> str:
    """A fingerprint of all rows: whoever holds the API's answer of the same reading can compute it too."""
    shown = as_dict(report)
    rows = {"payments": shown["payments"]["rows"], "rows": shown["rows"]}
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_pdf(report: Report, subject: Subject) -> bytes:
    """The whole report, every row of it."""
    paper = _Paper(report, subject)
    paper.first_page()
    paper.list_rows("Invoices", INVOICE_COLUMNS, (_invoice_cells(row) for row in report.rows), "No approved invoice.")
    paper.list_rows("Payments", PAYMENT_COLUMNS, (_payment_cells(row) for row in report.payments), "No payment.")
    return bytes(paper.output())


class _Paper(FPDF):
    """A4 across, with the same head and foot on each page."""

    def __init__(self, report: Report, subject: Subject) -> None:
        super().__init__(orientation="landscape", format="A4")
        self._report, self._subject = report, subject
        self._columns: Columns = ()
        self._digest = rows_digest(report)
        self.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=False, margin=16)
        self.set_title(f"Reconciliation {report.first} to {report.last}")
        self.set_author("Ledgerbridge")
        self.set_creation_date(subject.made_at)

    def header(self) -> None:
        if self.page_no() == 1:
            return
        self._write(8, MUTED)
        self.cell(0, 5, clean(f"{self._subject.organization} · Reconciliation {self._period}"))
        self.ln(8)

    def footer(self) -> None:
        self.set_y(-11)
        self._write(7, MUTED)
        self.cell(0, 4, f"Rows {self._digest[:16]}…")
        self.set_x(MARGIN)
        self.cell(0, 4, f"Page {self.page_no()} of {{nb}}", align="R")

    @property
    def _period(self) -> str:
        return f"{self._report.first} to {self._report.last}"

    def _write(self, size: float, ink: tuple[int, int, int] = INK, style: str = "") -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*ink)

    def first_page(self) -> None:
        """What this is, the verdict, and the sums."""
        self.add_page()
        self._write(18, style="B")
        self.cell(0, 9, "Reconciliation", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._write(10, MUTED)
        title = f"Invoices approved in Basware against what SAP Business One holds, {self._period}"
        self.cell(0, 6, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)
        self._facts()
        self._verdict()
        self._totals("Invoices by verdict", self._report.totals)
        self._totals("Payments by verdict", self._report.payment_totals)

    def _facts(self) -> None:
        facts = [
            ("Organization", f"{self._subject.organization}, integration {self._subject.integration}"),
            ("SAP Business One", self._subject.sap),
            ("Basware P2P", self._subject.basware),
            ("Period", f"{self._period}, both days included; an invoice belongs to the day of its voucher"),
            ("Read", f"{self._report.read_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Made", f"{self._subject.made_at:%Y-%m-%d %H:%M:%S} UTC for {self._subject.asked_by}"),
            ("Hash of the rows", self._digest),
        ]
        for name, value in facts:
            self._write(9, MUTED)
            self.cell(40, 5.2, name)
            self._write(9)
            self.multi_cell(0, 5.2, clean(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)
        self._write(8, MUTED)
        self.multi_cell(0, 4.2, f"{READ_AFRESH} {HOW_HASHED}", align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def _verdict(self) -> None:
        rows = self._report.rows
        if self._report.is_clean:
            ink, text = GOOD, f"All {len(rows)} approved invoices are in SAP once, with their own total, and confirmed."
        else:
            wanting = sum(row.outcome is not Outcome.POSTED_ONCE for row in rows)
            ink, text = BAD, f"{wanting} of {len(rows)} invoices want a look: they are marked below."
        self._write(12, ink, "B")
        self.cell(0, 7, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def _totals(self, title: str, tallies: Sequence[Tally]) -> None:
        self._room(10 + 5 * len(tallies))
        self._write(10, style="B")
        self.cell(0, 6, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        for one in tallies:
            sums = " · ".join(money(total, currency) for currency, total in one.amounts.items())
            self._write(9, INK if one.count else MUTED)
            self.cell(60, 4.8, words(one.outcome))
            self.cell(18, 4.8, str(one.count), align="R")
            self.cell(6, 4.8, "")
            self.multi_cell(0, 4.8, clean(sums), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def list_rows(self, title: str, columns: Columns, rows: Iterable[Sequence[str]], empty: str) -> None:
        """Every row, under a head that is repeated on each page; a verdict that wants a look stands out."""
        self._columns = columns
        self.add_page()
        self._write(12, style="B")
        self.cell(0, 7, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._head()
        found = False
        for row in rows:
            found = True
            self._row([clean(cell)[:LONGEST_CELL] for cell in row])
        if not found:
            self._write(9, MUTED)
            self.cell(0, 8, empty, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _head(self) -> None:
        self._write(8, style="B")
        self.set_fill_color(*BAND)
        for name, width, align in self._columns:
            # What stands right keeps away from the next column.
            self.cell(width - (GAP - 1 if align == "R" else 0), 6, name, align=align, fill=True)
            self.cell(GAP - 1 if align == "R" else 0.001, 6, "", fill=align == "R")
        self.ln(6)

    def _row(self, cells: Sequence[str]) -> None:
        """One row, as high as its longest cell; it is not torn apart by a page's end."""
        self._write(7.5)
        widths = [width for _, width, _ in self._columns]
        lines = [self._lines(cell, width) for cell, width in zip(cells, widths, strict=True)]
        height = max(map(len, lines)) * LINE + 1.4
        if self._room(height):
            self._head()
            self._write(7.5)
        x, y = self.get_x(), self.get_y()
        for cell, (name, width, align) in zip(lines, self._columns, strict=True):
            self.set_text_color(*(BAD if name == VERDICT and cell[0] not in GOOD_WORDS else INK))
            for number, text in enumerate(cell):
                # Not `cell()`: it is four times as slow, and a year has many rows.
                left = width - GAP - self.get_string_width(text) if align == "R" else self.c_margin
                self.text(x + left, y + 0.7 + (number + 0.72) * LINE, text)
            x += width
        self.set_draw_color(*RULE)
        self.line(MARGIN, y + height, MARGIN + sum(widths), y + height)
        self.set_xy(MARGIN, y + height)

    def _lines(self, text: str, width: float) -> list[str]:
        """The text in lines of that width; most fit into one and need no more than measuring."""
        if self.get_string_width(text) <= width - 2 * self.c_margin:
            return [text]
        broken = self.multi_cell(width, LINE, text, dry_run=True, output="LINES")
        return [str(line) for line in broken]  # type: ignore[union-attr]  # of the many shapes, this is LINES

    def _room(self, height: float) -> bool:
        """Begin another page where the rest of this one is too low."""
        if self.get_y() + height <= self.h - 16:
            return False
        self.add_page()
        return True


def clean(text: str) -> str:
    """Text from outside on one line, without what cannot be printed."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def words(outcome: StrEnum) -> str:
    return outcome.value.replace("_", " ").capitalize()


GOOD_WORDS = frozenset({words(Outcome.POSTED_ONCE), words(PaymentOutcome.CONFIRMED)})


def money(amount: Decimal | None, currency: str) -> str:
    """1234567.5 EUR as "1,234,567.50 EUR"; "–" where there is none."""
    if amount is None:
        return "–"
    whole, _, cents = decimal_text(amount).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}.{cents} {currency}".strip()


def _invoice_cells(row: Row) -> tuple[str, ...]:
    documents = "; ".join(f"{one.describe()}, {money(one.gross, one.currency)}" for one in row.documents)
    number = row.invoice_number or row.invoice_id
    return (number, row.vendor, money(row.amount, row.currency), words(row.outcome), documents or "–", row.detail)


def _payment_cells(row: PaymentRow) -> tuple[str, ...]:
    sums = (money(row.paid_in_sap, row.currency), money(row.paid_in_basware, row.currency))
    return (row.invoice_number or row.invoice_id, row.vendor, *sums, words(row.outcome), row.detail)
