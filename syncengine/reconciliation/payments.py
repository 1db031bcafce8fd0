"""What Basware was told of payments against what SAP shows as paid. Pure: everything read is handed in.

default-mapping.md, "SAP → Basware: payments"; contracts: SAP §8.6 (payments on account that are reconciled later appear
in no payment line), Basware §14.7 (paidTotal is cumulative).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from syncengine.posting.amounts import LEAST_TOLERANCE, amount
from syncengine.posting.payments import is_foreign, known_paid, open_amount, paid_total
from syncengine.reconciliation.core import Approved, Posted

Source = Mapping[str, Any]


class PaymentOutcome(StrEnum):
    """How Basware's paid total stands to SAP's.

    SETTLED_BY_RECONCILIATION  SAP counts more as paid than payments show, and that is never reported by itself
    """

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    TOO_MUCH_CONFIRMED = "too_much_confirmed"
    SETTLED_BY_RECONCILIATION = "settled_by_reconciliation"


@dataclass(frozen=True)
class PaymentRow:
    """One posted invoice of which something is paid; sums in the invoice's currency."""

    invoice_id: str
    invoice_number: str
    vendor: str
    currency: str
    paid_in_sap: Decimal
    paid_in_basware: Decimal
    outcome: PaymentOutcome
    detail: str = ""

    @property
    def amount(self) -> Decimal:
        return self.paid_in_sap


@dataclass(frozen=True)
class Paying:
    """An invoice and its one document in SAP."""

    invoice: Approved
    document: Posted
    local: str

    @property
    def shown(self) -> Decimal:
        """What SAP counts as paid."""
        sums = self.document.sums
        return amount(sums.get("PaidToDateFC" if is_foreign(sums, self.local) else "PaidToDate"))

    @property
    def is_plain(self) -> bool:
        """Both sides say the same sum, so that nobody needs to look at the payments themselves."""
        return abs(self.shown - self.invoice.told) <= LEAST_TOLERANCE

    @property
    def is_unpaid(self) -> bool:
        return self.is_plain and self.shown == 0


def judge(paying: Paying, lines: Sequence[Source], *, settle: bool) -> PaymentRow:
    """`lines` are SAP's payments on the document, each with its line as `line`; not needed where both sides agree.

    `settle`: discount and withholding count as paid once nothing is open (a setting).
    """
    outcome, detail = (PaymentOutcome.CONFIRMED, "") if paying.is_plain else _explain(paying, lines, settle=settle)
    one = paying.invoice
    return PaymentRow(one.invoice_id, one.number, one.vendor, one.currency, paying.shown, one.told, outcome, detail)


def _explain(paying: Paying, lines: Sequence[Source], *, settle: bool) -> tuple[PaymentOutcome, str]:
    sums, told = paying.document.sums, paying.invoice.told
    paid = known_paid(lines, sums, paying.local)
    due = paid_total(paid, sums, paying.local, settle=settle and open_amount(sums, paying.local) <= 0)
    if told > due + LEAST_TOLERANCE:
        return PaymentOutcome.TOO_MUCH_CONFIRMED, f"Basware was told of {told}, payments in SAP make {due}"
    if told < due - LEAST_TOLERANCE:
        return PaymentOutcome.NOT_CONFIRMED, f"payments in SAP make {due}, Basware was told of {told}"
    beyond = paying.shown - paid.applied - paid.settled
    if beyond > LEAST_TOLERANCE:
        return PaymentOutcome.SETTLED_BY_RECONCILIATION, f"{beyond} was settled in SAP without a payment"
    return PaymentOutcome.CONFIRMED, "discount or withholding makes the difference"
