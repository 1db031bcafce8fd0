"""What can be wrong with a rule, and what can be wrong with one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a record from being sent: where, what is wrong, and where to mend it."""

    path: str
    message: str
    hint: str = ""
    code: str = "mapping"

    def to_dict(self) -> dict[str, str]:
        """The shape of interface.md's `problems`."""
        return {"path": self.path, "message": self.message, "hint": self.hint}


@dataclass(frozen=True)
class RuleProblem:
    """One bad rule: its index in the list, the field of the rule, and where in that field, counted from 0."""

    index: int
    field: str
    position: int | None
    message: str

    def to_dict(self) -> dict[str, object]:
        """The shape in which the API names a bad rule."""
        return {"index": self.index, "field": self.field, "position": self.position, "message": self.message}


class MappingRefused(ValueError):
    """The rules cannot be used; `problems` names every bad one."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__("; ".join(f"rule {problem.index + 1}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


class TooMuchWork(Exception):
    """An expression asks for more time or space than one record may take."""
