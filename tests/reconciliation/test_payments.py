"""Paid totals of both systems, and what explains their difference."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.reconciliation.payments import Paying, PaymentOutcome, judge
from tests.reconciliation.builders import approved, posted


def line(applied: str, entry: int = 530, **more: object) -> dict[str, object]:
    return {"DocEntry": entry, "line": {"LineNum": 0, "SumApplied": Decimal(applied), **more}}


def paying(shown: str, told: str, **sums: object) -> Paying:
    sums = {"PaidToDate": Decimal(shown), **sums}
    return Paying(approved(told=Decimal(told)), posted(**sums), "EUR")


@pytest.mark.parametrize(
    ("shown", "told", "lines", "outcome"),
    [
        ("100.00", "100.00", [], PaymentOutcome.CONFIRMED),
        ("100.00", "100.02", [], PaymentOutcome.CONFIRMED),
        ("100.00", "0", [line("100.00")], PaymentOutcome.NOT_CONFIRMED),
        ("100.00", "60.00", [line("60.00"), line("40.00", 531)], PaymentOutcome.NOT_CONFIRMED),
        ("60.00", "100.00", [line("60.00")], PaymentOutcome.TOO_MUCH_CONFIRMED),
        ("0", "100.00", [], PaymentOutcome.TOO_MUCH_CONFIRMED),
        ("100.00", "60.00", [line("60.00")], PaymentOutcome.SETTLED_BY_RECONCILIATION),
        ("100.00", "0", [], PaymentOutcome.SETTLED_BY_RECONCILIATION),
        ("100.00", "98.00", [line("98.00", TotalDiscount=Decimal("2.00"))], PaymentOutcome.CONFIRMED),
    ],
)
def test_every_case_has_its_outcome(shown, told, lines, outcome):
    row = judge(paying(shown, told), lines, settle=True)
    assert row.outcome is outcome
    assert (row.paid_in_sap, row.paid_in_basware, row.amount) == (Decimal(shown), Decimal(told), Decimal(shown))


def test_an_invoice_settled_with_withholding_shows_as_paid_in_full():
    withheld = {"DocTotal": Decimal("120.50"), "WTAmount": Decimal("5.00")}
    settled = paying("120.50", "125.50", **withheld)
    assert judge(settled, [line("120.50")], settle=True).outcome is PaymentOutcome.CONFIRMED
    assert judge(settled, [line("120.50")], settle=False).outcome is PaymentOutcome.TOO_MUCH_CONFIRMED


def test_of_a_foreign_invoice_the_sums_in_its_own_currency_count():
    sums = {"DocCurrency": "$", "PaidToDateFC": Decimal("50"), "DocTotalFc": Decimal("125.50")}
    foreign = paying("90", "50", **sums)
    assert foreign.shown == Decimal("50")
    assert foreign.is_plain


def test_nothing_paid_on_either_side_is_no_row_s_worth():
    assert paying("0", "0").is_unpaid
    assert not paying("0", "10").is_unpaid
    assert not paying("10", "10").is_unpaid


def test_the_detail_names_both_sums():
    assert judge(paying("100.00", "60.00"), [line("100.00")], settle=True).detail == (
        "payments in SAP make 100.00, Basware was told of 60.00"
    )
    assert judge(paying("100.00", "0"), [], settle=True).detail == "100.00 was settled in SAP without a payment"
