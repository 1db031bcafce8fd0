"""What keeps an invoice from being posted, and whether a person in Basware can mend it.

`success:false` goes to Basware only for what can be mended there (default-mapping.md, "Transfer response"); anything
else keeps the claim and waits in the portal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncengine.mapping import Problem

IN_BASWARE = "Correct it in Basware and send the invoice again, or mend it in SAP and press replay."
IN_SAP = "Mend it in SAP, then press replay."
IN_PORTAL = "Mend it in the portal, then press replay."

BASWARE_CODES = frozenset(
    {
        "account",
        "cost_center",
        "project",
        "vendor",
        "order",
        "quantity",
        "tax",
        "sums",
        "rows",
        "invoice_type",
        "required",
    }
)
"""Coding, vendor, order, quantity, tax, sums; and a required field that the document leaves empty."""


def basware_problem(path: str, message: str, code: str, hint: str = IN_BASWARE) -> Problem:
    """A problem that a person in Basware can mend; its code must be one of BASWARE_CODES."""
    return Problem(path, message, hint, code)


def portal_problem(path: str, message: str, code: str, hint: str = IN_PORTAL) -> Problem:
    """A problem that only the portal or SAP's administrator can mend."""
    return Problem(path, message, hint, code)


def mendable_in_basware(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.code in BASWARE_CODES]


def all_named(problems: Sequence[Problem]) -> str:
    """One sentence with every problem, for `error.message` (interface.md, records)."""
    return "; ".join(problem.message for problem in problems)
