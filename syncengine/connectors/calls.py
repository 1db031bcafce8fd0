"""What passes through the seam to the network: requests, answers, and what the audit keeps of them.

Other modules import these names from `syncengine.connectors.http`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from syncengine.connectors import jsonio
from syncengine.connectors.outcomes import ConnectorError, Outcome

LONGEST_WAIT = 86_400.0


def utcnow() -> datetime:
    """The clock of everything in `connectors` unless a caller hands in another."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Limits:
    """Seconds and sizes of one call (interface.md, "Time-outs and delays").

    `read_timeout` is the patience for the first byte and between any two; `body_timeout` is for the whole body.
    `capture_chars` is how much of each body the audit keeps.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    body_timeout: float = 120.0
    max_body_bytes: int = 64 * 2**20
    capture_chars: int = 100_000


@dataclass(frozen=True)
class Request:
    """One call. `writes` decides what a lost answer means: OutcomeUnknown for a write, Unavailable for a read.

    `read_timeout` in seconds overrides the limit's (a SAP POST takes longer), `most_bytes` that on the answer's size.
    `secret_fields` names JSON or form fields that must never be kept, beside those that are always blanked (see
    `redaction`).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    writes: bool = False
    read_timeout: float | None = None
    secret_fields: frozenset[str] = frozenset()
    most_bytes: int | None = None


@dataclass(frozen=True)
class Response:
    """An answer as received. `headers` keeps every header line, repeated ones too (raw Set-Cookie lines)."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    url: str

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def header_lines(self, name: str) -> list[str]:
        """Every header line of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def retry_after(self, now: datetime) -> float | None:
        """Seconds to wait by Retry-After, given in seconds or as an HTTP date, a day at most.

        None when absent or unreadable.
        """
        value = (self.header("Retry-After") or "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value), LONGEST_WAIT)
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, IndexError):
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0.0, (aware - now).total_seconds()), LONGEST_WAIT)

    def json(self) -> Any:
        """The body as JSON, numbers as Decimal or int, free of a double's noise. Raises ValueError if it is no JSON."""
        return jsonio.loads(self.body, doubles=True)


@dataclass(frozen=True)
class ObservedCall:
    """What the audit keeps of one call: redacted, cut at the capture limit, ready to store."""

    system: str
    method: str
    url: str
    status: int | None
    outcome: Outcome
    started_at: datetime
    duration_ms: int
    request_headers: Mapping[str, str]
    request_body: str
    response_headers: Mapping[str, str]
    response_body: str
    error: str = ""


Judge = Callable[[Response], ConnectorError | None]
Observer = Callable[[ObservedCall], None]


class Transport(Protocol):
    """What connectors need of the network; `HttpTransport` is the real one."""

    def send(self, request: Request, judge: Judge) -> Response:
        """Send, observe, and return the answer when the judge finds no fault.

        Raises the judge's error; Unavailable when the other side was not reached or did not answer a read;
        OutcomeUnknown when a write was sent and no answer came.
        """
        ...
