"""Documents found in SAP: linked when they are ours beyond doubt, put before a person when they merely look like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.desk import AlreadyLinked, Continue, Posting, Step, Wait, note_failure
from syncengine.flows.invoicing.case import Case
from syncengine.flows.invoicing.steps import GO_ON, ask
from syncengine.mapping.text import as_text
from syncengine.posting.document import Plan
from syncengine.posting.duplicates import DRAFTS, Sighting, content_differences
from syncengine.posting.invoice import Invoice
from syncengine.posting.readback import Difference, differences

APPROVAL_POLL_SECONDS = 60.0


def adopt_or_ask(case: Case, invoice: Invoice, seen: Sequence[Sighting]) -> Step:
    """Rule 1: what carries our mark is ours; it is adopted when it is the document as it is now."""
    sighting = seen[0]
    if len(seen) > 1:
        names = ", ".join(other.describe() for other in seen)
        message = f"SAP holds this invoice {len(seen)} times: {names}"
        hint = "Cancel all but one in SAP, then press replay; or adopt the right one."
        return ask("marked", message, ("adopt",), hint=hint, memo=candidates(seen), flags=("possible_duplicate",))
    if sighting.entity_set == DRAFTS:
        return await_approval(case, sighting.document)
    found = content_differences(sighting, invoice, case.terms)
    if found:
        message = f"already in SAP as {sighting.describe()}, but the invoice has changed since: {'; '.join(found)}"
        hint = "Adopt what is in SAP, or cancel it there and press replay."
        return ask("marked", message, ("adopt",), hint=hint, memo=candidates(seen))
    return link(case, sighting.target_set, sighting.document, adopted=True)


def candidates(seen: Sequence[Sighting]) -> dict[str, Any]:
    """What a person may adopt, for the memo."""
    rows = [{"entity_set": one.entity_set, "entry": one.entry, "number": one.number} for one in seen]
    return {"candidates": rows}


def link(case: Case, entity_set: str, document: Mapping[str, Any], *, adopted: bool, verified: bool = True) -> Step:
    """checked → posted: this SAP document is this invoice, and no other invoice's."""
    posting = Posting(
        record_key=case.work.key,
        entity_set=entity_set,
        doc_entry=int(document["DocEntry"]),
        doc_num=int(document.get("DocNum") or 0),
        invoice_id=case.invoice_id,
        card_code=as_text(document.get("CardCode")),
        num_at_card=as_text(document.get("NumAtCard")),
        adopted=adopted,
    )
    try:
        case.desk.link(posting)
    except AlreadyLinked:
        message = f"SAP's document {posting.doc_num} belongs to another Basware invoice already"
        return ask("duplicate", message, ("post", "reject"))
    return Continue(
        stage="posted",
        memo=_posted_memo(document, verified=verified),
        target_keys=keys_of(posting),
        cleared_flags=("awaiting_approval",),
    )


def _posted_memo(document: Mapping[str, Any], *, verified: bool) -> dict[str, Any]:
    return {
        "verified": verified or None,
        "block": is_yes(document.get("PaymentBlock")),
        "trans_num": document.get("TransNum"),
        "unknown_since": None,
        "draft": None,
        "candidates": None,
        **GO_ON,
    }


def keys_of(posting: Posting) -> dict[str, Any]:
    return {"entity_set": posting.entity_set, "DocEntry": posting.doc_entry, "DocNum": posting.doc_num}


def link_posted(case: Case, plan: Plan, document: Mapping[str, Any]) -> Step:
    """Our own post, read back: linked, and held when SAP made something else of it."""
    found = differences(document, plan, case.terms)
    if found:
        step = link(case, plan.entity_set, document, adopted=False, verified=False)
        return hold(case, plan.entity_set, document, found, step) if isinstance(step, Continue) else step
    return link(case, plan.entity_set, document, adopted=False)


def hold(case: Case, entity_set: str, document: Mapping[str, Any], found: Sequence[Difference], linked: Step) -> Step:
    """Payment block at once, no answer to Basware: a person accepts it or cancels it in SAP."""
    not_blocked = "" if is_yes(document.get("PaymentBlock")) else _try_to_block(case, entity_set, document)
    past = case.desk.attempts("payment_block")
    ours = not not_blocked and any(attempt.key.endswith("/blocked") for attempt in past)
    number = document.get("DocNum")
    kinds = {difference.kind for difference in found}
    flags = ["total_differs"] if "amount" in kinds else []
    flags += ["coding_differs"] if "coding" in kinds else []
    message = f"SAP posted {number} differently: {'; '.join(difference.message for difference in found)}{not_blocked}"
    blocked = "Its payment is not blocked." if not_blocked else "Its payment is blocked."
    return ask(
        "difference",
        message,
        ("accept_difference",),
        hint=f"Accept the difference, or cancel the document in SAP and press replay. {blocked}",
        stage="posted",
        memo={**linked.memo, "blocked_by_us": ours or None},
        flags=tuple(flags),
        target_keys=linked.target_keys,
    )


def _try_to_block(case: Case, entity_set: str, document: Mapping[str, Any]) -> str:
    """What SAP says against it, for the person who has to look anyway; "" when it is blocked."""
    try:
        block(case, entity_set, int(document["DocEntry"]), blocked=True)
    except Rejected as error:
        return f"; SAP refused to block its payment: {error.message}"
    return ""


def block(case: Case, entity_set: str, entry: int, *, blocked: bool) -> None:
    """PATCH of a scalar: safe to repeat (contracts: SAP §3.5)."""
    body = {"PaymentBlock": "tYES" if blocked else "tNO"}
    word = "blocked" if blocked else "unblocked"
    intent = case.desk.announce("payment_block", f"{entity_set}/{entry}/{word}", body)
    try:
        case.desk.sap.update(entity_set, entry, body)
    except ConnectorError as error:
        note_failure(intent, error)
        raise
    intent.done()


def await_approval(case: Case, draft: Mapping[str, Any]) -> Step:
    """An approval procedure made a draft of it: nothing is posted yet (contracts: SAP §8.4)."""
    known = case.memo("draft") or {}
    approved = draft.get("AuthorizationStatus") == "dasApproved"
    since = (known.get("approved_since") or case.desk.now.isoformat()) if approved else None
    return Wait(
        seconds=APPROVAL_POLL_SECONDS,
        code="awaiting_approval",
        message=f"awaiting approval in SAP: draft {draft.get('DocEntry')}",
        hint="It goes on by itself once the draft is approved and added in SAP.",
        stage="checked",
        memo={
            "draft": {"entry": int(draft["DocEntry"]), "approved_since": since},
            "read_again": None,
            "decision": None,
        },
        flags=("awaiting_approval",),
    )
