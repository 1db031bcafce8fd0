"""One invoice, its document, and the report around them; overridden by keyword."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from syncengine.reconciliation.core import Approved, Outcome, Posted, Row
from syncengine.reconciliation.payments import PaymentOutcome, PaymentRow
from syncengine.reconciliation.report import Report

DAY = date(2026, 5, 4)


def approved(**changed: Any) -> Approved:
    """Invoice INV-1 over 125.50 EUR, transferred as voucher 10457."""
    given = {
        "invoice_id": "i1",
        "number": "INV-1",
        "vendor": "V1",
        "currency": "EUR",
        "amount": Decimal("125.50"),
        "day": DAY,
        "status": "Transferred",
        "voucher": "10457",
        "entity_set": "PurchaseInvoices",
        "card_code": "V1",
        "sap_currency": "EUR",
        "gross": Decimal("125.50"),
        "tax": Decimal("25.50"),
        "lines": 1,
        "told": Decimal(0),
    }
    return Approved(**{**given, **changed})


def posted(**changed: Any) -> Posted:
    """What SAP made of it; `sums` may be given one by one."""
    given = {
        "entity_set": "PurchaseInvoices",
        "doc_entry": 4711,
        "doc_num": 10457,
        "card_code": "V1",
        "currency": "EUR",
        "gross": Decimal("125.50"),
        "tax": Decimal("25.50"),
        "cancelled": False,
    }
    sums = {name: changed.pop(name) for name in list(changed) if name[0].isupper()}
    return Posted(**{**given, **changed}, sums={"DocCurrency": "EUR", "DocTotal": Decimal("125.50"), **sums})


def row(outcome: Outcome = Outcome.POSTED_ONCE, **changed: Any) -> Row:
    given = {
        "invoice_id": "i1",
        "invoice_number": "INV-1",
        "vendor": "V1",
        "amount": Decimal("125.50"),
        "currency": "EUR",
        "documents": (posted(),),
    }
    return Row(outcome=outcome, **{**given, **changed})


def payment(outcome: PaymentOutcome = PaymentOutcome.CONFIRMED, **changed: Any) -> PaymentRow:
    given = {
        "invoice_id": "i1",
        "invoice_number": "INV-1",
        "vendor": "V1",
        "currency": "EUR",
        "paid_in_sap": Decimal("100"),
        "paid_in_basware": Decimal("100"),
    }
    return PaymentRow(outcome=outcome, **{**given, **changed})


def report(*rows: Row, payments: tuple[PaymentRow, ...] = ()) -> Report:
    """The report of May 2026."""
    read_at = datetime(2026, 6, 1, 12, 3, tzinfo=UTC)
    return Report(date(2026, 5, 1), date(2026, 5, 31), read_at, list(rows), list(payments))
