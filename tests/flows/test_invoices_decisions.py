"""What is put before a person, and what their decision does (default-mapping.md; interface.md, records/{id}/decide)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.outcomes import Rejected
from syncengine.flows.document import FindWindow
from tests.flows.desks import MemoryArchive, MemoryDesk, Row
from tests.flows.systems import MARK, World
from tests.flows.test_invoices import confirm, run, take, world
from tests.flows.test_invoices_confirmed import differ
from tests.posting import builders
from tests.posting.builders import INVOICE_ID, document, negated, order_row, row


def by_hand(made: World, **changed: Any) -> dict[str, Any]:
    """The same invoice, booked by somebody in SAP without our mark."""
    body = builders.plan().body | {MARK: None, "Comments": ""} | changed
    return made.sap.book("PurchaseInvoices", body)


def duplicate(**changed: Any) -> tuple[World, Row]:
    made = world()
    by_hand(made, **changed)
    return made, run(made)


# Rule 2: already in SAP


def test_a_likely_duplicate_is_put_before_a_person_with_its_number():
    made, record = duplicate()
    assert (record.status, record.code, record.stage) == ("failed", "needs_decision", "checked")
    assert record.message == "already in SAP as DocNum 10001 of 2026-11-19"
    assert record.decisions == ("adopt", "post", "reject")
    assert (made.sap.posted, made.basware.answers) == (1, [])
    assert made.basware.shelf[INVOICE_ID]["processingStatus"] == "TransferInProgress"


def test_adopt_says_it_is_this_one():
    made, record = duplicate()
    made.engine.replay(record, decision="adopt", document=None, reason="booked by Anna")
    assert (record.stage, made.sap.posted) == ("posted", 1)
    assert made.basware.answers[0]["voucherNumber1"] == "10001"


def test_post_says_it_is_another_one():
    made, record = duplicate()
    made.engine.replay(record, decision="post")
    assert (record.stage, made.sap.posted) == ("posted", 2)


def test_reject_says_it_is_a_duplicate():
    made, record = duplicate()
    made.engine.replay(record, decision="reject", reason="paid already")
    assert (record.status, record.code) == ("failed", "given_back")
    (answer,) = made.basware.answers
    assert not answer["success"]
    assert answer["responseMessage"] == "Not posted: duplicate of 10001 in SAP: paid already."


def test_a_replay_without_a_decision_asks_again():
    made, record = duplicate()
    made.engine.replay(record)
    assert record.code == "needs_decision"
    made.sap.cancel("PurchaseInvoices", 4001)
    assert made.engine.replay(record).stage == "posted"


def test_of_several_the_named_one_is_adopted():
    made = world()
    by_hand(made)
    by_hand(made)
    record = run(made)
    assert "DocNum 10001" in record.message
    assert "DocNum 10002" in record.message
    made.engine.replay(record, decision="adopt", document=None)
    assert "name the document to adopt" in record.message
    made.engine.replay(record, decision="adopt", document=10002)
    assert made.basware.answers[0]["voucherNumber1"] == "10002"


def test_a_decision_for_another_invoice_is_no_licence_when_this_one_comes_again():
    made, record = duplicate()
    made.engine.replay(record, decision="reject")
    made.basware.retransfer()
    assert run(made).code == "needs_decision"


def test_an_open_draft_by_hand_is_a_duplicate_too():
    made = world()
    made.sap.approval = "status"
    by_hand(made, AuthorizationStatus="dasWithout")
    made.sap.approval = ""
    made.sap.tables["Drafts"][0]["AuthorizationStatus"] = "dasWithout"
    record = run(made)
    assert "draft DocNum 10001" in record.message


def test_a_down_payment_with_the_number_is_a_duplicate_too():
    made = world()
    made.sap.tables["PurchaseDownPayments"] = [by_hand(made)]
    made.sap.invoices.clear()
    assert "down payment DocNum 10001" in run(made).message


def test_the_number_in_capitals_with_blanks_is_the_same_number():
    made = world(document(invoiceNumber="inv-1187 "))
    by_hand(made, NumAtCard="INV-1187")
    assert run(made).code == "needs_decision"


# Rule 3: the same under another vendor


def lookalike(tax_id: str) -> tuple[World, Row]:
    made = world()
    made.sap.tables["BusinessPartners"].append(builders.vendor(CardCode="V999", FederalTaxID=tax_id))
    by_hand(made, CardCode="V999")
    return made, run(made)


def test_the_same_number_and_sum_elsewhere_is_flagged_and_posted():
    made, record = lookalike("SE1")
    assert (record.stage, record.flags, made.sap.posted) == ("posted", {"possible_duplicate"}, 2)


def test_of_the_same_company_it_is_held():
    made, record = lookalike("FI12345678")
    assert (record.code, record.flags, made.sap.posted) == ("needs_decision", {"possible_duplicate"}, 1)
    assert "same tax number FI12345678" in record.message
    made.engine.replay(record, decision="post")
    assert made.sap.posted == 2


# Rule 1: our mark, and not the same any more


def test_an_invoice_in_sap_several_times_needs_a_person():
    made = world()
    for number in ("A", "B"):
        made.sap.book("PurchaseInvoices", builders.plan().body | {"NumAtCard": number})
    record = run(made)
    assert "2 times" in record.message
    made.engine.replay(record, decision="adopt", document=10001)
    assert made.basware.answers[0]["voucherNumber1"] == "10001"


def test_a_changed_invoice_may_be_adopted_as_it_is_in_sap():
    made = world()
    record = confirm(made)
    changed = document([row(net="200.00")])
    made.basware.retransfer(**{name: changed[name] for name in ("codingRows", "netSum", "taxSum1", "grossSum")})
    run(made)
    made.engine.replay(record, decision="adopt")
    assert (made.sap.posted, made.basware.answers[-1]["voucherNumber1"]) == (1, "10001")


def test_a_changed_invoice_is_posted_anew_once_the_old_one_is_cancelled():
    made = world()
    record = confirm(made)
    changed = document([row(net="200.00")])
    made.basware.retransfer(**{name: changed[name] for name in ("codingRows", "netSum", "taxSum1", "grossSum")})
    run(made)
    made.sap.cancel("PurchaseInvoices", 4001)
    made.engine.replay(record)
    assert (record.stage, made.sap.posted) == ("posted", 2)
    assert made.basware.answers[-1]["voucherNumber1"] == "10002"


def test_a_document_that_lost_its_mark_but_is_linked_is_not_posted_again():
    made = world()
    confirm(made)
    made.sap.invoices[0].update({MARK: None, "Comments": "edited", "NumAtCard": "edited"})
    made.basware.retransfer()
    run(made)
    assert made.sap.posted == 1


# Ignore of an invoice that we hold


def held() -> tuple[World, Row]:
    made = world(document(voucherDate="2027-06-01"))
    return made, run(made)


def test_give_back_answers_false_with_the_reason():
    made, record = held()
    made.engine.replay(record, decision="give_back", reason="not our company")
    assert record.status == "ignored"
    (answer,) = made.basware.answers
    assert (answer["success"], answer["responseMessage"]) == (False, "Not posted: given back: not our company.")


def test_give_back_is_refused_while_it_is_in_sap():
    made = world()
    made.sap.distort = differ
    record = run(made)
    made.engine.replay(record, decision="give_back", reason="x")
    assert (record.status, made.basware.answers) == ("failed", [])
    assert "cancel it there" in record.message


def test_an_ignored_invoice_that_comes_again_opens_its_record_anew():
    made, record = held()
    made.engine.replay(record, decision="give_back", reason="x")
    made.basware.retransfer(voucherDate="2026-11-19")
    assert run(made) is record
    assert record.stage == "posted"


def test_booked_as_answers_success_with_the_number():
    made, record = held()
    by_hand(made, NumAtCard="written differently")
    made.engine.replay(record, decision="booked_as", document=10001, reason="by hand")
    assert (record.stage, made.sap.posted) == ("posted", 1)
    assert made.basware.answers[0]["voucherNumber1"] == "10001"


@pytest.mark.parametrize(
    "changed",
    [{"CardCode": "V999"}, {"DocCurrency": "$"}, {"DocumentLines": [{"LineTotal": Decimal(5), "VatGroup": "I0"}]}],
)
def test_a_number_that_does_not_fit_is_not_taken(changed: dict[str, Any]):
    made, record = held()
    by_hand(made, **changed)
    made.engine.replay(record, decision="booked_as", document=10001)
    assert (record.status, made.basware.answers) == ("failed", [])
    assert "10001" in record.message


def test_a_number_is_verified_before_it_is_taken():
    made, record = held()
    by_hand(made)
    engine = made.engine
    assert engine.flow.refuses_number(engine.work(record), MemoryDesk(engine, record), 10001) == ""
    assert "10002" in engine.flow.refuses_number(engine.work(record), MemoryDesk(engine, record), 10002)


# Later in SAP


def found_at_night(made: World) -> list[Any]:
    pages = made.engine.flow.discover(MemoryArchive(made.engine), FindWindow(mode="full"))
    return [found for page in pages for found in page.found]


def cancelled() -> tuple[World, Row]:
    made = world()
    confirm(made)
    made.sap.cancel("PurchaseInvoices", 4001)
    (found,) = found_at_night(made)
    return made, made.engine.run(made.engine.take(found))


def test_a_posted_invoice_found_cancelled_goes_to_a_person():
    _, record = cancelled()
    assert (record.status, record.code, record.flags) == ("failed", "needs_decision", {"cancelled_in_sap"})
    assert record.decisions == ("link_successor", "post", "close")
    assert "cancelled in SAP" in record.message


def test_nothing_is_found_at_night_while_all_is_well():
    made = world()
    confirm(made)
    assert found_at_night(made) == []


def test_posting_again_makes_a_new_document_and_tells_nobody_twice():
    made, record = cancelled()
    made.engine.replay(record, decision="post")
    assert (record.stage, record.status, made.sap.posted) == ("confirmed", "done", 2)
    assert len(made.basware.answers) == 1
    assert found_at_night(made) == []


def test_a_successor_is_linked_by_its_number():
    made, record = cancelled()
    by_hand(made)
    made.engine.replay(record, decision="link_successor", document=10002)
    assert (record.stage, record.status, made.sap.posted) == ("confirmed", "done", 2)
    assert "cancelled_in_sap" not in record.flags


@pytest.mark.parametrize("number", [None, 4711])
def test_a_successor_that_is_not_there_is_asked_for_again(number: int | None):
    made, record = cancelled()
    made.engine.replay(record, decision="link_successor", document=number)
    assert record.decisions == ("link_successor", "post", "close")


def test_closing_keeps_the_reason():
    made, record = cancelled()
    made.engine.replay(record, decision="close", reason="ordered twice")
    assert (record.code, record.message) == ("closed", "closed by a person: ordered twice")


def test_a_posted_invoice_cancelled_before_the_answer_is_noticed_at_replay():
    made = world()
    made.sap.distort = differ
    record = run(made)
    made.sap.cancel("PurchaseInvoices", 4001)
    made.engine.replay(record)
    assert record.decisions == ("link_successor", "post", "close")
    made.sap.distort = lambda _found: None
    made.engine.replay(record, decision="post")
    assert record.stage == "posted"
    assert made.basware.answers[0]["voucherNumber1"] == "10002"


def test_what_is_settled_without_a_payment_is_flagged_once_with_its_amount():
    made = world()
    record = confirm(made)
    made.sap.invoices[0]["PaidToDate"] = Decimal("100.00")
    (found,) = found_at_night(made)
    made.engine.run(made.engine.take(found))
    assert (record.stage, record.status) == ("confirmed", "done")
    assert record.flags == {"settled_by_reconciliation"}
    assert "100.00 more is paid" in record.notes[-1]
    (again,) = found_at_night(made)
    assert not made.engine.flow.reopens(made.engine.work(record), again)


def test_a_payment_that_was_not_read_yet_is_no_reconciliation():
    made = world()
    confirm(made)
    made.sap.invoices[0]["PaidToDate"] = Decimal("100.00")
    line = {"LineNum": 0, "DocEntry": 4001, "InvoiceType": "it_PurchaseInvoice", "SumApplied": Decimal("100.00")}
    payment = {"DocEntry": 530, "DocType": "rSupplier", "CardCode": "V10012", "CancelStatus": "csNo"}
    made.sap.tables["VendorPayments"] = [payment | {"PaymentInvoices": [line]}]
    assert found_at_night(made) == []


# Returns and others


def test_a_return_may_be_rejected():
    made = world(negated(document([order_row(matchingType=2)])))
    record = run(made)
    made.engine.replay(record, decision="reject", reason="goods are still here")
    assert made.basware.answers[0]["responseMessage"] == "Not posted: rejected: goods are still here."


def test_a_special_document_may_be_closed_without_a_claim():
    made = world(document(prebooked=True))
    record = run(made)
    made.engine.replay(record, decision="close", reason="booked by hand")
    assert (record.status, made.basware.shelf[INVOICE_ID]["processingStatus"]) == ("failed", "WaitingForTransfer")


def test_an_answer_that_basware_refuses_when_giving_back_is_looked_into():
    made, record = held()
    made.fail_once(made.basware, "before_answering", Rejected("no", code="http_400"))
    made.basware.shelf[INVOICE_ID]["processingStatus"] = "Removed"
    made.engine.replay(record, decision="give_back", reason="x")
    assert record.code == "status_not_ours"


def test_a_record_is_found_once_and_taken_once():
    made = world()
    first = take(made)
    assert take(made) is first


def test_an_accepted_difference_is_not_asked_for_again_when_the_answer_is_refused():
    made = world()
    made.sap.distort = differ
    record = run(made)
    made.fail_once(made.basware, "before_answering", Rejected("closed", code="http_400"))
    made.engine.replay(record, decision="accept_difference")
    assert record.code == "answer_refused"
    made.engine.replay(record)
    assert (record.stage, record.status) == ("posted", "waiting")


def test_an_invoice_cancelled_while_its_answer_was_refused_is_not_told_of():
    made = world()
    made.fail_once(made.basware, "before_answering", Rejected("closed", code="http_400"))
    record = run(made)
    made.sap.cancel("PurchaseInvoices", 4001)
    made.engine.replay(record)
    assert (record.decisions, made.basware.answers) == (("link_successor", "post", "close"), [])
