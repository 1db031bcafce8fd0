"""What has been paid on an invoice, and what Basware is told of it (default-mapping.md, payments)."""

from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.basware.resources import check
from syncengine.posting.payments import (
    Telling,
    check_numbers,
    invoice_lines,
    is_latest,
    known_paid,
    line_of,
    means_of,
    open_amount,
    paid_so_far,
    paid_total,
    payment_date,
    payment_response,
)

TELLING = Telling(
    company="1000",
    system="SAPB1",
    document={"grossSum": Decimal("150.60")},
    invoice={"PaymentBlock": "tNO", "DocCurrency": "EUR"},
    mapped={"paymentTermCode": "3", "paymentMethod": "SEPA", "paymentMessage": "RF18", "success": False},
)


def source(entry: int = 530, applied: str = "150.60", number: int = 0, **more: Any) -> dict[str, Any]:
    line = {"LineNum": number, "DocEntry": 4711, "InvoiceType": "it_PurchaseInvoice", "SumApplied": Decimal(applied)}
    line |= {name: more.pop(name) for name in list(more) if name[:7] in {"Applied", "TotalDi", "Withold", "Witholi"}}
    made = {
        "DocEntry": entry,
        "DocNum": 26000000 + entry,
        "DocType": "rSupplier",
        "DocDate": "2026-12-17T00:00:00Z",
        "TransferSum": Decimal(applied),
        "TransferDate": "2026-12-18T00:00:00Z",
        "CancelStatus": "csNo",
        "line": line,
    }
    return made | more


def lines(*sources: dict[str, Any]) -> list[Any]:
    return [line_of(one, foreign=False) for one in sources]


def test_only_lines_on_purchase_invoices_count():
    payment = {
        "DocType": "rSupplier",
        "CancelStatus": "csNo",
        "PaymentInvoices": [
            {"DocEntry": 1, "InvoiceType": "it_PurchaseInvoice"},
            {"DocEntry": 1, "InvoiceType": "it_PurchaseCreditNote"},
            {"DocEntry": 1, "InvoiceType": "it_JournalEntry"},
            {"DocEntry": None, "InvoiceType": "it_PurchaseInvoice"},
        ],
    }
    assert len(invoice_lines(payment)) == 1
    assert invoice_lines(payment | {"DocType": "rAccount"}) == []
    assert invoice_lines(payment | {"CancelStatus": "csCancellation"}) == []


@pytest.mark.parametrize("untold", [{}, {"LineNum": None}])
def test_a_line_that_does_not_tell_its_number_goes_by_its_place(untold: dict[str, Any]):
    lines = [{"DocEntry": entry, "InvoiceType": "it_PurchaseInvoice"} | untold for entry in (1, 2)]
    payment = {"DocType": "rSupplier", "CancelStatus": "csNo", "PaymentInvoices": lines}
    assert [(line["DocEntry"], line["LineNum"]) for line in invoice_lines(payment)] == [(1, 0), (2, 1)]


def test_the_running_total_counts_up_to_this_payment():
    first, second = source(1, "50.00"), source(2, "70.00")
    this, others = line_of(first, foreign=False), lines(second)
    assert paid_so_far(this, others, set()).applied == Decimal("50.00")
    assert paid_so_far(line_of(second, foreign=False), lines(first), set()).applied == Decimal("120.00")


def test_all_lines_of_one_payment_count_together():
    one, two = source(1, "50.00", number=0), source(1, "25.00", number=1)
    assert paid_so_far(line_of(one, foreign=False), lines(two), set()).applied == Decimal("75.00")


def test_a_cancelled_payment_no_longer_counts():
    reversal = source(1, "50.00", reversal=True)
    this = line_of(source(2, "70.00"), foreign=False)
    assert paid_so_far(this, lines(source(1, "50.00"), reversal), set()).applied == Decimal("70.00")


def test_a_reversal_leaves_what_was_reported_and_still_stands():
    this = line_of(source(1, "50.00", reversal=True), foreign=False)
    others = lines(source(1, "50.00"), source(2, "70.00"), source(3, "30.00"))
    assert paid_so_far(this, others, {"1/0", "2/0"}).applied == Decimal("70.00")


def test_a_foreign_invoice_counts_what_was_applied_in_its_currency():
    paid = line_of(source(1, "100.00", AppliedFC=Decimal("110.00")), foreign=True)
    assert paid.applied == Decimal("110.00")


def test_what_was_only_recorded_is_not_known_as_paid():
    sources = [source(1, "50.00"), source(2, "70.00", only_recorded=True)]
    assert known_paid(sources, {"DocCurrency": "EUR"}, "EUR").applied == Decimal("50.00")


@pytest.mark.parametrize(("others", "latest"), [([], True), ([1], True), ([3], False)])
def test_the_latest_payment_is_the_one_with_none_after_it(others: list[int], latest: bool):
    this = line_of(source(2), foreign=False)
    assert is_latest(this, lines(*[source(entry) for entry in others])) is latest


@pytest.mark.parametrize(
    ("invoice", "left"),
    [
        ({"DocTotal": Decimal(100), "PaidToDate": Decimal(60)}, "40"),
        ({"DocCurrency": "$", "DocTotal": Decimal(100), "DocTotalFc": Decimal(110), "PaidToDateFC": Decimal(110)}, "0"),
    ],
)
def test_the_open_amount_is_in_the_invoice_s_currency(invoice: dict[str, Any], left: str):
    assert open_amount(invoice, "EUR") == Decimal(left)


# Discount and withholding


def test_discount_and_withholding_make_a_settled_invoice_paid():
    discounted = source(1, "147.59", TotalDiscount=Decimal("3.01"))
    paid = paid_so_far(line_of(discounted, foreign=False), [], set())
    invoice = {"DocTotal": Decimal("150.60")}
    assert paid_total(paid, invoice, "EUR", settle=True) == Decimal("150.60")
    assert paid_total(paid, invoice, "EUR", settle=False) == Decimal("147.59")


def test_what_the_invoice_itself_withheld_counts_too():
    paid = paid_so_far(line_of(source(1, "140.60"), foreign=False), [], set())
    invoice = {"DocTotal": Decimal("140.60"), "WTAmount": Decimal("10.00")}
    assert paid_total(paid, invoice, "EUR", settle=True) == Decimal("150.60")


def test_no_more_than_the_gross_sum_is_ever_settled():
    paid = paid_so_far(line_of(source(1, "150.60", TotalDiscount=Decimal("3.00")), foreign=False), [], set())
    assert paid_total(paid, {"DocTotal": Decimal("150.60")}, "EUR", settle=True) == Decimal("150.60")


def test_an_overpayment_stays_what_it_is():
    paid = paid_so_far(line_of(source(1, "200.00"), foreign=False), [], set())
    assert paid_total(paid, {"DocTotal": Decimal("150.60")}, "EUR", settle=True) == Decimal("200.00")


# The response


def response(payment: dict[str, Any], total: str = "150.60", telling: Telling = TELLING) -> dict[str, Any]:
    this = line_of(payment, foreign=False)
    return payment_response(payment, this, paid_so_far(this, [], set()), Decimal(total), telling)


def test_the_full_set_goes_each_time():
    assert response(source()) == {
        "externalCode": "1000-PAY-530/0",
        "success": True,
        "responseMessage": "Paid in full, outgoing payment 26000530.",
        "sourceSystem": "SAPB1",
        "paymentDate": "2026-12-18T00:00:00Z",
        "paymentTermCode": "3",
        "paymentBlock": False,
        "paymentMethod": "SEPA",
        "paidTotal": Decimal("150.60"),
        "cashDiscount": Decimal(0),
        "paymentMessage": "RF18",
        "paymentNumber": "26000530",
        "paymentDocument": "530",
    }


def test_a_part_says_so():
    assert response(source(applied="50.00"), "50.00")["responseMessage"].startswith("Partially paid")


def test_a_reversal_has_its_own_code_and_names_the_document():
    body = response(source(reversal=True), "0")
    assert body["externalCode"] == "1000-PAY-530/0R"
    assert body["paymentReversalDocument"] == "26000530"
    assert body["paidTotal"] == Decimal(0)
    assert "cancelled" in body["responseMessage"]


@pytest.mark.parametrize(
    "payment",
    [source(), source(reversal=True), source(PaymentChecks=[{"CheckNumber": 123456789, "CheckSum": Decimal(1)}] * 9)],
)
def test_every_response_is_one_that_basware_takes(payment: dict[str, Any]):
    assert check("paymentResponses", response(payment)) == []


@pytest.mark.parametrize(
    ("changed", "date"),
    [
        ({}, "2026-12-18T00:00:00Z"),
        ({"TransferSum": Decimal(0)}, "2026-12-17T00:00:00Z"),
        ({"TransferDate": None}, "2026-12-17T00:00:00Z"),
        ({"DocDate": None, "TransferSum": None}, None),
    ],
)
def test_the_date_is_the_transfer_s_else_the_payment_s(changed: dict[str, Any], date: str | None):
    assert payment_date(source() | changed) == date


@pytest.mark.parametrize(
    ("payment", "means"),
    [
        ({"TransferSum": Decimal(1)}, "transfer"),
        ({"PaymentChecks": [{"CheckSum": Decimal(1)}]}, "check"),
        ({"CashSum": Decimal(1)}, "cash"),
        ({"PaymentCreditCards": [{"CreditSum": Decimal(1)}]}, "card"),
        ({"BillOfExchangeAmount": Decimal(1)}, "bill"),
        ({}, ""),
    ],
)
def test_a_payment_is_known_by_its_means(payment: dict[str, Any], means: str):
    assert means_of(payment) == means


def test_check_numbers_fit_their_field():
    payment = {"PaymentChecks": [{"CheckNumber": number} for number in range(1000001, 1000009)]}
    assert len(check_numbers(payment)) <= 25
    assert check_numbers({"PaymentChecks": [{"CheckNumber": 17}, {"CheckNumber": 18}]}) == "17, 18"


def test_the_block_is_the_invoice_s_now():
    blocked = Telling("1000", "SAPB1", {}, {"PaymentBlock": "tYES"}, {})
    assert response(source(), telling=blocked)["paymentBlock"] is True
