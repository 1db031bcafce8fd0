"""The demo's checks see what is wrong: each is shown books that are well, and then what it must find."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from portal.demo import checks
from syncengine.sandbox.dataset import Dataset

BAD = Dataset().bad_invoices()
GOOD = "a" * 32


class Control:
    """The control API, answering from a dictionary."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def get(self, path: str, **parameters: Any) -> Any:
        return self.state[parameters.get("set", path)]


@pytest.fixture
def state() -> dict[str, Any]:
    """One good invoice, posted and paid in two parts, and the four bad ones."""
    responses = [
        {"paymentNumber": "1", "paidTotal": Decimal(40)},
        {"paymentNumber": "2", "paidTotal": Decimal("100.10")},
    ]
    good = {"invoiceId": GOOD, "invoiceNumber": "77", "grossSum": Decimal("100.10"), "voucherNumber1": "900"}
    told = [{"success": False}]
    bad = [{"invoiceId": one, "invoiceNumber": kind, "transferResponses": told} for kind, one in BAD.items()]
    posted = {
        "DocEntry": 5,
        "DocNum": 900,
        "NumAtCard": "77",
        "Comments": f"Basware {GOOD}\nbolts",
        "DocTotal": Decimal("100.10"),
        "PaidToDate": Decimal("100.10"),
    }
    payments = [
        {"DocEntry": entry, "DocNum": entry, "CancelStatus": "csNo", "PaymentInvoices": [{"DocEntry": 5}]}
        for entry in (1, 2)
    ]
    return {
        "/basware/documents": [{**good, "paymentResponses": responses}, *bad],
        "PurchaseInvoices": [posted],
        "PurchaseCreditNotes": [],
        "VendorPayments": payments,
    }


@pytest.fixture
def failed() -> list[dict[str, Any]]:
    """The records of the four bad invoices, as the API shows them."""
    return [failed_record(kind, key) for kind, key in BAD.items()]


def failed_record(kind: str, key: str) -> dict[str, Any]:
    problems = [{"message": f"{name} is unknown"} for name in checks.NAMED.get(kind, ["something"])]
    message = "; ".join(problem["message"] for problem in problems)
    return {"flow": "invoices", "key": key, "error": {"message": message}, "problems": problems}


def books(state: dict[str, Any]) -> checks.Books:
    return checks.Books(Control(state))


def test_books_that_are_well_have_nothing_wrong(state, failed) -> None:
    assert list(checks.wrong_postings(books(state))) == []
    assert list(checks.wrong_failures(books(state), failed)) == []
    assert list(checks.wrong_payments(books(state))) == []


def test_an_invoice_that_is_missing_in_sap_is_found(state) -> None:
    state["PurchaseInvoices"] = []
    assert list(checks.wrong_postings(books(state))) == ["invoice 77 is in SAP 0 times"]


def test_an_invoice_posted_twice_is_found(state) -> None:
    state["PurchaseInvoices"] *= 2
    assert list(checks.wrong_postings(books(state))) == ["invoice 77 is in SAP 2 times"]


def test_a_cent_is_a_difference(state) -> None:
    state["PurchaseInvoices"][0]["DocTotal"] = Decimal("100.11")
    assert list(checks.wrong_postings(books(state))) == ["invoice 77: 100.10 in Basware, 100.11 in SAP"]


def test_the_total_in_foreign_currency_is_what_counts(state) -> None:
    state["PurchaseInvoices"][0] |= {"DocTotal": Decimal(90), "DocTotalFc": Decimal("100.10")}
    assert list(checks.wrong_postings(books(state))) == []


def test_a_wrong_voucher_number_is_found(state) -> None:
    state["/basware/documents"][0]["voucherNumber1"] = "901"
    assert list(checks.wrong_postings(books(state))) == ["invoice 77: SAP's number 900 is 901 in Basware"]


def test_a_record_that_must_not_fail_is_found(state, failed) -> None:
    failed.append({"flow": "vendors", "key": "V1", "error": {"message": "no name"}, "problems": []})
    assert list(checks.wrong_failures(books(state), failed)) == ["vendors V1 failed: no name"]


def test_a_bad_invoice_that_did_not_fail_is_found(state, failed) -> None:
    assert list(checks.wrong_failures(books(state), failed[1:])) == ["the bad invoice unknown_codes did not fail"]


def test_a_bad_invoice_in_sap_is_found(state, failed) -> None:
    state["PurchaseInvoices"].append({"Comments": f"Basware {BAD['frozen_vendor']}", "DocTotal": 1})
    assert "the bad invoice frozen_vendor is in SAP" in list(checks.wrong_failures(books(state), failed))


def test_a_code_that_the_message_does_not_name_is_found(state, failed) -> None:
    failed[0] = deepcopy(failed[0])
    failed[0]["error"]["message"] = failed[0]["error"]["message"].replace("NOWHERE", "it")
    found = list(checks.wrong_failures(books(state), failed))
    assert "the bad invoice unknown_codes: its message does not name 'NOWHERE'" in found


def test_a_failure_that_basware_was_not_told_is_found(state, failed) -> None:
    state["/basware/documents"][1]["transferResponses"] = []
    found = list(checks.wrong_failures(books(state), failed))
    assert found == ["the bad invoice unknown_codes: Basware was not told that it failed"]


def test_a_payment_that_was_not_told_is_found(state) -> None:
    state["/basware/documents"][0]["paymentResponses"].pop()
    assert list(checks.wrong_payments(books(state))) == [
        "invoice 77: Basware was not told of payment 2",
        "invoice 77: 100.10 paid in SAP, 40 in Basware",
    ]


def test_running_totals_never_fall_without_a_reversal(state) -> None:
    state["/basware/documents"][0]["paymentResponses"][0]["paidTotal"] = Decimal(120)
    assert any("fall" in sentence for sentence in checks.wrong_payments(books(state)))


def test_a_payment_cancelled_before_it_was_seen_needs_no_answer(state) -> None:
    cancelled = {"DocEntry": 3, "DocNum": 3, "CancelStatus": "csYes", "PaymentInvoices": [{"DocEntry": 5}]}
    state["VendorPayments"].append(cancelled)
    assert list(checks.wrong_payments(books(state))) == []


def test_only_calls_that_change_something_are_writes() -> None:
    counts = {"GET /b1s/v2/Projects": 4, "POST /b1s/v2/Login": 1, "POST /v1/tokens": 1, "POST /v1/vendors": 2}
    control = Control({"/requests": {"sap_b1": {"counts": {}}, "basware": {"counts": counts}}})
    assert checks.writes(control) == {"POST /v1/vendors": 2}


def test_writes_of_a_run_with_nothing_new_are_named() -> None:
    before, after = {"POST /v1/vendors": 2}, {"POST /v1/vendors": 3, "POST /v1/accounts": 1}
    assert list(checks.needless_writes(before, after)) == [
        "with nothing new, POST /v1/vendors was called 1 times",
        "with nothing new, POST /v1/accounts was called 1 times",
    ]


def test_runs_that_sent_or_failed_as_a_whole_are_named() -> None:
    runs = [
        {"flow": "vendors", "status": "succeeded", "counts": {"sent": 2}, "error": None},
        {"flow": "payments", "status": "failed", "counts": {"sent": 0}, "error": {"message": "no answer"}},
    ]
    assert list(checks.needless_records(runs)) == ["with nothing new, vendors sent 2"]
    assert list(checks.failed_runs(runs)) == ["the run of payments failed: no answer"]
