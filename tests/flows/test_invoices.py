"""One invoice, step by step: found, claimed, checked, posted, read back, answered (design.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.basware.resources import check
from syncengine.connectors.outcomes import Rejected, Throttled, Unavailable
from syncengine.connectors.sap_b1 import check_document
from syncengine.flows.desk import OrderLine
from syncengine.flows.document import FindWindow
from syncengine.flows.invoices import InvoiceFlow
from tests.flows.contract import FlowContract
from tests.flows.desks import MemoryArchive, Row
from tests.flows.systems import World
from tests.flows.world import context
from tests.posting import builders
from tests.posting.builders import INVOICE_ID, document, negated, order_row, row


def world(source: dict[str, Any] | None = None, **changed: Any) -> World:
    return World(InvoiceFlow(), source, context(company="1000", today=builders.TODAY, **changed))


def take(made: World) -> Row:
    """Found by the poll."""
    pages = made.engine.flow.discover(MemoryArchive(made.engine), FindWindow())
    (found,) = [found for page in pages for found in page.found]
    return made.engine.take(found)


def run(made: World) -> Row:
    return made.engine.run(take(made))


def confirm(made: World) -> Row:
    return made.engine.settle(run(made))


def kinds(record: Row) -> list[tuple[str, str]]:
    return [(attempt.kind, attempt.state) for attempt in record.attempts]


class TestContract(FlowContract):
    flow = InvoiceFlow()


# The straight way


def test_an_invoice_goes_all_the_way():
    made = world()
    record = run(made)
    assert (record.stage, record.status) == ("posted", "waiting")
    made.engine.settle(record)
    assert (record.stage, record.status) == ("confirmed", "done")
    (posted,) = made.sap.invoices
    assert (posted["DocTotal"], posted["U_BW_InvoiceId"]) == (Decimal("125.50"), INVOICE_ID)
    (answer,) = made.basware.answers
    assert (answer["success"], answer["voucherNumber1"], answer["voucherNumber2"]) == (True, "10001", "30001")
    assert check("transferResponses", answer) == []


def test_every_write_is_announced_before_it_is_made_and_completed_after():
    made = world()
    run(made)
    writes = [event for event in made.engine.events if not event.startswith(("step", "before"))]
    assert writes == [
        "announce acknowledge",
        "call acknowledge",
        "acknowledged",
        "done acknowledge",
        "announce post",
        "call post",
        "posted in SAP",
        "done post",
        "link",
        "announce transfer_response",
        "call transferResponses",
        "taken transferResponses",
        "accepted transfer_response",
    ]


def test_the_document_is_claimed_before_sap_is_asked_for_anything():
    made = world()
    made.fail_once(made.basware, "before_acknowledging", Unavailable("down", code="http_503"))
    record = run(made)
    assert (record.stage, kinds(record)) == ("received", [("acknowledge", "rejected")])


def test_found_by_the_poll_nothing_is_fetched_again():
    made = world()
    run(made)
    assert made.basware.reads == 0


def test_the_posting_lock_names_root_company_vendor_and_number():
    made = world(document(invoiceNumber=" Inv  1187 "))
    run(made)
    assert made.engine.locks == [("https://sap/b1s/v2", "SBO", "V10012", "inv 1187")]


def test_a_busy_lock_is_waited_for():
    made = world()
    made.engine.held.add(("https://sap/b1s/v2", "SBO", "V10012", "inv-1187"))
    record = run(made)
    assert (record.stage, record.code) == ("checked", "lock_held")
    made.engine.held.clear()
    assert made.engine.run(record).stage == "posted"


def test_the_target_on_the_record_is_what_was_posted():
    made = world()
    record = run(made)
    body = {name: value for name, value in record.target.items() if name != "entity_set"}
    assert body == record.attempts[1].payload["body"]
    assert check_document(body) == []


def test_a_credit_note_becomes_one():
    made = world(negated(document()))
    confirm(made)
    (posted,) = made.sap.tables["PurchaseCreditNotes"]
    assert posted["DocTotal"] == Decimal("125.50")
    assert "A/P credit note" in made.basware.answers[0]["responseMessage"]


def test_an_order_line_is_found_through_our_own_cross_reference():
    made = world(document([order_row()]))
    made.engine.order_lines["4500123", "1"] = [OrderLine(812, 0, "V10012"), OrderLine(900, 0, "V9")]
    made.sap.tables["PurchaseOrders"] = [purchase_order()]
    record = run(made)
    assert record.stage == "posted", record.message
    (line,) = made.sap.invoices[0]["DocumentLines"]
    assert (line["BaseType"], line["BaseEntry"], line["BaseLine"]) == (22, 812, 0)


def purchase_order(**changed: Any) -> dict[str, Any]:
    line = {"LineNum": 0, "Quantity": Decimal(10), "RemainingOpenQuantity": Decimal(10), "LineStatus": "bost_Open"}
    line |= {"LineTotal": Decimal(100), "OpenAmount": Decimal(100), "AccountCode": "6701", "VatGroup": "I255"}
    made = {"DocEntry": 812, "DocNum": 4500123, "DocType": "dDocument_Items", "CardCode": "V10012"}
    made |= {"DocCurrency": "EUR", "DocumentStatus": "bost_Open", "CancelStatus": "csNo", "DocumentLines": [line]}
    return made | changed


def test_what_was_taken_without_a_link_is_remembered_for_the_next_invoice():
    rows = [order_row(net="60.00")]
    made = world(document(rows))
    made.engine.order_lines["4500123", "1"] = [OrderLine(812, 0, "V10012")]
    order = purchase_order(DocType="dDocument_Service")
    order["DocumentLines"][0] |= {"Quantity": Decimal(0), "RemainingOpenQuantity": Decimal(0)}
    made.sap.tables["PurchaseOrders"] = [order]
    record = run(made)
    assert record.memo["unlinked_order_lines"] == {"812/0": Decimal("60.00")}
    made.basware.shelf["second"] = document(rows, invoiceId="second", invoiceNumber="2")
    second = run(made)
    assert "has 40.00 left" in second.message


# Problems


def bad(**changed: Any) -> World:
    return world(document([row(accountCode="999000", **changed)]))


def test_what_basware_can_mend_is_answered_false_at_once():
    made = bad(costCenterCode="NONE")
    record = run(made)
    assert (record.status, record.code, record.stage) == ("failed", "problems", "acknowledged")
    (answer,) = made.basware.answers
    assert not answer["success"]
    assert "999000" in answer["responseMessage"]
    assert "NONE" in record.message
    assert check("transferResponses", answer) == []
    assert made.sap.posted == 0


def test_what_only_sap_or_the_portal_can_mend_keeps_the_claim():
    made = world(document(voucherDate="2027-06-01"))
    record = run(made)
    assert (record.status, record.code) == ("failed", "problems")
    assert made.basware.answers == []
    assert made.basware.shelf[INVOICE_ID]["processingStatus"] == "TransferInProgress"


def test_problems_of_both_kinds_are_answered_with_basware_s_first():
    made = world(document([row(accountCode="999000")], voucherDate="2027-06-01"))
    record = run(made)
    message = made.basware.answers[0]["responseMessage"]
    assert message.index("999000") < message.index("posting date")
    assert len(record.step.problems) == 2  # type: ignore[union-attr]


def test_a_problem_found_in_remembered_data_is_looked_at_again_before_it_is_told():
    made = world()
    frozen = builders.vendor(Frozen="tYES")
    made.sap.tables["BusinessPartners"] = [frozen]
    record = run(made)
    assert "frozen" in record.message
    made.sap.tables["BusinessPartners"] = [builders.vendor()]
    assert made.engine.replay(record).stage in {"posted", "confirmed"}


def test_a_corrected_invoice_comes_again_and_is_posted_with_a_new_answer():
    made = bad()
    record = run(made)
    first = made.basware.answers[0]["externalCode"]
    made.basware.retransfer(codingRows=[row()])
    again = run(made)
    assert again is record
    made.engine.settle(again)
    assert again.stage == "confirmed"
    assert made.basware.answers[1]["externalCode"] != first


def test_a_failed_one_may_be_replayed_once_sap_is_mended():
    made = bad()
    record = run(made)
    made.sap.tables["ChartOfAccounts"].append(builders.account(Code="999000"))
    made.engine.replay(record)
    assert (record.status, record.stage) == ("done", "posted")
    assert "send_again_in_basware" in record.flags
    made.basware.retransfer()
    assert made.engine.settle(run(made)).stage == "confirmed"
    assert made.sap.posted == 1
    assert "send_again_in_basware" not in record.flags


def test_a_replay_with_problems_left_does_not_answer_a_second_time():
    made = bad()
    record = run(made)
    made.engine.replay(record)
    assert (record.status, len(made.basware.answers)) == ("failed", 1)


def test_without_post_from_failed_a_replay_of_a_failed_transfer_stops():
    made = World(InvoiceFlow(), document([row(accountCode="9")]), context(settings={"post_from_failed": False}))
    record = run(made)
    made.engine.replay(record)
    assert (record.code, made.sap.posted) == ("transfer_failed", 0)


def test_no_false_answer_while_something_of_the_invoice_is_in_sap():
    made = bad()
    made.sap.book("PurchaseInvoices", {**builders.plan().body, "NumAtCard": "other"})
    record = run(made)
    assert record.code == "needs_decision"
    assert made.basware.answers == []


def test_a_return_waits_for_a_yes():
    made = world(negated(document([order_row(matchingType=2)])))
    record = run(made)
    assert (record.code, record.decisions) == ("needs_decision", ("post", "reject"))
    assert made.engine.replay(record, decision="post").stage == "posted"


def test_a_return_may_be_posted_without_asking_by_setting():
    made = world(negated(document([order_row(matchingType=2)])), settings={"allow_unlinked_returns": True})
    assert run(made).stage == "posted"


# SAP's own no


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Rejected("Posting period locked", code="sap_-4013"), "period"),
        (Rejected("You are not permitted", code="sap_-6006"), "authorisation"),
        (Rejected("(18000018) No cost center", code="sap_-1116"), "sap_refused"),
    ],
)
def test_what_sap_refuses_keeps_the_claim_and_shows_sap_s_words(error: Rejected, code: str):
    made = world()
    made.fail_once(made.sap, "before_posting", error)
    record = run(made)
    assert (record.status, record.step.problems[0].code) == ("failed", code)  # type: ignore[union-attr]
    assert error.message in record.message
    assert made.basware.answers == []
    assert made.engine.replay(record).stage == "posted"


@pytest.mark.parametrize(
    "error",
    [Throttled("busy", after=3), Unavailable("down", code="http_503"), Unavailable("changed", code="sap_-2039")],
)
def test_what_passes_is_left_to_the_engine_and_posted_afterwards(error: Any):
    made = world()
    made.fail_once(made.sap, "before_posting", error)
    record = run(made)
    assert (record.stage, record.errors) == ("checked", [error])
    assert kinds(record)[-1] == ("post", "rejected")
    assert made.engine.run(record).stage == "posted"
    assert made.sap.posted == 1


def test_a_look_up_that_sap_refuses_for_good_is_shown():
    made = world()
    made.sap.find = lambda *_, **__: (_ for _ in ()).throw(Rejected("Property 'U_X' is invalid", code="sap_201"))  # type: ignore[method-assign]
    record = run(made)
    assert (record.status, record.code) == ("failed", "sap_201")
