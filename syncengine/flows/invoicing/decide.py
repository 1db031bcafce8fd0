"""What a person's decision means for the record at hand; which ones are open was said when they were asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncengine.connectors.sap_b1.literals import all_of, equals
from syncengine.flows.desk import Continue, Finished, Ignored, Step, Stopped
from syncengine.flows.invoicing.adopt import await_approval, block, link
from syncengine.flows.invoicing.answers import Answered, refuse
from syncengine.flows.invoicing.case import FAILED, IN_PROGRESS, Case
from syncengine.flows.invoicing.gather import read
from syncengine.flows.invoicing.steps import GO_ON, READ_AGAIN, ask, check_anew, stop_for
from syncengine.mapping.text import as_text
from syncengine.posting.amounts import LEAST_TOLERANCE
from syncengine.posting.duplicates import DRAFTS, look_up_marks
from syncengine.posting.invoice import CREDIT_NOTES, INVOICES
from syncengine.posting.problems import portal_problem
from syncengine.posting.readback import select_for, totals_of
from syncengine.posting.sap_values import NOT_CANCELLED


def decide(case: Case) -> Step:
    """The step that follows from `work.decision`."""
    decision = case.work.decision or {}
    return DECISIONS[as_text(decision.get("decision"))](case, decision)


def _adopt(case: Case, decision: Mapping[str, Any]) -> Step:
    """It is this one: the document that was shown, or the one of several that is named."""
    shown = [dict(one) for one in case.memo("candidates") or ()]
    wanted = decision.get("document")
    chosen = [one for one in shown if wanted in {None, one["number"]}]
    if len(chosen) != 1:
        message = "name the document to adopt by its DocNum: " + ", ".join(str(one["number"]) for one in shown)
        return ask(case.memo("asked") or "duplicate", message, ("adopt",), memo={"candidates": shown})
    one = chosen[0]
    document = case.desk.sap.by_key(one["entity_set"], one["entry"], select_for(case.terms))
    if document is None:
        return check_anew(candidates=None)
    if one["entity_set"] == DRAFTS:
        return await_approval(case, document)
    return link(case, one["entity_set"], document, adopted=True)


POST_MEANS: Mapping[str, Mapping[str, Any]] = {
    "duplicate": {"post_anyway": True},
    "special": {"take_over": True},
    "claimed_elsewhere": {"take_over": True},
    "return": {"return_agreed": True},
}


def _post(case: Case, _decision: Mapping[str, Any]) -> Step:
    """Go on: what was in doubt is settled, or the posting starts anew."""
    asked = as_text(case.memo("asked"))
    means = POST_MEANS.get(asked, {"round": case.round + 1})
    if asked == "special":
        return Continue(memo={**GO_ON, **means, "asked": None})
    return check_anew(**means, asked=None, unknown_since=None, candidates=None)


def _reject(case: Case, decision: Mapping[str, Any]) -> Step:
    shown = case.memo("candidates") or ()
    numbers = ", ".join(str(one["number"]) for one in shown)
    lead = f"Not posted: duplicate of {numbers} in SAP" if numbers else "Not posted: rejected"
    return _give_false(case, lead, decision, Stopped)


def _give_back(case: Case, decision: Mapping[str, Any]) -> Step:
    return _give_false(case, "Not posted: given back", decision, Ignored)


def _give_false(case: Case, lead: str, decision: Mapping[str, Any], end: Callable[..., Stopped]) -> Step:
    """False with the person's reason; never when something of this invoice is in SAP."""
    seen = look_up_marks(case.desk.sap, case.invoice_id, case.terms)
    posting = case.desk.posting()
    if seen or posting is not None:
        number = posting.doc_num if posting else seen[0].number
        message = f"it is in SAP as {number}: cancel it there before you give it back to Basware"
        return stop_for([portal_problem("", message, "in_sap")])
    reason = as_text(decision.get("reason"))
    if case.status == IN_PROGRESS and refuse(case, f"{lead}: {reason}." if reason else f"{lead}.") is Answered.REFUSED:
        return Continue(memo={**READ_AGAIN})
    message = f"answered to Basware: {lead}" + (f": {reason}" if reason else "")
    return end(code="given_back", message=message, memo={**READ_AGAIN, "status": FAILED})


def _booked_as(case: Case, decision: Mapping[str, Any]) -> Step:
    number = decision.get("document")
    found = booked(case, number)
    if found is None:
        return stop_for([portal_problem("booked_as", not_booked(case, number), "booked_as", "Check the DocNum.")])
    return link(case, *found, adopted=True)


def booked(case: Case, number: Any) -> tuple[str, dict[str, Any]] | None:
    """What was booked by hand: a DocNum that SAP shows for this vendor, in this currency, with this sum."""
    invoice = read(case)
    for entity_set in (invoice.entity_set, INVOICES if invoice.entity_set == CREDIT_NOTES else CREDIT_NOTES):
        for document in _by_number(case, entity_set, number, invoice.card_code):
            gross = totals_of(document, foreign=invoice.foreign).gross
            same_sum = invoice.gross is None or abs(gross - invoice.gross) <= LEAST_TOLERANCE
            if same_sum and as_text(document.get("DocCurrency")) == invoice.currency:
                return entity_set, document
    return None


def not_booked(case: Case, number: Any) -> str:
    """Why nothing was found."""
    invoice = read(case)
    return f"SAP has no document {number} of vendor {invoice.card_code} over {invoice.gross} {invoice.currency}"


def _by_number(case: Case, entity_set: str, number: Any, card_code: str) -> list[dict[str, Any]]:
    if number is None:
        return []
    where = all_of(equals("DocNum", int(number)), equals("CardCode", card_code), equals("CancelStatus", NOT_CANCELLED))
    return case.desk.sap.find(entity_set, where=where, select=select_for(case.terms), top=5)


def _accept_difference(case: Case, _decision: Mapping[str, Any]) -> Step:
    """The document stays as SAP made it; the payment block that we set because of it is lifted."""
    posting = case.desk.posting()
    if posting is None:
        return check_anew()
    memo = {**GO_ON, "verified": True, "difference_accepted": True, "asked": None}
    if case.memo("blocked_by_us"):
        block(case, posting.entity_set, posting.doc_entry, blocked=False)
        memo |= {"blocked_by_us": None, "block": False}
    return Continue(stage="posted", memo=memo)


def _link_successor(case: Case, decision: Mapping[str, Any]) -> Step:
    """The document that replaced the cancelled one, by its DocNum."""
    invoice, number = read(case), decision.get("document")
    found = _by_number(case, invoice.entity_set, number, invoice.card_code)
    if len(found) != 1:
        message = f"SAP has no open document {number} of vendor {invoice.card_code}" if number else "name its DocNum"
        return ask("cancelled", message, ("link_successor", "post", "close"))
    step = link(case, invoice.entity_set, found[0], adopted=True)
    if not isinstance(step, Continue):
        return step
    note = f"replaced in SAP by {number}"
    memo = {**step.memo, "asked": None}
    if case.status in {IN_PROGRESS, FAILED}:
        return Continue(stage="posted", memo=memo, target_keys=step.target_keys, notes=(note,))
    return Finished(
        stage="confirmed", memo=memo, target_keys=step.target_keys, notes=(note,), cleared_flags=("cancelled_in_sap",)
    )


def _close(_case: Case, decision: Mapping[str, Any]) -> Step:
    reason = as_text(decision.get("reason")) or "no reason given"
    return Stopped(code="closed", message=f"closed by a person: {reason}", memo=READ_AGAIN)


DECISIONS: Mapping[str, Callable[[Case, Mapping[str, Any]], Step]] = {
    "adopt": _adopt,
    "post": _post,
    "reject": _reject,
    "accept_difference": _accept_difference,
    "link_successor": _link_successor,
    "close": _close,
    "give_back": _give_back,
    "booked_as": _booked_as,
}
