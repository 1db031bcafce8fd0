"""Contracts: Basware §14 and §18 point 7: the life of an invoice."""

from decimal import Decimal
from typing import Any

import pytest

from syncengine.sandbox.basware.processing import Forced
from tests.sandbox.basware.world import World, invoice, payment_response, transfer_response

ONE = "/v1/accountingDocuments/inv-1"


def prebook_response(**fields: Any) -> dict[str, Any]:
    return transfer_response(externalCode="prebook-1", **fields)


def test_an_invoice_is_read_inside_the_wrapper(world: World) -> None:
    document = world.document()
    assert document["invoiceId"] == "inv-1"
    assert document["processingStatus"] == "WaitingForTransfer"
    assert document["p2pProcessingMode"] == "Standard"
    assert document["grossSum"] == Decimal("124")


def test_an_unknown_invoice_is_404(world: World) -> None:
    assert world.get("/v1/accountingDocuments/nope").codes == ["ENTITY_NOT_FOUND"]
    assert world.post("/v1/accountingDocuments/nope/acknowledge").status == 404
    assert world.respond("transfer", transfer_response(), "nope").status == 404


def test_acknowledge_is_a_claim_that_works_once(world: World) -> None:
    first = world.post(f"{ONE}/acknowledge")
    assert (first.status, isinstance(first.json, str)) == (200, True)
    assert world.document()["processingStatus"] == "TransferInProgress"
    second = world.post(f"{ONE}/acknowledge")
    assert (second.status, second.codes) == (405, ["METHOD_NOT_ALLOWED"])


def test_a_claimed_invoice_is_not_offered_again(world: World) -> None:
    assert len(world.documents("?ProcessingStatus=WaitingForTransfer")) == 1
    world.post(f"{ONE}/acknowledge")
    assert world.get("/v1/accountingDocuments?ProcessingStatus=WaitingForTransfer").status == 404
    assert len(world.documents("?ProcessingStatus=TransferInProgress")) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("WaitingForPrebook", "PrebookInProgress"),
        ("WaitingForPrebookCancelation", "PrebookCancelationInProgress"),
        ("WaitingToBeCompleted", "CompletionInProgress"),
        ("WaitingForEnrichmentTransfer", "EnrichmentTransferInProgress"),
    ],
)
def test_every_claimable_status_has_its_own_progress(world: World, before: str, after: str) -> None:
    world.sandbox.documents.move("inv-1", before)
    assert world.post(f"{ONE}/acknowledge").status == 200
    assert world.document()["processingStatus"] == after


@pytest.mark.parametrize("status", ["Transferred", "TransferFailed", "Paid", "WaitingToBeRemoved", "New", "Prebooked"])
def test_other_statuses_cannot_be_acknowledged(world: World, status: str) -> None:
    world.sandbox.documents.move("inv-1", status)
    assert world.post(f"{ONE}/acknowledge").status == 405


def test_a_transfer_response_is_echoed_and_works_after_the_delay(world: World) -> None:
    world.post(f"{ONE}/acknowledge")
    reply = world.post(f"{ONE}/transferResponses", transfer_response())
    assert (reply.status, reply.json) == (200, transfer_response())
    assert world.document()["processingStatus"] == "TransferInProgress"
    world.clock.advance(60)
    document = world.document()
    assert document["processingStatus"] == "Transferred"
    assert (document["voucherNumber1"], document["voucherNumber2"]) == ("10457", "30219")
    assert document["transferResponses"] == [transfer_response()]


def test_acknowledge_may_be_left_out(world: World) -> None:
    assert world.respond("transfer", transfer_response()).status == 200
    assert world.document()["processingStatus"] == "Transferred"


def test_a_failure_saves_its_message_and_nothing_else(world: World) -> None:
    world.transfer(success=False, paymentBlock=True, responseMessage="Account 640310 is not postable.")
    document = world.document()
    assert document["processingStatus"] == "TransferFailed"
    assert document["transferResponses"][0]["responseMessage"] == "Account 640310 is not postable."
    assert "voucherNumber1" not in document
    assert document["paymentBlock"] is False


def test_a_second_transfer_response_is_400(world: World) -> None:
    world.transfer()
    again = world.respond("transfer", transfer_response())
    other = world.respond("transfer", transfer_response(externalCode="answer-2"))
    assert [(reply.status, reply.codes) for reply in (again, other)] == [(400, ["DATA_VALIDATION_FAILED"])] * 2


def test_a_second_transfer_response_is_400_while_the_first_is_under_way(world: World) -> None:
    world.post(f"{ONE}/transferResponses", transfer_response())
    assert world.post(f"{ONE}/transferResponses", transfer_response(externalCode="answer-2")).status == 400


def test_a_failed_invoice_takes_no_answer_until_it_is_sent_again(world: World) -> None:
    world.transfer(success=False)
    assert world.respond("transfer", transfer_response(externalCode="answer-2")).status == 400


def test_retransfer_offers_the_same_invoice_again_with_what_was_corrected(world: World) -> None:
    world.transfer(success=False)
    world.sandbox.documents.retransfer("inv-1", {"paymentTermCode": "30", "taxCode": None})
    document = world.documents("?ProcessingStatus=WaitingForTransfer")[0]
    assert (document["invoiceId"], document["paymentTermCode"]) == ("inv-1", "30")
    assert world.transfer(externalCode="answer-2").status == 200
    codes = [response["externalCode"] for response in world.document()["transferResponses"]]
    assert codes == ["answer-1", "answer-2"]


def test_only_failed_invoices_can_be_sent_again(world: World) -> None:
    with pytest.raises(ValueError, match="not TransferFailed"):
        world.sandbox.documents.retransfer("inv-1", {})


def test_an_answer_overtaken_by_a_move_in_p2p_ends_as_an_error(world: World) -> None:
    reply = world.post(f"{ONE}/transferResponses", transfer_response())
    world.sandbox.documents.move("inv-1", "Removed")
    item = world.processed(reply)["answer-1"]
    assert item["errors"][0]["message"] == "Invoice is not in a state where a transfer response can be saved."
    assert world.document()["processingStatus"] == "Removed"


def test_an_answer_that_p2p_fails_to_save_leaves_the_invoice_where_it_was(world: World) -> None:
    world.sandbox.processing.forced["inv-1"] = Forced("Error", "Down", "Technical")
    world.post(f"{ONE}/acknowledge")
    reply = world.post(f"{ONE}/transferResponses", transfer_response())
    assert world.processed(reply)["answer-1"]["errors"][0]["category"] == "Technical"
    assert world.document()["processingStatus"] == "TransferInProgress"
    assert world.respond("transfer", transfer_response()).status == 200
    assert world.document()["processingStatus"] == "Transferred"


@pytest.mark.parametrize(
    "body", [transfer_response(responseMessage=""), transfer_response(unheardOf=1), {"success": True}, ["x"], "x"]
)
def test_an_answer_with_a_bad_body_is_refused(world: World, body: Any) -> None:
    reply = world.respond("transfer", body)
    assert (reply.status, reply.codes[0]) == (400, "SCHEMA_VALIDATION_ERROR")


def test_prebooking_comes_before_the_transfer_and_is_remembered(world: World) -> None:
    world.sandbox.documents.move("inv-1", "WaitingForPrebook")
    world.post(f"{ONE}/acknowledge")
    assert world.respond("prebook", prebook_response()).status == 200
    document = world.document()
    assert (document["processingStatus"], document["prebooked"]) == ("Prebooked", True)
    assert world.sandbox.documents.move("inv-1", "WaitingForTransfer")["prebooked"] is True


def test_a_failed_prebooking(world: World) -> None:
    world.sandbox.documents.move("inv-1", "WaitingForPrebook")
    world.respond("prebook", prebook_response(success=False))
    assert world.document()["processingStatus"] == "PrebookFailed"


def test_a_repeated_prebook_response_is_409(world: World) -> None:
    world.sandbox.documents.move("inv-1", "WaitingForPrebook")
    world.respond("prebook", prebook_response())
    assert world.respond("prebook", prebook_response()).codes == ["CONFLICT_IN_POST"]


def test_enrichment_answers_move_enrichment_documents(world: World) -> None:
    fields = {"p2pProcessingMode": "InvoiceEnrichment", "processingStatus": "WaitingForEnrichmentTransfer"}
    world.sandbox.documents.issue(invoice("inv-2", **fields))
    body = {"externalCode": "e", "success": True, "responseMessage": "ok"}
    assert world.respond("enrichment", body, "inv-2").status == 200
    assert world.document("inv-2")["processingStatus"] == "EnrichmentTransferred"


def test_payments_are_taken_only_after_the_transfer(world: World) -> None:
    assert world.respond("payment", payment_response()).codes == ["DATA_VALIDATION_FAILED"]
    world.transfer()
    assert world.respond("payment", payment_response()).status == 200


@pytest.mark.parametrize(
    ("gross", "paid", "status"),
    [
        ("124.00", "123.99", "Transferred"),
        ("124.00", "124.00", "Paid"),
        ("124.00", "130.00", "Paid"),
        ("-124.00", "-124.00", "Paid"),
        ("-124.00", "0", "Transferred"),
        ("124.00", None, "Transferred"),
    ],
)
def test_an_invoice_is_paid_when_the_total_covers_it(world: World, gross: str, paid: str | None, status: str) -> None:
    world.sandbox.documents.change("inv-1", {"grossSum": Decimal(gross)})
    world.transfer()
    world.respond("payment", payment_response(paidTotal=paid and Decimal(paid)))
    assert world.document()["processingStatus"] == status


def test_a_reversal_with_a_lower_total_opens_the_invoice_again(world: World) -> None:
    world.transfer()
    world.respond("payment", payment_response())
    reversal = payment_response(externalCode="payment-2", paidTotal=0, paymentReversalDocument="5121")
    world.respond("payment", reversal)
    document = world.document()
    assert (document["processingStatus"], document["paymentRevelsalDocument"]) == ("Transferred", "5121")
    assert [entry["paidTotal"] for entry in document["paymentResponses"]] == [Decimal("124"), 0]


def test_a_repeated_payment_is_409_even_while_the_first_is_under_way(world: World) -> None:
    world.transfer()
    world.post(f"{ONE}/paymentResponses", payment_response())
    reply = world.respond("payment", payment_response())
    assert (reply.status, reply.codes) == (409, ["CONFLICT_IN_POST"])
    assert world.respond("payment", payment_response()).status == 409


def test_several_payments_may_be_under_way(world: World) -> None:
    world.transfer()
    world.post(f"{ONE}/paymentResponses", payment_response(paidTotal=60))
    world.post(f"{ONE}/paymentResponses", payment_response(externalCode="payment-2"))
    world.clock.advance(60)
    assert world.document()["processingStatus"] == "Paid"


def test_payment_fields_left_out_are_cleared(world: World) -> None:
    world.transfer()
    world.respond("payment", payment_response(paymentMethod="BankTransfer", paymentTermCode="30", paidTotal=1))
    assert world.document()["paymentMethod"] == "BankTransfer"
    world.respond("payment", payment_response(externalCode="payment-2", paidTotal=2))
    assert "paymentMethod" not in world.document()


def test_an_unsuccessful_payment_changes_nothing_but_is_kept(world: World) -> None:
    world.transfer()
    world.respond("payment", payment_response(success=False))
    document = world.document()
    assert (document["processingStatus"], len(document["paymentResponses"])) == ("Transferred", 1)


def test_a_payment_without_a_date_is_dated_today(world: World) -> None:
    world.transfer()
    world.respond("payment", payment_response())
    assert world.document()["paymentResponses"][0]["paymentDate"].startswith("2026-05-06")


def test_the_latest_hundred_responses_are_kept(world: World) -> None:
    world.transfer()
    for number in range(102):
        world.post(f"{ONE}/paymentResponses", payment_response(externalCode=str(number), paidTotal=1))
    world.clock.advance(60)
    kept = [entry["externalCode"] for entry in world.document()["paymentResponses"]]
    assert (len(kept), kept[0], kept[-1]) == (100, "2", "101")


def test_a_move_to_an_unknown_status_or_of_an_unknown_invoice_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no such processingStatus"):
        world.sandbox.documents.move("inv-1", "Lost")
    with pytest.raises(ValueError, match="there is no invoice"):
        world.sandbox.documents.move("nope", "Paid")
    with pytest.raises(ValueError, match="exists already"):
        world.sandbox.documents.issue(invoice())
