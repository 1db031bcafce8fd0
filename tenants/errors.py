"""What is wrong with what somebody entered, field by field, for forms and the API alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One bad field: its dotted path, a sentence for people, a code for machines."""

    field: str
    message: str
    code: str = "invalid"


class Refused(Exception):
    """Nothing was changed; `errors` names every field that is wrong."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


def refuse(field: str, message: str, code: str = "invalid") -> Refused:
    """The exception for a single bad field."""
    return Refused([FieldError(field, message, code)])
