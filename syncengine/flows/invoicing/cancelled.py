"""A posted document found cancelled in SAP: a person links its successor, posts again, or closes with a reason."""

from __future__ import annotations

from syncengine.flows.desk import Posting, Step
from syncengine.flows.invoicing.case import Case
from syncengine.flows.invoicing.steps import ask

DECISIONS = ("link_successor", "post", "close")


def cancelled(case: Case, posting: Posting | None) -> Step:
    """`posting` is the link that ends; None when the document was never linked."""
    if posting is not None:
        case.desk.mark_cancelled(posting)
    number = f" {posting.doc_num}" if posting else ""
    message = f"cancelled in SAP: the document{number} that was posted for this invoice"
    hint = "Link the document that replaced it (its DocNum), post the invoice again, or close it with a reason."
    memo = {"cancelled_in_sap": None, "verified": None, "plan": None}
    return ask("cancelled", message, DECISIONS, hint=hint, memo=memo, flags=("cancelled_in_sap",))
