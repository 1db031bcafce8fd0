"""checked → posted: look first, post once, believe nothing before it is read back.

The whole step runs under the lock for (service root, company database, vendor, number), which holds across
integrations. A post whose outcome is unknown is looked for as LOOKUP_DELAYS say, and posted again only after
REPOST_AFTER and one more look (contracts: SAP §3.5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syncengine.connectors.outcomes import ConnectorError, OutcomeUnknown, Rejected
from syncengine.connectors.sap_b1.answers import Created
from syncengine.flows.desk import Continue, PastAttempt, Step, Wait
from syncengine.flows.invoicing.adopt import adopt_or_ask, await_approval, candidates, link_posted
from syncengine.flows.invoicing.cancelled import cancelled
from syncengine.flows.invoicing.case import MAYBE_DONE, Case
from syncengine.flows.invoicing.gather import read
from syncengine.flows.invoicing.steps import ask, check_anew, stop_for
from syncengine.mapping.text import as_text
from syncengine.posting.document import Plan
from syncengine.posting.duplicates import (
    DRAFTS,
    Sighting,
    is_ours_after_all,
    look_up,
    look_up_marks,
    normalised,
)
from syncengine.posting.invoice import INVOICES, Invoice
from syncengine.posting.problems import IN_SAP, portal_problem
from syncengine.posting.readback import is_ours, select_for
from syncengine.posting.sap_values import CANCELLED, is_cancelled

CHECK_LASTS = timedelta(minutes=15)
NO_MATCHING_RECORD = "sap_-2028"
SAP_CODES = {"sap_-4013": "period", "sap_-6006": "authorisation", "sap_-4002": "numbering"}


def post(case: Case) -> Step:
    """One look, and what follows from it: adopt, wait, ask, or post."""
    plan = case.plan
    if plan is None:
        return check_anew()
    sap = case.desk.sap.settings
    number = normalised(as_text(plan.body["NumAtCard"]))
    with case.desk.posting_lock(sap.root.lower(), sap.company_db, as_text(plan.body["CardCode"]), number):
        return _post_locked(case, plan)


def _post_locked(case: Case, plan: Plan) -> Step:
    if case.posted_under_this_claim():
        return Continue(stage="posted", memo={"verified": None})
    invoice = read(case)
    open_post = case.open_post()
    if open_post is not None and open_post.state not in MAYBE_DONE:
        return find_posted(case, plan, (open_post.answer or {}).get("DocEntry"), open_post)
    seen = look_up(case.desk.sap, invoice, case.terms, case.facts.down_payments(invoice.card_code))
    if seen.marked:
        return _ours(case, plan, invoice, seen.marked, open_post)
    linked = _linked_and_alive(case)
    if linked is not None:
        return adopt_or_ask(case, invoice, [linked])
    if open_post is not None:
        since = open_post.started_at.date()
        ours = [one for one in seen.same_number if is_ours_after_all(one, invoice, case.terms, since)]
        if len(ours) == 1:
            return _found(case, plan, ours[0], open_post)
    if seen.same_number and not case.memo("post_anyway"):
        return _ask_duplicate(case, seen.same_number)
    if open_post is not None and (wait := _until_next_look(case, open_post)):
        return wait
    return _post_unless_lookalike(case, plan, invoice, seen.elsewhere)


def _ours(case: Case, plan: Plan, invoice: Invoice, seen: Sequence[Sighting], open_post: PastAttempt | None) -> Step:
    """What carries our mark: the document of an unanswered post of ours is judged as if SAP had just answered."""
    if open_post is not None and len(seen) == 1 and seen[0].entity_set == plan.entity_set:
        return _found(case, plan, seen[0], open_post)
    return adopt_or_ask(case, invoice, seen)


def _found(case: Case, plan: Plan, sighting: Sighting, open_post: PastAttempt) -> Step:
    """The look-up says how the post in doubt ended."""
    found = {"found": True, "DocEntry": sighting.entry, "DocNum": sighting.number}
    case.desk.announce("post", open_post.key, open_post.payload).done(found)
    return link_posted(case, plan, sighting.document)


def _linked_and_alive(case: Case) -> Sighting | None:
    """A document linked before that lives on without its mark (somebody edited Comments) must not be posted again."""
    posting = case.desk.posting()
    if posting is None:
        return None
    document = case.desk.sap.by_key(posting.entity_set, posting.doc_entry, select_for(case.terms))
    if document is not None and not is_cancelled(document):
        return Sighting(posting.entity_set, document, "mark")
    case.desk.mark_cancelled(posting)
    return None


def _ask_duplicate(case: Case, seen: Sequence[Sighting]) -> Step:
    names = ", ".join(one.describe() for one in seen)
    message = f"already in SAP as {names}"
    hint = "Decide: it is this one (adopt), another one (post), or a duplicate (reject)."
    return ask("duplicate", message, ("adopt", "post", "reject"), hint=hint, memo=candidates(seen))


def _until_next_look(case: Case, open_post: PastAttempt | None) -> Wait | None:
    """How long to wait before the next look; None when that was the last one."""
    moments = [case.moment("unknown_since"), open_post.started_at if open_post else None]
    since = max((moment for moment in moments if moment), default=case.desk.now)
    delays = case.desk.ctx.delays
    elapsed = (case.desk.now - since).total_seconds()
    due = next((delay for delay in (*delays.lookups, delays.repost_after) if delay > elapsed), None)
    return None if due is None else _wait_for_answer(since, due - elapsed)


def _wait_for_answer(since: datetime, seconds: float) -> Wait:
    return Wait(
        seconds=max(seconds, 0.01),
        code="outcome_unknown",
        message="SAP did not answer the posting; it is looked for before anything is sent again",
        hint="It goes on by itself.",
        memo={"unknown_since": since.isoformat()},
    )


def _post_unless_lookalike(case: Case, plan: Plan, invoice: Invoice, elsewhere: Sequence[Sighting]) -> Step:
    """Rule 3: the same number and sum under another vendor is flagged, and held when it is the same company."""
    if not elsewhere:
        return _post_now(case, plan, ())
    codes = [as_text(one.document.get("CardCode")) for one in elsewhere]
    vendors = case.facts.vendors([invoice.card_code, *codes])
    tax_id = as_text(vendors.get(invoice.card_code, {}).get("FederalTaxID"))
    same = [code for code in codes if tax_id and as_text(vendors.get(code, {}).get("FederalTaxID")) == tax_id]
    flags = ("possible_duplicate",)
    if same and not case.memo("post_anyway"):
        names = ", ".join(f"{one.describe()} of vendor {code}" for one, code in zip(elsewhere, codes, strict=True))
        message = f"the same number and sum is in SAP as {names}, a vendor with the same tax number {tax_id}"
        return ask("duplicate", message, ("adopt", "post", "reject"), memo=candidates(elsewhere), flags=flags)
    return _post_now(case, plan, flags)


def _post_now(case: Case, plan: Plan, flags: Sequence[str]) -> Step:
    checked = case.moment("checked_at")
    if checked is None or case.desk.now - checked > CHECK_LASTS:
        return check_anew()
    number = len(case.posts()) + 1
    intent = case.desk.announce("post", f"{case.round}.{number}", {"entity_set": plan.entity_set, "body": plan.body})
    try:
        created = case.desk.sap.create(plan.entity_set, plan.body)
    except OutcomeUnknown as error:
        intent.unknown(error.message)
        return _with_flags(_wait_for_answer(case.desk.now, case.desk.ctx.delays.lookups[0]), flags)
    except Rejected as error:
        return _refused(case, plan, error, intent.refused)
    except ConnectorError as error:
        intent.refused(error.message)
        raise
    intent.done(_answer(created))
    entry = None if created.entity_set == DRAFTS else created.key
    return _with_flags(find_posted(case, plan, entry, None), flags)


def _answer(created: Created) -> dict[str, object]:
    record = created.record or {}
    kept: dict[str, object] = {
        name: record.get(name) for name in ("DocEntry", "DocNum", "TransNum", "DocTotal") if name in record
    }
    if created.entity_set == DRAFTS:
        kept = {"draft": kept.get("DocEntry")}
    return {**kept, "status": created.status, "entity_set": created.entity_set}


def _with_flags(step: Step, flags: Sequence[str]) -> Step:
    return replace(step, flags=(*step.flags, *flags)) if flags else step


def _refused(case: Case, plan: Plan, error: Rejected, refused: Callable[[str], None]) -> Step:
    """SAP's no. With -2028 an approval procedure may have stored a draft all the same (contracts: SAP §8.4)."""
    if error.code == NO_MATCHING_RECORD:
        drafts = [one for one in look_up_marks(case.desk.sap, case.invoice_id, case.terms) if one.entity_set == DRAFTS]
        if drafts:
            refused(f"{error.message} (a draft was stored)")
            return await_approval(case, drafts[0].document)
    refused(error.message)
    code = SAP_CODES.get(error.code, "sap_refused")
    message = f"SAP refused the {'invoice' if plan.entity_set == INVOICES else 'credit note'}: {error.message}"
    return stop_for([portal_problem("", message, code, error.hint or IN_SAP)])


def find_posted(case: Case, plan: Plan, entry: object, answered: PastAttempt | None) -> Step:
    """The document of a post that SAP has answered: by its key if it is ours, else by our mark, drafts included."""
    if entry is not None:
        document = case.desk.sap.by_key(plan.entity_set, int(str(entry)), select_for(case.terms))
        if document is not None and is_ours(document, plan, case.terms):
            if document.get("CancelStatus") == CANCELLED:
                return cancelled(case, None)
            return link_posted(case, plan, document)
    for sighting in look_up_marks(case.desk.sap, case.invoice_id, case.terms):
        if sighting.entity_set == DRAFTS:
            return await_approval(case, sighting.document)
        if sighting.entity_set == plan.entity_set:
            return link_posted(case, plan, sighting.document)
    return _vanished(case, answered)


def _vanished(case: Case, answered: PastAttempt | None) -> Step:
    """SAP said yes and shows nothing: looked for as long as after a lost answer, then a person's turn."""
    wait = _until_next_look(case, answered)
    if wait is not None:
        return wait
    message = "SAP accepted the posting, but neither the document nor a draft of it can be found"
    return ask("vanished", message, ("post", "close"), hint="Look for it in SAP before you post it again.")
