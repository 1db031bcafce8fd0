"""Payment terms as default-mapping.md has them, sentence by sentence."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from syncengine.flows.payment_terms import PaymentTerms, due_date
from tests.flows.contract import MasterDataContract, body, build
from tests.flows.world import payment_term

FLOW = PaymentTerms()


class TestPaymentTermsKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [
        payment_term(),
        payment_term(GroupNumber=-1, PaymentTermsGroupName="- Cash Basic -", NumberOfAdditionalDays=0),
        payment_term(GroupNumber=4, PaymentTermsGroupName="", StartFrom="pdt_MonthEnd"),
        payment_term(GroupNumber=5, NumberOfInstallments=3),
    ]


def test_a_payment_term_goes_field_by_field():
    assert body(FLOW, payment_term()) == {
        "externalCode": "1000-PT-3",
        "paymentTermCode": "3",
        "paymentTermNames": [{"language": "en-US", "translation": "30 days net"}],
        "validFrom": "2000-01-01T00:00:00Z",
        "validTo": "2099-12-31T00:00:00Z",
        "dueDateCalc": 1,
        "dueDateDays": 30,
        "dueDateEom": 0,
        "moveDueDatesTo": "0",
        "cashDueDateCalc": 0,
        "companies": [{"companyCode": "1000", "inherit": True, "active": True}],
    }


def test_the_cash_term_minus_one_has_a_hashed_external_code():
    sent = body(FLOW, payment_term(GroupNumber=-1))
    assert sent["paymentTermCode"] == "-1"
    digest = sha256(b"1000\0PT\0-1").hexdigest()
    assert sent["externalCode"] == f"1000-PT--1-{digest[:12]}"


@pytest.mark.parametrize(
    ("term", "due"),
    [
        ({}, {"dueDateDays": 30, "dueDateEom": 0}),
        ({"NumberOfAdditionalDays": 0}, {"dueDateDays": 0, "dueDateEom": 0}),
        ({"StartFrom": None}, {"dueDateDays": 30, "dueDateEom": 0}),
        ({"StartFrom": "pdt_MonthEnd"}, {"dueDateDays": 0, "dueDateEom": 1, "dueDateDays2": 30}),
        (
            {"StartFrom": "pdt_MonthEnd", "NumberOfAdditionalMonths": 2, "NumberOfAdditionalDays": 5},
            {"dueDateDays": 0, "dueDateEom": 3, "dueDateDays2": 5},
        ),
        ({"StartFrom": "pdt_MonthStart"}, {"dueDateDays": 0, "dueDateEom": 1, "dueDateDays2": 31}),
        (
            {"StartFrom": "pdt_MonthStart", "NumberOfAdditionalMonths": 1, "NumberOfAdditionalDays": 0},
            {"dueDateDays": 0, "dueDateEom": 2, "dueDateDays2": 1},
        ),
        (
            {"StartFrom": "pdt_MonthEnd", "NumberOfAdditionalMonths": 11},
            {"dueDateDays": 0, "dueDateEom": 12, "dueDateDays2": 30},
        ),
        ({"NumberOfInstallments": 0}, {"dueDateDays": 30, "dueDateEom": 0}),
        ({"NumberOfInstallments": None}, {"dueDateDays": 30, "dueDateEom": 0}),
        ({"EndAt": "pdt_None"}, {"dueDateDays": 30, "dueDateEom": 0}),
    ],
)
def test_due_dates_that_basware_can_compute(term: dict[str, Any], due: dict[str, int]):
    assert due_date(payment_term(**term)) == due


@pytest.mark.parametrize(
    "term",
    [
        {"NumberOfAdditionalMonths": 1},
        {"StartFrom": "pdt_HalfMonth"},
        {"StartFrom": "pdt_MonthEnd", "NumberOfAdditionalMonths": 12},
        {"StartFrom": "pdt_MonthStart", "NumberOfAdditionalMonths": 12},
        {"StartFrom": "pdt_MonthEnd", "NumberOfAdditionalMonths": -1},
        {"NumberOfAdditionalDays": -1},
        {"StartFrom": "pdt_MonthEnd", "NumberOfAdditionalDays": -5},
        {"NumberOfInstallments": 2},
        {"EndAt": "pdt_MonthEnd"},
    ],
)
def test_what_basware_cannot_express_is_typed_there_by_hand_and_noted(term: dict[str, Any]):
    built = build(FLOW, payment_term(**term))
    sent = built.payload["record"][0]
    assert sent["dueDateCalc"] == 0
    assert not sent.keys() & {"dueDateDays", "dueDateEom", "dueDateDays2"}
    assert built.notes == ("Basware cannot compute this term's due date: it is typed there by hand",)


def test_a_cash_discount_is_noted():
    built = build(FLOW, payment_term(DiscountCode="2-10"))
    assert built.notes == ("the cash discount 2-10 is not sent to Basware",)
    assert built.payload["record"][0]["cashDueDateCalc"] == 0


def test_a_resend_changes_the_translation_of_a_second_language():
    marked = FLOW.resend(build(FLOW, payment_term()).payload, "r1")
    assert marked["record"][0]["paymentTermNames"] == [
        {"language": "en-US", "translation": "30 days net"},
        {"language": "en-GB", "translation": "30 days net r1"},
    ]


def test_a_later_resend_replaces_the_earlier_mark():
    once = FLOW.resend(build(FLOW, payment_term()).payload, "r1")
    twice = FLOW.resend(once, "r2")
    assert [name["translation"] for name in twice["record"][0]["paymentTermNames"]] == ["30 days net", "30 days net r2"]
