"""Whatever dies, is lost or comes twice: never two postings of one invoice, and never a lost one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import OutcomeUnknown, Rejected
from tests.flows.desks import Crash, Row
from tests.flows.systems import MARK, World, lost
from tests.flows.test_invoices import run, take, world
from tests.posting import builders
from tests.posting.builders import INVOICE_ID, document, row


def events_of_a_whole_life() -> int:
    made = world()
    made.engine.settle(run(made))
    return len(made.engine.events)


def go_on(made: World, record: Row) -> Row:
    """The worker is back: whatever waits is woken until the record rests for good."""
    for _ in range(12):
        made.engine.run(record)
        if record.status != "waiting" or made.basware.answers:
            break
        made.engine.pass_time(getattr(record.step, "seconds", 1) + 1)
    return record


@pytest.mark.parametrize("event", range(events_of_a_whole_life()))
def test_a_crash_anywhere_leads_to_one_posting_and_one_truth(event: int):
    made = world()
    record = take(made)
    made.engine.crash_at = event
    with pytest.raises(Crash):
        made.engine.settle(made.engine.run(record))
    go_on(made, record)
    if record.status == "waiting":
        made.engine.settle(record)
    assert (record.stage, record.status) == ("confirmed", "done"), (record.stage, record.message)
    assert made.sap.posted == 1
    assert [answer["voucherNumber1"] for answer in made.basware.answers] == ["10001"]


@pytest.mark.parametrize("event", range(25))
def test_a_crash_anywhere_in_a_refusal_leads_to_one_false_answer(event: int):
    made = world(document([row(accountCode="9")]))
    record = take(made)
    made.engine.crash_at = event
    try:
        made.engine.run(record)
    except Crash:
        made.engine.run(record)
    made.engine.crash_at = None
    assert (record.status, record.code) == ("failed", "problems")
    assert [answer["success"] for answer in made.basware.answers] == [False]


@pytest.mark.parametrize("event", range(25))
def test_a_crash_anywhere_in_a_difference_leaves_it_blocked_and_unanswered(event: int):
    made = world()
    made.sap.distort = lambda found: found.update(DocTotal=found["DocTotal"] + 1)
    record = take(made)
    made.engine.crash_at = event
    try:
        made.engine.run(record)
    except Crash:
        go_on(made, record)
    made.engine.crash_at = None
    assert "total_differs" in record.flags
    assert made.sap.invoices[0]["PaymentBlock"] == "tYES"
    assert (made.sap.posted, made.basware.answers) == (1, [])
    made.engine.replay(record, decision="accept_difference")
    assert made.sap.invoices[0]["PaymentBlock"] == "tNO"


# Acknowledge


@pytest.mark.parametrize("hook", ["before_acknowledging", "after_acknowledging"])
def test_a_lost_acknowledge_is_asked_again_and_405_is_ours(hook: str):
    made = world()
    made.fail_once(made.basware, hook, lost("Basware"))
    record = run(made)
    assert record.stage == "received"
    assert made.engine.run(record).stage == "posted"


def test_405_without_a_claim_of_ours_goes_to_a_person():
    made = world()
    record = take(made)
    made.basware.shelf[INVOICE_ID]["processingStatus"] = "TransferInProgress"
    made.engine.run(record)
    assert (record.code, record.decisions) == ("needs_decision", ("post", "close"))
    assert made.sap.posted == 0
    assert made.engine.replay(record).code == "needs_decision"


def test_405_of_a_document_that_was_transferred_meanwhile_stops():
    made = world()
    record = take(made)
    made.basware.shelf[INVOICE_ID]["processingStatus"] = "Transferred"
    assert made.engine.run(record).code == "transferred_elsewhere"


def test_an_acknowledge_that_basware_refuses_is_shown():
    made = world()
    made.fail_once(made.basware, "before_acknowledging", Rejected("not found", code="http_404", status=404))
    assert run(made).code == "http_404"


# Posting: the answer is lost


def test_a_lost_answer_is_looked_for_after_five_seconds_and_adopted():
    made = world()
    made.fail_once(made.sap, "before_answer", lost("SAP"))
    record = run(made)
    assert (record.code, record.step.seconds) == ("outcome_unknown", 5)  # type: ignore[union-attr]
    made.engine.pass_time(5)
    assert made.engine.run(record).stage == "posted"
    assert made.sap.posted == 1


def test_what_is_not_found_is_looked_for_at_five_thirty_and_six_hundred_seconds_then_posted_again():
    made = world()
    made.fail_once(made.sap, "before_posting", lost("SAP"))
    record = run(made)
    waits = []
    for _ in range(3):
        waits.append(round(record.step.seconds))  # type: ignore[union-attr]
        made.engine.pass_time(record.step.seconds)  # type: ignore[union-attr]
        made.engine.run(record)
    assert waits == [5, 25, 570]
    assert (record.stage, made.sap.posted) == ("posted", 1)
    assert [attempt.key for attempt in record.attempts if attempt.kind == "post"] == ["1.1", "1.2"]


def test_nothing_is_posted_again_before_the_time_is_over():
    made = world()
    made.fail_once(made.sap, "before_posting", lost("SAP"))
    record = run(made)
    for seconds in (5, 30, 100, 400):
        made.engine.pass_time(seconds)
        made.engine.run(record)
        if sum((5, 30, 100, 400)[: (5, 30, 100, 400).index(seconds) + 1]) < 600:
            assert made.engine.events.count("call post") == 1
    assert record.status == "waiting"


def test_a_slow_commit_is_found_at_the_last_look():
    made = world()
    made.fail_once(made.sap, "before_posting", lost("SAP"))
    record = run(made)
    body = record.attempts[-1].payload["body"]
    made.engine.pass_time(5)
    made.engine.run(record)
    made.sap.book("PurchaseInvoices", body)
    made.engine.pass_time(700)
    made.engine.run(record)
    assert (record.stage, made.sap.posted) == ("posted", 1)


def test_a_second_loss_starts_the_time_anew():
    made = world()
    made.fail_once(made.sap, "before_posting", lost("SAP"))
    record = run(made)
    made.engine.pass_time(601)
    made.fail_once(made.sap, "before_posting", lost("SAP"))
    made.engine.run(record)
    assert (record.code, record.step.seconds) == ("outcome_unknown", 5)  # type: ignore[union-attr]
    made.engine.pass_time(6)
    made.engine.run(record)
    assert made.engine.events.count("call post") == 2


def test_a_document_without_our_mark_but_ours_beyond_doubt_is_adopted():
    """The mark may be lost on SAP's side: created since the attempt, same currency, date, totals and lines."""
    made = world()
    made.fail_once(made.sap, "before_answer", lost("SAP"))
    made.sap.distort = lambda found: found.update({MARK: None, "Comments": ""})
    record = run(made)
    made.engine.pass_time(5)
    assert made.engine.run(record).stage == "posted"
    assert made.sap.posted == 1


def test_a_document_of_somebody_else_found_after_a_lost_answer_is_not_ours():
    made = world()
    made.fail_once(made.sap, "before_posting", lost("SAP"))
    record = run(made)
    made.sap.book("PurchaseInvoices", builders.plan(document([row(net="90.00")])).body | {MARK: None, "Comments": ""})
    made.engine.pass_time(5)
    made.engine.run(record)
    assert (record.code, record.decisions) == ("needs_decision", ("adopt", "post", "reject"))


def test_a_lost_answer_whose_totals_differ_is_held_like_any_other():
    made = world()
    made.fail_once(made.sap, "before_answer", lost("SAP"))
    made.sap.distort = lambda found: found.update(DocTotal=found["DocTotal"] + 1)
    record = run(made)
    made.engine.pass_time(5)
    made.engine.run(record)
    assert "total_differs" in record.flags
    assert made.sap.invoices[0]["PaymentBlock"] == "tYES"


# Responses: the answer is lost


@pytest.mark.parametrize("hook", ["before_answering", "after_answering"])
def test_a_lost_response_is_repeated_with_the_same_code_or_found(hook: str):
    made = world()
    made.fail_once(made.basware, hook, lost("Basware"))
    record = run(made)
    assert isinstance(record.errors[0], OutcomeUnknown)
    made.engine.run(record)
    if record.status == "waiting":
        made.engine.settle(record)
    assert (record.stage, len(made.basware.answers)) == ("confirmed", 1)
    codes = [attempt.key for attempt in record.attempts if attempt.kind == "transfer_response"]
    assert len(codes) == 1


@pytest.mark.parametrize("hook", ["before_answering", "after_answering"])
def test_a_lost_refusal_is_not_answered_twice(hook: str):
    made = world(document([row(accountCode="9")]))
    made.fail_once(made.basware, hook, lost("Basware"))
    record = run(made)
    made.engine.run(record)
    assert (record.code, len(made.basware.answers)) == ("problems", 1)


# Approval procedures (contracts: SAP §8.4, variants a to d)


@pytest.mark.parametrize("variant", ["location", "status", "empty", "error"])
def test_a_draft_is_recognised_whatever_sap_answers(variant: str):
    made = world()
    made.sap.approval = variant
    record = run(made)
    assert (record.code, record.flags) == ("awaiting_approval", {"awaiting_approval"})
    assert made.sap.invoices == []
    assert made.basware.answers == []


def approve(made: World) -> None:
    """Approved and added: the draft closes, the document appears."""
    (draft,) = made.sap.tables["Drafts"]
    draft |= {"DocumentStatus": "bost_Close", "AuthorizationStatus": "dasGenerated"}
    made.sap.approval = ""
    body = {name: value for name, value in draft.items() if name not in {"DocEntry", "DocNum"}}
    made.sap.book("PurchaseInvoices", {**body, "DocumentLines": draft["DocumentLines"]})


@pytest.mark.parametrize("variant", ["location", "status", "empty", "error"])
def test_an_approved_and_added_draft_is_the_posted_invoice(variant: str):
    made = world()
    made.sap.approval = variant
    record = run(made)
    made.engine.pass_time(60)
    made.engine.run(record)
    assert record.code == "awaiting_approval"
    approve(made)
    made.engine.run(record)
    assert (record.stage, record.flags) == ("posted", set())
    assert len(made.sap.invoices) == 1


def test_a_draft_whose_key_belongs_to_another_invoice_is_not_mistaken_for_it():
    made = world()
    other = made.sap.book(
        "PurchaseInvoices", builders.plan(document(invoiceNumber="X")).body | {MARK: "other", "Comments": ""}
    )
    made.sap.posted = 0
    made.sap.approval = "status"
    record = run(made)
    assert made.sap.tables["Drafts"][0]["DocEntry"] == other["DocEntry"]
    assert record.code == "awaiting_approval"


def test_a_rejected_draft_is_answered_false_with_the_remark():
    made = world()
    made.sap.approval = "status"
    record = run(made)
    (draft,) = made.sap.tables["Drafts"]
    draft["AuthorizationStatus"] = "dasRejected"
    lines = [{"Remarks": "not our order"}]
    made.sap.tables["ApprovalRequests"] = [{"DraftEntry": draft["DocEntry"], "ApprovalRequestLines": lines}]
    made.engine.run(record)
    assert (record.status, record.code) == ("failed", "problems")
    assert "not our order" in made.basware.answers[0]["responseMessage"]
    made.sap.approval = ""
    made.basware.retransfer()
    assert run(made).stage == "posted"


def test_a_draft_approved_and_not_added_for_a_day_goes_to_a_person():
    made = world()
    made.sap.approval = "status"
    record = run(made)
    made.sap.tables["Drafts"][0]["AuthorizationStatus"] = "dasApproved"
    made.engine.run(record)
    assert record.code == "awaiting_approval"
    made.engine.pass_time(86_500)
    made.engine.run(record)
    assert record.code == "needs_decision"
    assert "nobody has added it" in record.message


def test_a_cancelled_draft_goes_to_a_person_who_may_post_anew():
    made = world()
    made.sap.approval = "status"
    record = run(made)
    made.sap.tables["Drafts"][0] |= {"AuthorizationStatus": "dasCancelled"}
    made.engine.run(record)
    assert record.decisions == ("post", "reject")
    made.sap.approval = ""
    made.engine.replay(record, decision="post")
    assert (record.stage, len(made.sap.invoices)) == ("posted", 1)


def test_a_document_that_sap_says_it_made_and_does_not_show_is_not_made_twice():
    made = world()
    made.sap.before_answer = made.sap.invoices.clear
    record = run(made)
    for _ in range(4):
        made.engine.pass_time(getattr(record.step, "seconds", 0) + 1)
        made.engine.run(record)
    assert (record.code, record.decisions) == ("needs_decision", ("post", "close"))
    assert made.engine.events.count("call post") == 1
    made.sap.before_answer = lambda: None
    made.engine.replay(record, decision="post")
    assert (record.stage, len(made.sap.invoices)) == ("posted", 1)


def test_two_integrations_cannot_hold_one_document():
    made = world()
    record = run(made)
    rival = made.engine.rows["invoices", "rival"] = Row("rival", document(invoiceId="rival"), "invoices")
    made.engine.links = {place: ("somebody", posting) for place, (_, posting) in made.engine.links.items()}
    rival.memo = {
        "candidates": [{"entity_set": "PurchaseInvoices", "entry": 4001, "number": 10001}],
        "asked": "duplicate",
    }
    made.basware.shelf["rival"] = document(invoiceId="rival", processingStatus="TransferInProgress")
    made.engine.replay(rival, decision="adopt")
    assert "belongs to another Basware invoice" in rival.message
    assert record.stage == "posted"


def test_a_plan_that_is_too_old_is_checked_again_before_it_is_posted():
    made = world()
    made.engine.held.add(("https://sap/b1s/v2", "SBO", "V10012", "inv-1187"))
    record = run(made)
    made.engine.held.clear()
    made.engine.pass_time(3600)
    made.sap.tables["ChartOfAccounts"] = []
    made.engine.ctx.memory.clear()
    made.engine.run(record)
    assert "6701" in record.message
    assert made.sap.posted == 0


def test_the_amounts_that_were_sent_are_exact():
    made = world(document([row(net="0.10"), row(2, "0.20")]))
    run(made)
    assert made.sap.invoices[0]["DocumentLines"][0]["LineTotal"] == Decimal("0.10")
