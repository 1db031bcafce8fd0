"""posted → confirmed: read back if that is still due, then tell Basware the voucher number."""

from __future__ import annotations

from syncengine.flows.desk import AwaitAnswer, Continue, Finished, NeedsPerson, Posting, Step
from syncengine.flows.invoicing.adopt import hold, keys_of
from syncengine.flows.invoicing.answers import Answered, answer
from syncengine.flows.invoicing.cancelled import cancelled
from syncengine.flows.invoicing.case import FAILED, TRANSFERRED, Case
from syncengine.flows.invoicing.claim import holds_our_voucher
from syncengine.flows.invoicing.steps import READ_AGAIN, check_anew
from syncengine.mapping.text import as_text
from syncengine.posting.duplicates import DOWN_PAYMENTS
from syncengine.posting.invoice import CREDIT_NOTES
from syncengine.posting.readback import differences, select_for
from syncengine.posting.responses import transfer_success
from syncengine.posting.sap_values import YES, is_cancelled

SEND_AGAIN = "send_again_in_basware"
WORDS = {CREDIT_NOTES: "A/P credit note", DOWN_PAYMENTS: "A/P down payment"}


def confirm(case: Case) -> Step:
    """The success response, once the document in SAP is what it should be."""
    posting = case.desk.posting()
    if posting is None:
        return check_anew()
    if not case.memo("verified"):
        return _verify(case, posting)
    if case.status in TRANSFERRED:
        note = f"posted as {posting.doc_num}; Basware was told of an earlier document and takes no second answer"
        return Finished(
            stage="confirmed", notes=(note,), memo={"status": case.status}, cleared_flags=("cancelled_in_sap",)
        )
    return _tell(case, posting)


def _verify(case: Case, posting: Posting) -> Step:
    document = case.desk.sap.by_key(posting.entity_set, posting.doc_entry, select_for(case.terms))
    if document is None or is_cancelled(document):
        return cancelled(case, posting)
    seen = {"trans_num": document.get("TransNum"), "block": document.get("PaymentBlock") == YES}
    plan = case.plan
    as_posted = plan is None or posting.adopted or case.memo("difference_accepted")
    found = [] if plan is None or as_posted else differences(document, plan, case.terms)
    step = Continue(memo={**seen, "verified": True}, target_keys=keys_of(posting))
    return hold(case, posting.entity_set, document, found, step) if found else step


def _tell(case: Case, posting: Posting) -> Step:
    word = WORDS.get(posting.entity_set, "A/P invoice")
    told = answer(
        case,
        lambda code: transfer_success(
            code,
            word,
            posting.doc_num,
            case.memo("trans_num"),
            block=bool(case.memo("block")),
            system=case.desk.ctx.settings.source_system,
            now=case.desk.now,
        ),
    )
    if told is Answered.TAKEN:
        return AwaitAnswer(memo={"answered": True})
    return confirmed() if told is Answered.KNOWN else after_refusal(case, "")


def confirmed() -> Finished:
    return Finished(
        stage="confirmed",
        memo={"status": "Transferred", "answered": None, "plan": None},
        cleared_flags=(SEND_AGAIN, "cancelled_in_sap"),
    )


def after_refusal(case: Case, message: str) -> Step:
    """Basware did not take the success: it may know it already, or wants the invoice sent again (Basware §14.2)."""
    document = case.desk.basware.document(case.invoice_id) or {}
    status = as_text(document.get("processingStatus"))
    if status in TRANSFERRED and holds_our_voucher(case, document):
        return confirmed()
    if status == FAILED:
        note = "posted in SAP; Basware shows the transfer as failed: send it again there, it is then confirmed"
        return Finished(stage="posted", flags=(SEND_AGAIN,), notes=(note,), memo={**READ_AGAIN, "status": status})
    reason = message or next((past.message for past in reversed(case.answers()) if past.message), "no reason given")
    return NeedsPerson(
        code="answer_refused",
        message=f"posted in SAP, but Basware refused the answer ({reason}); the document is {status or 'gone'} there",
        hint="Look at the document in Basware, then press replay.",
        memo={**READ_AGAIN, "status": status},
    )


def settled(case: Case, *, accepted: bool, message: str) -> Step:
    """The asynchronous end of a transfer response (contracts: Basware §14.2, 7)."""
    if accepted:
        return confirmed() if case.desk.posting() is not None else Finished()
    return after_refusal(case, message)
