"""Basware's five error shapes, and which outcome each answer is (contracts: Basware §4; design.md, the outcomes)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncengine.connectors.http import Response
from syncengine.connectors.outcomes import (
    ConnectorError,
    OutcomeUnknown,
    RecordError,
    Rejected,
    Throttled,
    Unauthenticated,
    Unavailable,
)

Clock = Callable[[], datetime]

REQUEST_ID_HEADER = "x-amzn-RequestId"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_FOUND = 404
TOO_LARGE = 413
_LONGEST_MESSAGE = 500
_LONGEST_CODE = 60
_SHOWN = 3

WRONG_URL_HINT = "Check the base URL of the Basware connection: scheme, host and region, without a path."


@dataclass(frozen=True)
class Fault:
    """What an error answer says. `own` = in the P2P API's own form, so Basware itself answered and knows what it did;
    `foreign` = something that is not JSON and does not come from Basware's gateway (a proxy's page, a wrong host)."""

    code: str = ""
    message: str = ""
    records: tuple[RecordError, ...] = ()
    request_id: str = ""
    own: bool = False
    foreign: bool = False


def read_fault(response: Response) -> Fault:
    """The fault in any of the five shapes, or in none of them; never raises."""
    request_id = response.header(REQUEST_ID_HEADER) or ""
    if not response.body.strip():
        return Fault(request_id=request_id)
    try:
        body = response.json()
    except ValueError:
        return Fault(request_id=request_id, foreign=not request_id)
    if not isinstance(body, Mapping):
        return Fault(message=_text(body), request_id=request_id)
    entries = _entries(body)
    return Fault(
        code=next((_code(entry.get("code")) for entry in entries if entry.get("code")), _code(body.get("error"))),
        message=_summary(entries) or _plain_message(body),
        records=tuple(map(_record_error, entries)),
        request_id=request_id or _text(body.get("requestId")),
        own="hasErrors" in body or isinstance(body.get("errors"), list),
    )


def request_id_of(response: Response) -> str | None:
    """The header, else the body's requestId (contracts: Basware §3.1); None when neither is there."""
    return read_fault(response).request_id or None


def records_refused(body: Any) -> tuple[RecordError, ...]:
    """The records that an accepted request nevertheless names as refused; whether Basware does that is unconfirmed."""
    return tuple(map(_record_error, _entries(body))) if isinstance(body, Mapping) else ()


def _entries(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = (body.get(name) for name in ("errors", "errorMessages", "detail"))
    found = next((value for value in lists if isinstance(value, list)), [])
    return [entry for entry in found if isinstance(entry, Mapping)]


def _record_error(entry: Mapping[str, Any]) -> RecordError:
    return RecordError(_text(entry.get("externalCode")), _code(entry.get("code")), _entry_message(entry))


def _entry_message(entry: Mapping[str, Any]) -> str:
    place = ".".join(map(str, entry["loc"])) if isinstance(entry.get("loc"), list) else ""
    said = _text(entry.get("message") or entry.get("msg") or entry.get("info") or entry.get("code"))
    return f"{place}: {said}" if place else said


def _summary(entries: list[Mapping[str, Any]]) -> str:
    shown = "; ".join(_entry_message(entry) for entry in entries[:_SHOWN])
    return f"{shown}; and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else shown


def _plain_message(body: Mapping[str, Any]) -> str:
    names = ("error_description", "message", "Message", "detail", "error")
    return next((_text(body[name]) for name in names if isinstance(body.get(name), str)), "")


def _code(value: Any) -> str:
    """A word for machines; an object where one should be is another server's way of talking."""
    return _text(value)[:_LONGEST_CODE] if isinstance(value, str | int) else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:_LONGEST_MESSAGE]


def throttled(response: Response, now: datetime) -> Throttled | None:
    """429, or 503 that says when to come back: Basware's fair use (contracts: Basware §17)."""
    after = response.retry_after(now)
    if response.status != 429 and (response.status != 503 or after is None):
        return None
    return Throttled("Basware asked for patience.", status=response.status, after=after)


@dataclass
class WriteJudge:
    """Judges the answer to a write: `fine` lists the statuses beyond 2xx that the caller deals with itself."""

    clock: Clock
    scope: str = ""
    fine: Collection[int] = ()

    def __call__(self, response: Response) -> ConnectorError | None:
        if response.status // 100 == 2:
            return self._accepted(response)
        if response.status in self.fine and not (read_fault(response).foreign and _is_page(response)):
            return None  # a word in plain text will do: the body of a 405 is not documented (contracts: Basware §4)
        return error_of(response, self.clock(), scope=self.scope, writes=True)

    @staticmethod
    def _accepted(response: Response) -> ConnectorError | None:
        """A page from somewhere in between is no acceptance; Basware's own "200 string" need not be JSON."""
        if response.header(REQUEST_ID_HEADER) is None and _is_page(response):
            return OutcomeUnknown(
                "A page instead of Basware's answer came back.", code="not_basware", status=200, hint=WRONG_URL_HINT
            )
        return None


@dataclass
class ReadJudge:
    """Judges the answer to a read and keeps the JSON that it parsed to judge, so that a page is parsed once.

    With `as_file` the answer is somebody's file, and nothing is parsed.
    """

    clock: Clock
    scope: str = ""
    fine: Collection[int] = ()
    body: Any = None
    as_file: bool = False

    def __call__(self, response: Response) -> ConnectorError | None:
        if response.status // 100 == 2:
            return self._parsed(response)
        if response.status in REDIRECTS and response.header("Location"):
            return None
        if response.status in self.fine and not read_fault(response).foreign:
            return None
        return self.refused(response)

    def _parsed(self, response: Response) -> ConnectorError | None:
        """JSON whatever the content type says (contracts: Basware §1); an empty body is no records."""
        if self.as_file:
            return None
        try:
            self.body = response.json() if response.body.strip() else None
        except ValueError:
            return _not_json(response)
        return None

    def refused(self, response: Response) -> ConnectorError:
        return error_of(response, self.clock(), scope=self.scope, writes=False)


class StorageRefused(Unavailable):
    """The pre-signed address is no longer (or not) honoured: asking Basware once more gives a fresh one."""


class StorageJudge(ReadJudge):
    """Judges what the document storage answers: XML errors of another system, and a 404 is never "no records"."""

    def refused(self, response: Response) -> ConnectorError:
        if patience := throttled(response, self.clock()):
            return patience
        kind = StorageRefused if response.status in {400, 403} else Unavailable
        return kind(
            f"Basware's document storage answered {response.status}.", code="storage_refused", status=response.status
        )


def _is_page(response: Response) -> bool:
    return response.body.lstrip().startswith(b"<")


def _not_json(response: Response) -> Unavailable:
    what = "a web page" if _is_page(response) else "something that is not JSON"
    return Unavailable(
        f"The address answered with {what} instead of Basware's JSON.",
        code="not_json",
        hint=WRONG_URL_HINT,
        status=response.status,
    )


def error_of(response: Response, now: datetime, *, scope: str, writes: bool) -> ConnectorError:
    """The outcome of an answer that is not fine."""
    if patience := throttled(response, now):
        return patience
    fault = read_fault(response)
    build = _BY_STATUS.get(response.status)
    if build is None and response.status >= 500:
        return _server_error(response, fault, writes=writes)
    if build is None and (fault.foreign or response.status // 100 == 3):
        return _not_basware(response, fault, scope)
    return (build or _rejected)(response, fault, scope)


def _server_error(response: Response, fault: Fault, *, writes: bool) -> ConnectorError:
    """5xx: only the API's own error object tells that a write did not go through."""
    if writes and not fault.own:
        return OutcomeUnknown(
            f"Basware answered {response.status} without saying what became of the request.",
            code=f"http_{response.status}",
            status=response.status,
        )
    return Unavailable(
        f"Basware answered {response.status}: {fault.message or 'no reason given'}",
        code=fault.code or f"http_{response.status}",
        hint=_quote(fault),
        status=response.status,
    )


def _not_basware(response: Response, _fault: Fault, _scope: str) -> ConnectorError:
    return Unavailable(
        f"Something that is not Basware's API answered {response.status}.",
        code="not_basware",
        hint=WRONG_URL_HINT,
        status=response.status,
    )


def _token_refused(response: Response, fault: Fault, _scope: str) -> ConnectorError:
    return Unauthenticated(
        f"Basware did not accept the access token. {fault.message}".strip(),
        code="token_not_accepted",
        status=response.status,
    )


def _forbidden(response: Response, fault: Fault, scope: str) -> ConnectorError:
    if fault.foreign:
        return _not_basware(response, fault, scope)
    return Rejected(
        f"Basware does not allow this client to do that. {fault.message}".strip(),
        code=fault.code or "forbidden",
        hint=f"Ask Basware to grant the scope {scope} to this client, then ping again." if scope else "",
        status=response.status,
        errors=fault.records,
    )


def _too_large(response: Response, _fault: Fault, _scope: str) -> ConnectorError:
    return Rejected(
        "The request is larger than Basware takes (6 MB).",
        code="too_large",
        hint="Send fewer or smaller records in one request.",
        status=response.status,
    )


def _timed_out(response: Response, _fault: Fault, _scope: str) -> ConnectorError:
    return Unavailable("Basware gave up waiting for the request.", code="http_408", status=response.status)


def _rejected(response: Response, fault: Fault, _scope: str) -> ConnectorError:
    return Rejected(
        f"Basware refused the request: {fault.message or f'status {response.status}'}",
        code=fault.code or f"http_{response.status}",
        hint=_quote(fault),
        status=response.status,
        errors=fault.records,
    )


def _quote(fault: Fault) -> str:
    return f"Basware's request id, for its support, is {fault.request_id}." if fault.request_id else ""


_BY_STATUS: Mapping[int, Callable[[Response, Fault, str], ConnectorError]] = {
    401: _token_refused,
    403: _forbidden,
    408: _timed_out,
    TOO_LARGE: _too_large,
}
