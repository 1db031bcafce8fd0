"""A draft that waits for approval in SAP (contracts: SAP §8.4, "Approval procedures")."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from syncengine.connectors.sap_b1.literals import equals
from syncengine.flows.desk import Continue, Step
from syncengine.flows.invoicing.adopt import await_approval
from syncengine.flows.invoicing.answers import Answered, refuse
from syncengine.flows.invoicing.case import FAILED, IN_PROGRESS, Case
from syncengine.flows.invoicing.steps import ask, stop_for
from syncengine.mapping.text import as_text
from syncengine.posting.duplicates import DRAFTS
from syncengine.posting.problems import basware_problem
from syncengine.posting.sap_values import OPEN

PATIENCE = timedelta(days=1)
DRAFT = ("DocEntry", "DocNum", "CardCode", "NumAtCard", "DocumentStatus", "AuthorizationStatus")


def approval(case: Case) -> Step:
    """Look at the draft: still waiting, rejected, cancelled, or a document by now."""
    entry = int(case.memo("draft")["entry"])
    draft = case.desk.sap.by_key(DRAFTS, entry, DRAFT)
    if draft is None or draft.get("DocumentStatus") != OPEN:
        return Continue(memo={"draft": None}, cleared_flags=("awaiting_approval",))
    status = draft.get("AuthorizationStatus")
    if status == "dasRejected":
        return _rejected(case, entry)
    if status == "dasCancelled":
        message = f"draft {entry} was cancelled in SAP before it was approved"
        return ask("draft_cancelled", message, ("post", "reject"), **_over(case))
    if status == "dasApproved" and _approved_long_ago(case):
        message = f"draft {entry} was approved in SAP over a day ago, and nobody has added it"
        hint = "Add the draft in SAP, then press replay."
        return ask("approved_not_added", message, ("close",), hint=hint, memo={"draft": case.memo("draft")})
    return await_approval(case, draft)


def _approved_long_ago(case: Case) -> bool:
    since = case.memo("draft").get("approved_since")
    return bool(since) and case.desk.now - datetime.fromisoformat(since) > PATIENCE


def _over(case: Case) -> dict[str, Any]:
    """The draft is no more: what is posted next is a new posting."""
    return {"memo": {"draft": None, "round": case.round + 1}, "cleared_flags": ("awaiting_approval",)}


def _rejected(case: Case, entry: int) -> Step:
    """False to Basware with the approver's remark."""
    remark = _remark(case, entry)
    message = f"rejected in SAP's approval (draft {entry})" + (f": {remark}" if remark else "")
    over = _over(case)
    if case.status == IN_PROGRESS and refuse(case, f"Not posted: {message}.") is not Answered.REFUSED:
        over["memo"]["status"] = FAILED
    return stop_for([basware_problem("", message, "approval")], **over)


def _remark(case: Case, entry: int) -> str:
    rows = case.desk.sap.find(
        "ApprovalRequests",
        where=equals("DraftEntry", entry),
        select=("Code", "Status", "Remarks", "ApprovalRequestLines"),
        top=5,
    )
    remarks = [
        as_text(line.get("Remarks"))
        for row in rows
        for line in (*(row.get("ApprovalRequestLines") or ()), row)
        if as_text(line.get("Remarks"))
    ]
    return remarks[0] if remarks else ""
