"""Claiming a document: acknowledge it, and find out whose claim it is when somebody has done so before.

contracts: Basware §14.2: acknowledging is allowed once; 405 is no error when the claim is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from syncengine.connectors.outcomes import ConnectorError
from syncengine.flows.desk import Continue, Finished, Step, Stopped, Wait, note_failure
from syncengine.flows.invoicing.adopt import link
from syncengine.flows.invoicing.case import FAILED, IN_PROGRESS, MAYBE_DONE, TRANSFERRED, WAITING, Case
from syncengine.flows.invoicing.steps import GO_ON, READ_AGAIN, ask
from syncengine.mapping.text import as_text
from syncengine.posting.duplicates import DRAFTS, look_up_marks

ANSWER_POLL_SECONDS = 2.0

FORGOTTEN = (
    "plan",
    "asked",
    "candidates",
    "verified",
    "difference_accepted",
    "draft",
    "post_anyway",
    "take_over",
    "return_agreed",
    *GO_ON,
    "cancelled_in_sap",
)
"""What a new claim starts without."""


def claim(case: Case) -> Step:
    """WaitingForTransfer → ours, unless the document is one that a person must look at first."""
    special = special_reason(case.document)
    if special and not case.memo("take_over"):
        message = f"the document is not posted by itself: it is {special}"
        return ask("special", message, ("post", "close"), stage="received")
    held = case.holds_claim()
    if _acknowledge(case, held=held) or held:
        return Continue(stage="acknowledged", memo={**dict.fromkeys(FORGOTTEN), "status": IN_PROGRESS})
    return read_again(case)


def special_reason(document: Mapping[str, Any]) -> str:
    """Why a document goes to a person before it is claimed; "" for an ordinary one."""
    dispute = document.get("disputeInfo")
    reasons = (
        (document.get("prebooked"), "booked in SAP before (prebooked)"),
        (isinstance(dispute, Mapping) and dispute.get("isDisputed"), "disputed"),
        (document.get("removedBeforeTransfer"), "removed before its transfer"),
    )
    return next((reason for flag, reason in reasons if flag is True), "")


def _acknowledge(case: Case, *, held: bool) -> bool:
    """True when the document is ours now. A lost answer is no harm: asked again, it is 405 and the claim ours."""
    past = case.desk.attempts("acknowledge")
    ended = [attempt for attempt in past if attempt.state not in MAYBE_DONE]
    intent = case.desk.announce("acknowledge", f"{case.invoice_id}/{len(ended) + 1}", None)
    try:
        claimed = case.desk.basware.acknowledge(case.invoice_id)
    except ConnectorError as error:
        note_failure(intent, error, in_doubt=len(ended) < len(past))
        raise
    intent.done({"claimed": claimed or held})
    return claimed


def read_again(case: Case) -> Step:
    """The document as it is now, and what its status means for us."""
    document = case.desk.basware.document(case.invoice_id)
    if document is None:
        return Stopped(
            code="document_gone",
            message="Basware does not know this document any more",
            hint="Nothing was done. If it comes again, the record goes on.",
            memo=READ_AGAIN,
        )
    return by_status(case, document)


def by_status(case: Case, document: Mapping[str, Any]) -> Step:
    """default-mapping.md, "Replay": go on where the claim is or becomes ours, else stop and show."""
    status = as_text(document.get("processingStatus"))
    fresh: dict[str, Any] = {**GO_ON, "status": status}
    if status == WAITING:
        return Continue(source=document, stage="received", memo=fresh)
    if status == IN_PROGRESS and case.answer_under_way() is not None:
        message = "Basware has accepted our last answer and is still working on it"
        memo = {**READ_AGAIN, "status": status}
        return Wait(seconds=ANSWER_POLL_SECONDS, code="answer_under_way", message=message, memo=memo)
    if status == IN_PROGRESS and (case.holds_claim() or case.memo("take_over")):
        return _resume(case, document, fresh)
    if status == IN_PROGRESS:
        message = "the document was claimed before, and not by this integration: another consumer or a lost claim"
        return ask("claimed_elsewhere", message, ("post", "close"), source=document, memo={"status": status})
    if status == FAILED and case.desk.ctx.settings.post_from_failed:
        return _resume(case, document, fresh)
    if status in TRANSFERRED:
        return _transferred(case, document, fresh)
    return _stopped(status, document)


def _transferred(case: Case, document: Mapping[str, Any], fresh: Mapping[str, Any]) -> Step:
    stage = case.work.stage if case.work.stage == "paid" else "confirmed"
    finished = Finished(stage=stage, source=document, memo=fresh, cleared_flags=("send_again_in_basware",))
    if holds_our_voucher(case, document):
        return finished
    return _linked_again(case, document, finished) or _stopped(as_text(document.get("processingStatus")), document)


def _linked_again(case: Case, document: Mapping[str, Any], finished: Finished) -> Step | None:
    """Posted and told by us, and forgotten: the database was brought back from a backup that is older than that.

    The document in SAP with our mark and the number that Basware was told is the invoice; payments need the link.
    """
    if case.desk.posting() is not None:
        return None
    marked = look_up_marks(case.desk.sap, case.invoice_id, case.terms)
    told = as_text(document.get("voucherNumber1"))
    ours = [one for one in marked if one.entity_set != DRAFTS and str(one.number) == told]
    if len(ours) != 1:
        return None
    linked = link(case, ours[0].entity_set, ours[0].document, adopted=True)
    if not isinstance(linked, Continue):
        return linked
    note = f"posted as {told} and transferred before; found again in SAP by its mark"
    stage = "paid" if document.get("processingStatus") == "Paid" else "confirmed"
    memo = {**linked.memo, **finished.memo}
    return replace(finished, stage=stage, memo=memo, target_keys=linked.target_keys, notes=(note,))


def _resume(case: Case, document: Mapping[str, Any], memo: Mapping[str, Any]) -> Step:
    linked_now = case.memo("verified") or case.posted_under_this_claim()
    if case.desk.posting() is not None and linked_now:
        return Continue(source=document, stage="posted", memo={**memo, "verified": None})
    if case.open_post() is not None:
        return Continue(source=document, stage="checked", memo=memo)
    return Continue(source=document, stage="acknowledged", memo={**memo, "plan": None})


def holds_our_voucher(case: Case, document: Mapping[str, Any]) -> bool:
    """Whether Basware's document carries an answer of ours: the voucher number or the external code."""
    posting = case.desk.posting()
    codes = {attempt.key for attempt in case.answers()}
    for response in (document, *(document.get("transferResponses") or ())):
        if posting is not None and as_text(response.get("voucherNumber1")) == str(posting.doc_num):
            return True
        if response.get("externalCode") in codes and response.get("success") is True:
            return True
    return False


def _stopped(status: str, document: Mapping[str, Any]) -> Stopped:
    reasons = {
        FAILED: ("transfer_failed", "the transfer has failed in Basware", "Send the invoice again in Basware."),
        "Transferred": ("transferred_elsewhere", "the document was transferred, but not by this integration", ""),
        "Paid": ("transferred_elsewhere", "the document was transferred and paid, but not by this integration", ""),
    }
    other = ("status_not_ours", f"the document's status in Basware is {status or 'unknown'}", "Nothing was done.")
    code, message, hint = reasons.get(status, other)
    return Stopped(code=code, message=message, hint=hint, source=document, memo={**READ_AGAIN, "status": status})
