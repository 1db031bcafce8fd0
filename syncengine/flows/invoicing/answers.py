"""Answering Basware: one external code per answer, stored before the call, the same for a repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from syncengine.connectors.outcomes import ConnectorError, OutcomeUnknown, Rejected
from syncengine.flows.desk import Intent, note_failure
from syncengine.flows.invoicing.case import IN_PROGRESS, MAYBE_DONE, TAKEN, Case
from syncengine.posting.responses import next_code, transfer_failure

KIND = "transfer_response"
ENTITY_TYPE = "TransferResponse"
MOST_LOOKS = 20


class Answered(Enum):
    """TAKEN: accepted, settled later. KNOWN: an earlier try had arrived after all. REFUSED: Basware did not take it."""

    TAKEN = auto()
    KNOWN = auto()
    REFUSED = auto()


def _codes_in(document: Mapping[str, Any] | None) -> set[str]:
    responses = (document or {}).get("transferResponses") or ()
    return {str(response.get("externalCode")) for response in responses}


def answer(case: Case, make_body: Callable[[str], dict[str, Any]]) -> Answered:
    """Send one transfer response. Raises what the engine retries; a repeat then carries the same code."""
    past = {attempt.key: attempt for attempt in case.answers()}
    # One that failed later had a request id: its code is used up as well.
    taken = {code for code, one in past.items() if one.state in TAKEN or one.request_id} | _codes_in(case.document)
    code = next_code(case.invoice_id, "transfer", taken)
    in_doubt = code in past and past[code].state in MAYBE_DONE
    if in_doubt and code in _codes_in(case.desk.basware.document(case.invoice_id)):
        case.desk.announce(KIND, code, make_body(code)).done({"found": True})
        return Answered.KNOWN
    body = make_body(code)
    under_way = case.answer_under_way()
    if under_way is not None and (under_way.payload or {}).get("success") == body["success"]:
        return Answered.TAKEN  # a crash came between Basware's yes and ours
    intent = case.desk.announce(KIND, code, body, entity_type=ENTITY_TYPE)
    try:
        receipt = case.desk.basware.respond(case.invoice_id, "transferResponses", body)
    except Rejected as error:
        return _refused(case, intent, error, in_doubt=in_doubt)
    except ConnectorError as error:
        note_failure(intent, error, in_doubt=in_doubt)
        raise
    intent.done(request_id=receipt.request_id or "")
    return Answered.TAKEN if receipt.request_id else Answered.KNOWN


def _refused(case: Case, intent: Intent, error: Rejected, *, in_doubt: bool) -> Answered:
    """A repeat is refused as well while Basware still works on the first try, whose answer was lost: that is no no."""
    if in_doubt:
        document = case.desk.basware.document(case.invoice_id) or {}
        if intent.key in _codes_in(document):
            intent.done({"found": True})
            return Answered.KNOWN
        if document.get("processingStatus") == IN_PROGRESS and case.work.attempts < MOST_LOOKS:
            intent.unknown(error.message)
            raise in_doubt_of(error) from error
    intent.refused(error.message)
    return Answered.REFUSED


def in_doubt_of(error: Rejected) -> OutcomeUnknown:
    message = f"Basware may still be working on the answer that was lost, and takes no second one: {error.message}"
    return OutcomeUnknown(message, code="answer_in_doubt", hint="It is looked at again by itself.")


def refuse(case: Case, message: str) -> Answered:
    """`success:false` with a sentence for the clerk in Basware."""
    block = case.document.get("paymentBlock") is True
    system = case.desk.ctx.settings.source_system
    return answer(case, lambda code: transfer_failure(code, message, block=block, system=system))
