"""The one seam to the network: time-outs, outbound guard, limits, observation and redaction.

Nothing outside this seam imports an HTTP library (`wire` does). A connector hands in a `Request` and a judge;
the judge reads the answer and says which of the six outcomes it is (None means ok). Every call is
shown to the observer, with secrets blanked before anything is kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncengine.connectors.calls import (
    Judge,
    Limits,
    ObservedCall,
    Observer,
    Request,
    Response,
    Transport,
    utcnow,
)
from syncengine.connectors.guard import OutboundPolicy, check_url
from syncengine.connectors.outcomes import ConnectorError, Outcome, OutcomeUnknown, Rejected, Unavailable
from syncengine.connectors.redaction import Redactor
from syncengine.connectors.wire import Wire, WireFault

__all__ = [
    "HttpTransport",
    "Judge",
    "Limits",
    "ObservedCall",
    "Observer",
    "OutboundPolicy",
    "Request",
    "Response",
    "Transport",
    "utcnow",
]

log = logging.getLogger(__name__)

LONGEST_CODE = 60  # what a record and a run keep; the remote system may say anything


class HttpTransport:
    """The real `Transport`. One instance may be used by many threads.

    `secrets` are literal values that are blanked wherever they appear; `ca_certificate` is PEM text that is trusted
    beside the public CAs.
    """

    def __init__(
        self,
        system: str,
        *,
        policy: OutboundPolicy,
        limits: Limits = Limits(),  # noqa: B008  # frozen, so one instance for all is safe
        ca_certificate: str = "",
        observer: Observer | None = None,
        secrets: Sequence[str] = (),
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._system = system
        self._policy = policy
        self._wire = Wire(policy, limits, ca_certificate)
        self._redactor = Redactor(secrets, limits.capture_chars)
        self._observer = observer
        self._clock = clock

    def send(self, request: Request, judge: Judge) -> Response:
        """See `Transport.send`. Never sends twice, never follows a redirect."""
        attempt = _Attempt(request, self._clock(), time.monotonic())
        try:
            return self._run(attempt, judge)
        except WireFault as broken:
            attempt.fault = _as_outcome(broken, request)
            raise self._cleaned(attempt.fault) from None
        except ConnectorError as fault:
            attempt.fault = fault
            raise self._cleaned(fault) from None
        finally:
            self._observe(attempt)

    def _run(self, attempt: _Attempt, judge: Judge) -> Response:
        check_url(attempt.request.url, self._policy)
        attempt.response = self._wire.exchange(attempt.request)
        fault = judge(attempt.response)
        if fault:
            raise fault
        attempt.accepted = True
        return attempt.response

    def _observe(self, attempt: _Attempt) -> None:
        if self._observer is None:
            return
        try:
            self._observer(self._captured(attempt))
        except Exception:  # the call has happened: a broken audit sink must not change how it ended
            log.exception("The observer failed on a call to %s", self._system)

    def _captured(self, attempt: _Attempt) -> ObservedCall:
        redact, request, response = self._redactor, attempt.request, attempt.response
        sent_type = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
        call = ObservedCall(
            system=self._system,
            method=request.method,
            url=redact.url(request.url),
            status=None,
            outcome=attempt.outcome,
            started_at=attempt.started_at,
            duration_ms=round((time.monotonic() - attempt.started) * 1000),
            request_headers=redact.headers(request.headers.items()),
            request_body=redact.body(request.body, sent_type, request.secret_fields),
            response_headers={},
            response_body="",
            error=redact.text(f"{attempt.fault.code}: {attempt.fault.message}") if attempt.fault else "",
        )
        if response is None:
            return call
        received_type = response.header("content-type") or ""
        return replace(
            call,
            status=response.status,
            response_headers=redact.headers(response.headers),
            response_body=redact.body(response.body, received_type, request.secret_fields),
        )

    def _cleaned(self, fault: ConnectorError) -> ConnectorError:
        """The same error, told which side it came from, with no secret in its sentences: a server may echo them."""
        clean = self._redactor.text
        fault.system = self._system
        fault.message, fault.hint, fault.code = (
            clean(fault.message),
            clean(fault.hint),
            clean(fault.code)[:LONGEST_CODE],
        )
        if isinstance(fault, Rejected):
            fault.errors = tuple(replace(one, code=clean(one.code), message=clean(one.message)) for one in fault.errors)
        fault.args = (fault.message,)
        return fault


def _as_outcome(broken: WireFault, request: Request) -> ConnectorError:
    """A write that may have left is unknown; everything else changed nothing (contracts: SAP §3.5)."""
    if broken.sent and request.writes:
        return OutcomeUnknown(broken.message, code=broken.code, hint="It is looked up before anything is sent again.")
    return Unavailable(broken.message, code=broken.code, hint=broken.hint)


@dataclass
class _Attempt:
    """One call under way, filled in as it goes, so that it can be observed however it ends."""

    request: Request
    started_at: datetime
    started: float
    response: Response | None = None
    accepted: bool = False
    fault: ConnectorError | None = None

    @property
    def outcome(self) -> Outcome:
        """Unknown also stands when the judge itself broke."""
        if self.fault:
            return self.fault.outcome
        return Outcome.OK if self.accepted else Outcome.UNKNOWN
