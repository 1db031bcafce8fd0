"""The report for programs, spreadsheets and terminals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Protocol

from syncengine.mapping.text import canonical_decimal
from syncengine.reconciliation.core import Posted, Row
from syncengine.reconciliation.payments import PaymentRow
from syncengine.reconciliation.report import Report, Tally
from syncengine.spreadsheets import plain_text

COLUMNS = (
    "section",
    "outcome",
    "invoice_id",
    "invoice_number",
    "vendor",
    "currency",
    "amount_basware",
    "amount_sap",
    "documents",
    "detail",
)


class Writable(Protocol):
    """A file, a response, or a command's output."""

    def write(self, text: str, /) -> Any: ...


def decimal_text(amount: Decimal) -> str:
    """Two decimals at least, never an exponent."""
    whole, _, cents = canonical_decimal(amount).partition(".")
    return f"{whole}.{cents:0<2}"


# For programs


def as_dict(report: Report) -> dict[str, Any]:
    """interface.md, `reconciliation/`: amounts are decimal strings."""
    return {
        "from": report.first.isoformat(),
        "to": report.last.isoformat(),
        "read_at": report.read_at.isoformat(),
        "totals": _totals(report.totals),
        "rows": [_row(row) for row in report.rows],
        "payments": {
            "totals": _totals(report.payment_totals),
            "rows": [_payment(row) for row in report.payments],
        },
    }


def _totals(tallies: Iterable[Tally]) -> dict[str, Any]:
    """Counts by outcome, and under `amounts` the sums by outcome and currency."""
    tallies = list(tallies)
    amounts = {one.outcome.value: {name: decimal_text(total) for name, total in one.amounts.items()} for one in tallies}
    return {**{one.outcome.value: one.count for one in tallies}, "amounts": amounts}


def _row(row: Row) -> dict[str, Any]:
    return {
        "invoice_id": row.invoice_id,
        "invoice_number": row.invoice_number,
        "vendor": row.vendor,
        "amount": None if row.amount is None else decimal_text(row.amount),
        "currency": row.currency,
        "outcome": row.outcome.value,
        "documents": [_document(one) for one in row.documents],
        "detail": row.detail,
    }


def _document(document: Posted) -> dict[str, Any]:
    return {
        "entity_set": document.entity_set,
        "doc_entry": document.doc_entry,
        "doc_num": document.doc_num,
        "total": decimal_text(document.gross),
    }


def _payment(row: PaymentRow) -> dict[str, Any]:
    return {
        "invoice_id": row.invoice_id,
        "invoice_number": row.invoice_number,
        "vendor": row.vendor,
        "currency": row.currency,
        "paid_in_sap": decimal_text(row.paid_in_sap),
        "paid_in_basware": decimal_text(row.paid_in_basware),
        "outcome": row.outcome.value,
        "detail": row.detail,
    }


# For spreadsheets


def write_csv(report: Report, file: Writable) -> None:
    """Both sections under the same columns; what a spreadsheet would take for a formula is quoted away."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in report.rows:
        sums = [_amount(row.amount), " ".join(decimal_text(one.gross) for one in row.documents)]
        documents = " ".join(f"{one.entity_set}({one.doc_entry})" for one in row.documents)
        writer.writerow(_cells("invoice", row, sums, documents))
    for paid in report.payments:
        writer.writerow(_cells("payment", paid, [_amount(paid.paid_in_basware), _amount(paid.paid_in_sap)], ""))


def _cells(section: str, row: Row | PaymentRow, sums: list[str], documents: str) -> list[str]:
    """Sums are our own text and may begin with a minus sign; everything else may come from outside."""
    texts = [section, row.outcome.value, row.invoice_id, row.invoice_number, row.vendor, row.currency]
    return [*map(plain_text, texts), *sums, plain_text(documents), plain_text(row.detail)]


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else decimal_text(amount)


# For people


def table(report: Report) -> Iterator[str]:
    """One line a row, then one a total; columns are as wide as they need."""
    yield f"Invoices approved in Basware, {report.first} to {report.last}"
    yield from _aligned(
        (
            row.outcome.value,
            row.invoice_number or row.invoice_id,
            row.vendor,
            _money(row.amount, row.currency),
            ", ".join(one.describe() for one in row.documents),
            row.detail,
        )
        for row in report.rows
    )
    yield from _total_lines(report.totals)
    yield ""
    yield "Payments: paid in SAP, told to Basware"
    yield from _aligned(
        (
            row.outcome.value,
            row.invoice_number,
            row.vendor,
            _money(row.paid_in_sap, row.currency),
            _money(row.paid_in_basware, row.currency),
            row.detail,
        )
        for row in report.payments
    )
    yield from _total_lines(report.payment_totals)


def _total_lines(tallies: Iterable[Tally]) -> Iterator[str]:
    yield ""
    for one in tallies:
        sums = ", ".join(_money(total, currency) for currency, total in one.amounts.items())
        yield f"{one.outcome.value:<26}{one.count:>7}  {sums}".rstrip()


def _money(amount: Decimal | None, currency: str) -> str:
    return f"{_amount(amount)} {currency}".strip()


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _printable(text: str) -> str:
    """Without what would steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
