"""Payments of a posted invoice: what has been paid so far, and what Basware is told (default-mapping.md, payments).

A payment record's source is the payment's header with the one line that pays our invoice as `line`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncengine.connectors.basware.external_codes import external_code
from syncengine.connectors.sap_b1.literals import is_yes, parse_date
from syncengine.mapping.text import as_text
from syncengine.posting.amounts import ZERO, amount
from syncengine.posting.responses import SYSTEM_LENGTH, cut
from syncengine.posting.sap_values import MIRROR

REVERSAL = "R"
CHECK_LENGTH = 25
CENT = Decimal("0.01")

Source = Mapping[str, Any]

SUPPLIER = "rSupplier"
PAYMENT = (
    "DocEntry",
    "DocNum",
    "DocType",
    "CardCode",
    "CardName",
    "DocDate",
    "DocCurrency",
    "CashSum",
    "TransferSum",
    "TransferDate",
    "BillOfExchangeAmount",
    "CancelStatus",
    "PaymentInvoices",
    "PaymentChecks",
    "PaymentCreditCards",
)


def invoice_lines(payment: Source) -> list[Source]:
    """The lines that pay A/P invoices; the mirror of a cancellation pays nothing (contracts: SAP §8.6)."""
    if payment.get("DocType") != SUPPLIER or payment.get("CancelStatus") == MIRROR:
        return []
    lines = [_numbered(line, place) for place, line in enumerate(payment.get("PaymentInvoices") or ())]
    return [line for line in lines if line.get("InvoiceType") == "it_PurchaseInvoice" and line.get("DocEntry")]


def _numbered(line: Source, place: int) -> Source:
    """A line that does not tell its number goes by its place: one odd line must not stop the others."""
    return {**line, "LineNum": place} if line.get("LineNum") is None else line


@dataclass(frozen=True)
class PaymentLine:
    """One line of a payment on our invoice, or the cancellation of one; sums in the invoice's currency."""

    doc_entry: int
    line_num: int
    is_reversal: bool
    applied: Decimal
    discount: Decimal
    withheld: Decimal

    @property
    def key(self) -> str:
        return line_key(self.doc_entry, self.line_num, reversal=self.is_reversal)

    @property
    def place(self) -> tuple[int, int]:
        return self.doc_entry, self.line_num


@dataclass(frozen=True)
class Paid:
    """What payments have paid on an invoice, and what discount and withholding have settled besides."""

    applied: Decimal = ZERO
    discount: Decimal = ZERO
    withheld: Decimal = ZERO

    @property
    def settled(self) -> Decimal:
        return self.discount + self.withheld


def line_key(doc_entry: int, line_num: int, *, reversal: bool = False) -> str:
    """The record's key: `530/0`, and `530/0R` for its cancellation."""
    return f"{doc_entry}/{line_num}{REVERSAL if reversal else ''}"


def is_foreign(invoice: Source, local: str) -> bool:
    return as_text(invoice.get("DocCurrency")) not in {"", local}


def line_of(source: Source, *, foreign: bool) -> PaymentLine:
    """AppliedFC when the *invoice* is foreign, whatever the payment's currency (contracts: SAP §8.6)."""
    line, suffix = source["line"], "FC" if foreign else ""
    return PaymentLine(
        doc_entry=int(source["DocEntry"]),
        line_num=int(line["LineNum"]),
        is_reversal=bool(source.get("reversal")),
        applied=amount(line.get("AppliedFC" if foreign else "SumApplied")),
        discount=amount(line.get(f"TotalDiscount{suffix}")),
        withheld=amount(line.get(f"WitholdingTaxApplied{suffix}")),
    )


def _in_force(lines: Sequence[PaymentLine]) -> list[PaymentLine]:
    """Payment lines without the cancelled ones."""
    reversed_places = {line.place for line in lines if line.is_reversal}
    return [line for line in lines if not line.is_reversal and line.place not in reversed_places]


def _total(lines: Sequence[PaymentLine]) -> Paid:
    return Paid(
        sum((line.applied for line in lines), ZERO),
        sum((line.discount for line in lines), ZERO),
        sum((line.withheld for line in lines), ZERO),
    )


def known_paid(sources: Sequence[Source], invoice: Source, local: str) -> Paid:
    """What all payment records of an invoice say together; those only recorded do not count."""
    foreign = is_foreign(invoice, local)
    counted = [source for source in sources if not source.get("only_recorded")]
    return _total(_in_force([line_of(source, foreign=foreign) for source in counted]))


def paid_so_far(this: PaymentLine, lines: Sequence[PaymentLine], reported: Collection[str]) -> Paid:
    """Up to and with this payment in the order of DocEntry; after a reversal what was reported and still stands."""
    standing = _in_force([*lines, this])
    if this.is_reversal:
        return _total([line for line in standing if line.key in reported])
    return _total([line for line in standing if line.doc_entry <= this.doc_entry])


def is_latest(this: PaymentLine, lines: Sequence[PaymentLine]) -> bool:
    """Whether no later payment is in force: only then is SAP's open amount the one after this payment."""
    return all(line.doc_entry <= this.doc_entry for line in _in_force(lines))


def open_amount(invoice: Source, local: str) -> Decimal:
    """What SAP still wants paid, in the invoice's currency (contracts: SAP §8.4)."""
    if is_foreign(invoice, local):
        return amount(invoice.get("DocTotalFc")) - amount(invoice.get("PaidToDateFC"))
    return amount(invoice.get("DocTotal")) - amount(invoice.get("PaidToDate"))


def paid_total(paid: Paid, invoice: Source, local: str, *, settle: bool) -> Decimal:
    """With `settle` discount and withholding count as paid, so that the invoice shows as paid in Basware; never more
    than its gross sum, which in SAP is the total before withholding."""
    if not settle:
        return paid.applied
    suffix = ("Fc", "FC") if is_foreign(invoice, local) else ("", "")
    withheld_by_invoice = amount(invoice.get(f"WTAmount{suffix[1]}"))
    gross = amount(invoice.get(f"DocTotal{suffix[0]}")) + withheld_by_invoice
    return max(min(paid.applied + paid.settled + withheld_by_invoice, gross), paid.applied)


def means_of(payment: Source) -> str:
    """What a payment is made of, in the words of the lookup table payment_methods; "" when that is not clear."""
    kinds = (
        ("transfer", amount(payment.get("TransferSum"))),
        ("check", sum((amount(row.get("CheckSum")) for row in payment.get("PaymentChecks") or ()), ZERO)),
        ("cash", amount(payment.get("CashSum"))),
        ("card", sum((amount(row.get("CreditSum")) for row in payment.get("PaymentCreditCards") or ()), ZERO)),
        ("bill", amount(payment.get("BillOfExchangeAmount"))),
    )
    return next((name for name, value in kinds if value), "")


def check_numbers(payment: Source) -> str:
    numbers = [as_text(row.get("CheckNumber")) for row in payment.get("PaymentChecks") or ()]
    return ", ".join(number for number in numbers if number)[:CHECK_LENGTH].rstrip(", ")


def payment_date(payment: Source) -> str | None:
    """The transfer's own date where there is one; Basware would take an empty one as today."""
    by_transfer = amount(payment.get("TransferSum")) and payment.get("TransferDate")
    day = parse_date(by_transfer or payment.get("DocDate"))
    return f"{day.isoformat()}T00:00:00Z" if day else None


@dataclass(frozen=True)
class Telling:
    """What a payment response is made of besides the payment: `document` is Basware's, `invoice` SAP's.

    `mapped` is what the customer's rules give: payment term, method and message by default.
    """

    company: str
    system: str
    document: Source
    invoice: Source
    mapped: Source


def payment_response(
    payment: Source, this: PaymentLine, paid: Paid, total: Decimal, telling: Telling
) -> dict[str, Any]:
    """The full set each time: Basware clears fields that are left out (contracts: Basware §14.7)."""
    number = as_text(payment.get("DocNum"))
    suffix = REVERSAL if this.is_reversal else ""
    body: dict[str, Any] = {
        **telling.mapped,
        "externalCode": external_code(telling.company, "PAY", this.doc_entry, this.line_num, suffix=suffix),
        "success": True,
        "responseMessage": cut(_message(number, this, total, telling)),
        "sourceSystem": telling.system[:SYSTEM_LENGTH],
        "paymentDate": payment_date(payment),
        "paymentBlock": is_yes(telling.invoice.get("PaymentBlock")),
        "paidTotal": total,
        "cashDiscount": paid.discount,
        "checkNumber": check_numbers(payment),
        "paymentNumber": number,
        "paymentDocument": str(this.doc_entry),
    }
    if this.is_reversal:
        body["paymentReversalDocument"] = number
    return {name: value for name, value in body.items() if value not in {None, ""}}


def _message(number: str, this: PaymentLine, total: Decimal, telling: Telling) -> str:
    if this.is_reversal:
        return f"Outgoing payment {number} was cancelled in SAP Business One."
    gross = amount(telling.document.get("grossSum"))
    word = "Paid in full" if total + CENT > gross else "Partially paid"
    return f"{word}, outgoing payment {number}."
