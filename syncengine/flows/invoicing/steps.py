"""The answers of the invoice flow's steps that several of them give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncengine.flows.desk import Continue, NeedsPerson
from syncengine.mapping import Problem
from syncengine.posting.problems import all_named

READ_AGAIN: Mapping[str, Any] = {"read_again": True, "replay": None, "decision": None}
"""Memo of every stop: whoever starts the record again gets the document as it is then."""

GO_ON: Mapping[str, Any] = {"read_again": None, "replay": None, "decision": None}
"""Memo of whoever has just looked at the document, or has decided."""


def ask(
    asked: str,
    message: str,
    decisions: Sequence[str],
    *,
    hint: str = "Decide on the record's page.",
    memo: Mapping[str, Any] | None = None,
    **step: Any,
) -> NeedsPerson:
    """Put before a person; `asked` is remembered, so that their decision finds its meaning."""
    kept = {**READ_AGAIN, **(memo or {}), "asked": asked}
    return NeedsPerson(code="needs_decision", message=message, hint=hint, decisions=tuple(decisions), memo=kept, **step)


def stop_for(problems: Sequence[Problem], *, memo: Mapping[str, Any] | None = None, **step: Any) -> NeedsPerson:
    """Failed with every problem named; the stage stays, replay goes on from here."""
    hints = list(dict.fromkeys(problem.hint for problem in problems if problem.hint))
    return NeedsPerson(
        code="problems",
        message=all_named(problems),
        hint=" ".join(hints[:3]),
        problems=tuple(problems),
        memo={**READ_AGAIN, **(memo or {})},
        **step,
    )


def check_anew(**memo: Any) -> Continue:
    """Back to the check, with the document as it is stored."""
    return Continue(stage="acknowledged", memo={**GO_ON, "plan": None, **memo})
