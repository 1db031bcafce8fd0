"""The six ways a call to a remote system can end, as types (design.md, "The engine in one picture").

A call either returns its answer (*ok*) or raises one of the errors below. Each is named by what to do
next and carries a code for machines, a sentence for people and a hint how to mend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a call ended; stored with every logged call."""

    OK = "ok"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNAUTHENTICATED = "unauthenticated"
    UNKNOWN = "unknown"


class ConnectorError(Exception):
    """Base of every failed call: `code` for machines, `message` and `hint` for people.

    `system` is the side that failed (`sap_b1` or `basware`), set by the transport.
    """

    outcome: Outcome
    system: str = ""

    def __init__(self, message: str, *, code: str, hint: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.status = status


@dataclass(frozen=True)
class RecordError:
    """One record of a batch that the target refused at once (contracts: Basware §4)."""

    external_code: str
    code: str
    message: str


class Rejected(ConnectorError):
    """The target understood and refused: no automatic retry, a person or the mapping must change."""

    outcome = Outcome.REJECTED

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str = "",
        status: int | None = None,
        errors: Sequence[RecordError] = (),
    ) -> None:
        super().__init__(message, code=code, hint=hint, status=status)
        self.errors = tuple(errors)


class Throttled(ConnectorError):
    """The target asked for patience; `after` is in seconds, None when it did not say how long."""

    outcome = Outcome.THROTTLED

    def __init__(
        self, message: str, *, code: str = "throttled", hint: str = "", status: int | None = 429, after: float | None
    ) -> None:
        super().__init__(message, code=code, hint=hint, status=status)
        self.after = after


class Unavailable(ConnectorError):
    """Not reached, or no sensible answer to something that changed nothing: retry with backoff."""

    outcome = Outcome.UNAVAILABLE


class Unauthenticated(ConnectorError):
    """Session or token not accepted. `login_refused`: the credentials themselves were not; stop, tell a person."""

    outcome = Outcome.UNAUTHENTICATED

    def __init__(
        self, message: str, *, code: str, hint: str = "", status: int | None = None, login_refused: bool = False
    ) -> None:
        super().__init__(message, code=code, hint=hint, status=status)
        self.login_refused = login_refused


class OutcomeUnknown(ConnectorError):
    """A write was sent and may have happened: look before repeating."""

    outcome = Outcome.UNKNOWN
