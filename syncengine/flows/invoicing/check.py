"""Mapped and checked: everything that is wrong is said at once, to Basware too where it can be mended there."""

from __future__ import annotations

from collections.abc import Sequence

from syncengine.flows.desk import Continue, Step
from syncengine.flows.invoicing.adopt import adopt_or_ask
from syncengine.flows.invoicing.answers import Answered, refuse
from syncengine.flows.invoicing.case import FAILED, IN_PROGRESS, Case
from syncengine.flows.invoicing.gather import Prepared, prepare
from syncengine.flows.invoicing.steps import ask, stop_for
from syncengine.mapping import Problem
from syncengine.posting.document import Plan
from syncengine.posting.duplicates import look_up_marks
from syncengine.posting.matching import is_return
from syncengine.posting.problems import mendable_in_basware
from syncengine.posting.responses import sentence

FLAGS_OF_A_CHECK = ("bank_account_unknown", "open_down_payment", "text_cut")


def check(case: Case) -> Step:
    """acknowledged → checked, with the body that will be posted."""
    prepared = prepare(case)
    if prepared.problems or prepared.plan is None:
        return _report(case, prepared)
    if is_return(prepared.invoice) and not (case.terms.allow_unlinked_returns or case.memo("return_agreed")):
        message = "the credit note is for returned goods: posting it without a link to the return needs a yes"
        return ask("return", message, ("post", "reject"))
    return _checked(case, prepared.plan)


def _checked(case: Case, plan: Plan) -> Step:
    unlinked = {f"{entry}/{line}": net for entry, line, net in plan.unlinked}
    return Continue(
        stage="checked",
        target={"entity_set": plan.entity_set, **plan.body},
        memo={
            "plan": plan.to_dict(),
            "checked_at": case.desk.now.isoformat(),
            "unlinked_order_lines": unlinked or None,
        },
        flags=plan.flags,
        cleared_flags=tuple(flag for flag in FLAGS_OF_A_CHECK if flag not in plan.flags),
        notes=plan.notes,
    )


def _report(case: Case, prepared: Prepared) -> Step:
    """A false response only when a look-up shows nothing of this invoice in SAP (default-mapping.md).

    None in TransferFailed: Basware takes no response there (contracts: Basware §14.2), its clerk has read the first
    one and sends the invoice again once it is corrected. The record names today's problems.
    """
    seen = look_up_marks(case.desk.sap, case.invoice_id, case.terms)
    if seen:
        return adopt_or_ask(case, prepared.invoice, seen)
    mendable = mendable_in_basware(prepared.problems)
    if mendable and case.status == IN_PROGRESS:
        return tell_basware(case, prepared.problems, mendable)
    return stop_for(prepared.problems)


def tell_basware(case: Case, problems: Sequence[Problem], mendable: Sequence[Problem]) -> Step:
    """False with the first problems that can be mended there; the record names them all."""
    others = [problem for problem in problems if problem not in mendable]
    taken = refuse(case, sentence([*mendable, *others]))
    memo = {"status": FAILED} if taken is not Answered.REFUSED else None
    return stop_for(problems, memo=memo)
