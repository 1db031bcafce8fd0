"""Read back, answered, replayed: the way of an invoice after it was posted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.outcomes import Rejected
from tests.flows.test_invoices import confirm, run, take, world
from tests.posting.builders import INVOICE_ID, document, plan, row

# Read back


def differ(document_in_sap: dict[str, Any]) -> None:
    document_in_sap["DocTotal"] += Decimal("0.03")


def test_a_total_that_differs_is_blocked_and_not_answered():
    made = world()
    made.sap.distort = differ
    record = run(made)
    assert (record.status, record.stage, record.code) == ("failed", "posted", "needs_decision")
    assert record.flags == {"total_differs"}
    assert record.decisions == ("accept_difference",)
    assert made.sap.updates == [("PurchaseInvoices", 4001, {"PaymentBlock": "tYES"})]
    assert made.basware.answers == []
    assert "gross 125.53 in SAP, 125.50 on the invoice" in record.message


def test_an_accepted_difference_is_answered_and_our_block_lifted():
    made = world()
    made.sap.distort = differ
    record = run(made)
    made.engine.replay(record, decision="accept_difference", reason="agreed")
    assert record.stage == "posted"
    assert made.sap.invoices[0]["PaymentBlock"] == "tNO"
    assert made.basware.answers[0]["paymentBlock"] is False


def test_a_block_that_was_there_anyway_stays():
    made = world(document(paymentBlock=True))
    made.sap.distort = differ
    record = run(made)
    assert made.sap.updates == []
    made.engine.replay(record, decision="accept_difference")
    assert made.sap.invoices[0]["PaymentBlock"] == "tYES"
    assert made.basware.answers[0]["paymentBlock"] is True


def test_a_replay_of_a_difference_looks_again():
    made = world()
    made.sap.distort = differ
    record = run(made)
    made.sap.invoices[0]["DocTotal"] -= Decimal("0.03")
    made.engine.replay(record)
    assert record.status == "waiting"
    assert made.basware.answers[0]["success"]


def test_another_coding_is_flagged_as_such():
    made = world()
    made.sap.distort = lambda found: found["DocumentLines"][0].update(CostingCode="HR")
    assert run(made).flags == {"coding_differs"}


@pytest.mark.parametrize("cents", ["0.02", "-0.02", "0.01"])
def test_two_cents_are_rounding(cents: str):
    made = world()
    made.sap.distort = lambda found: found.update(DocTotal=found["DocTotal"] + Decimal(cents))
    assert run(made).flags == set()


@pytest.mark.parametrize("status", ["csNo", None])
def test_a_document_that_does_not_say_whether_it_is_cancelled_is_alive(status: str | None):
    made = world()
    made.sap.distort = lambda found: found.update(CancelStatus=status, DocTotal=found["DocTotal"] + 1)
    record = run(made)
    made.engine.replay(record, decision="accept_difference", reason="agreed")
    assert made.basware.answers[0]["voucherNumber1"] == "10001"


# The answer


def test_a_refused_answer_that_had_arrived_is_confirmed():
    made = world()
    made.fail_once(made.basware, "after_answering", Rejected("twice", code="http_400"))
    record = run(made)
    assert (record.stage, record.status) == ("confirmed", "done")


def test_a_refused_answer_that_had_not_arrived_goes_to_a_person():
    made = world()
    made.fail_once(made.basware, "before_answering", Rejected("no such voucher", code="http_400"))
    record = run(made)
    assert (record.stage, record.code) == ("posted", "answer_refused")
    assert "no such voucher" in record.message
    assert made.engine.replay(record).status == "waiting"
    assert made.sap.posted == 1


def test_an_answer_that_fails_later_is_looked_at_before_it_is_believed():
    made = world()
    record = run(made)
    made.engine.settle(record, accepted=False, message="duplicate")
    assert (record.stage, record.status) == ("confirmed", "done")


def test_an_answer_that_fails_later_for_real_goes_to_a_person():
    made = world()
    record = run(made)
    made.basware.shelf[INVOICE_ID] |= {
        "processingStatus": "TransferInProgress",
        "voucherNumber1": None,
        "transferResponses": [],
    }
    made.engine.settle(record, accepted=False, message="company closed")
    assert record.code == "answer_refused"
    assert "company closed" in record.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Removed", "status_not_ours"),
        ("Returned", "status_not_ours"),
        ("Transferred", "transferred_elsewhere"),
        ("Paid", "transferred_elsewhere"),
    ],
)
def test_a_replay_of_what_is_no_longer_ours_stops_and_shows(status: str, code: str):
    made = world(document(voucherDate="2027-06-01"))
    record = run(made)
    made.basware.shelf[INVOICE_ID]["processingStatus"] = status
    made.engine.replay(record)
    assert (record.status, record.code, made.sap.posted) == ("failed", code, 0)


def test_a_replay_maps_the_fresh_document():
    made = world(document(voucherDate="2027-06-01"))
    record = run(made)
    made.basware.shelf[INVOICE_ID]["voucherDate"] = "2026-11-19"
    made.engine.replay(record)
    assert (record.stage, made.sap.invoices[0]["DocDate"]) == ("posted", "2026-11-19")


def test_a_document_that_is_gone_stops():
    made = world(document(voucherDate="2027-06-01"))
    record = run(made)
    made.basware.shelf.clear()
    assert made.engine.replay(record).code == "document_gone"


def test_a_replay_of_a_confirmed_invoice_changes_nothing():
    made = world()
    record = confirm(made)
    made.engine.replay(record)
    assert (record.stage, record.status, made.sap.posted, len(made.basware.answers)) == ("confirmed", "done", 1, 1)


def test_an_unchanged_invoice_sent_again_is_adopted_and_answered_anew():
    made = world()
    record = confirm(made)
    made.basware.retransfer()
    made.engine.settle(run(made))
    assert (record.stage, made.sap.posted, len(made.basware.answers)) == ("confirmed", 1, 2)
    assert len({answer["externalCode"] for answer in made.basware.answers}) == 2


def test_a_changed_invoice_sent_again_after_it_was_posted_is_put_before_a_person():
    made = world()
    confirm(made)
    changed = document([row(net="200.00")])
    made.basware.retransfer(**{name: changed[name] for name in ("codingRows", "netSum", "taxSum1", "grossSum")})
    record = run(made)
    assert (record.code, record.decisions, made.sap.posted) == ("needs_decision", ("adopt",), 1)
    assert "has changed since" in record.message


@pytest.mark.parametrize(
    ("status", "voucher", "ends"),
    [
        ("Transferred", "10001", ("done", "confirmed", "")),
        ("Paid", "10001", ("done", "paid", "")),
        ("Transferred", "777", ("failed", "received", "transferred_elsewhere")),
    ],
)
def test_what_an_older_backup_has_forgotten_is_linked_by_mark_and_number(status: str, voucher: str, ends: tuple):
    made = world()
    made.sap.book("PurchaseInvoices", plan().body)
    record = take(made)
    made.basware.shelf[INVOICE_ID] |= {"processingStatus": status, "voucherNumber1": voucher}
    made.engine.run(record)
    assert (record.status, record.stage, record.code) == ends
    assert len(made.sap.invoices) == 1
    assert not made.basware.answers
