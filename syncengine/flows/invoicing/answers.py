"""Answering Basware: one external code per answer, stored before the call, the same for a repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from syncengine.connectors.outcomes import ConnectorError, OutcomeUnknown, Rejected
from syncengine.flows.invoicing.case import MAYBE_DONE, TAKEN, Case
from syncengine.posting.responses import next_code, transfer_failure

KIND = "transfer_response"
ENTITY_TYPE = "TransferResponse"


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
    past = {attempt.key: attempt.state for attempt in case.answers()}
    taken = {code for code, state in past.items() if state in TAKEN} | _codes_in(case.document)
    code = next_code(case.invoice_id, "transfer", taken)
    if past.get(code) in MAYBE_DONE and code in _codes_in(case.desk.basware.document(case.invoice_id)):
        case.desk.announce(KIND, code, make_body(code)).done({"found": True})
        return Answered.KNOWN
    body = make_body(code)
    intent = case.desk.announce(KIND, code, body, entity_type=ENTITY_TYPE)
    try:
        receipt = case.desk.basware.respond(case.invoice_id, "transferResponses", body)
    except OutcomeUnknown as error:
        intent.unknown(error.message)
        raise
    except Rejected as error:
        intent.refused(error.message)
        return Answered.REFUSED
    except ConnectorError as error:
        intent.refused(error.message)
        raise
    intent.done(request_id=receipt.request_id or "")
    return Answered.TAKEN if receipt.request_id else Answered.KNOWN


def refuse(case: Case, message: str) -> Answered:
    """`success:false` with a sentence for the clerk in Basware."""
    block = case.document.get("paymentBlock") is True
    system = case.desk.ctx.settings.source_system
    return answer(case, lambda code: transfer_failure(code, message, block=block, system=system))
