"""Reading the Service Layer's error answers, in every shape they come in (contracts: SAP §2.1, §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncengine.connectors.calls import Response, utcnow
from syncengine.connectors.outcomes import (
    ConnectorError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from syncengine.connectors.sap_b1.hints import hint_for
from syncengine.connectors.sap_b1.settings import SapSettings

RAW_CHARS = 2000
NOT_FOUND = -2028
CONFLICT = -2039
BUSINESS = -5002
LOGIN_CLASH = 299
BROKEN_NODE = 407

_SESSION_TEXT = re.compile(r"invalid session|session already timeout|session (has )?(expired|timed out)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
# SAP looked at the request and said no: final, whatever HTTP status carries it (contracts: SAP §3.3).
_FINAL = frozenset(
    {201, -1000, -1002, -1004, NOT_FOUND, -2035, -10, -1116, -4002, -4013, BUSINESS, -6006, -5006, 220, 242}
    | {701, 702, 703, 704}
)  # fmt: skip
_LOGIN_AGAIN_AFTER = 60.0  # a login refused for an unclear reason may be a licence limit (contracts: SAP §2)


@dataclass(frozen=True)
class SapFault:
    """An error answer, normalised. `is_sap` tells SAP's own error object from a proxy's page or an empty body."""

    http_status: int
    code: int | None
    message: str
    raw: str
    is_sap: bool = False


class SapRejected(Rejected):
    """SAP refused, with its own code; `fault` has its words and the field in brackets."""

    def __init__(self, fault: SapFault) -> None:
        super().__init__(
            fault.message or f"SAP refused this with HTTP {fault.http_status} and no explanation.",
            code=f"sap_{fault.code}" if fault.code is not None else f"http_{fault.http_status}",
            hint=hint_for(fault.code, fault.message),
            status=fault.http_status,
        )
        self.fault = fault


class Doubt(StrEnum):
    """What an error answer says of the session that the call used."""

    NONE = "none"
    LOST = "lost"
    MAYBE = "maybe"


def normalise(response: Response) -> SapFault:
    """Any answer as a fault: v1's object and v2's string, HTML, text and nothing at all."""
    try:
        data = response.json()
    except ValueError:
        data = None
    return fault_of(response, data)


def fault_of(response: Response, data: Any) -> SapFault:
    """`normalise` for a body that is parsed already."""
    raw = response.text[:RAW_CHARS]
    error = error_object(data)
    if error is None:
        return SapFault(response.status, None, _plain_words(raw), raw)
    code = _code(error.get("code"))
    # API gateways wear the same shape with the HTTP status as code; that is not SAP speaking.
    is_sap = code is not None and not (code == response.status and code >= 500)
    return SapFault(response.status, code, _message(error.get("message")), raw, is_sap)


def error_object(data: Any) -> Mapping[str, Any] | None:
    """The `error` of an answer that has one, v1's `odata.error` too."""
    if not isinstance(data, dict):
        return None
    error = data.get("error", data.get("odata.error"))
    return error if isinstance(error, dict) and ("code" in error or "message" in error) else None


def doubt_of(fault: SapFault, *, is_login: bool = False) -> Doubt:
    """Whether the session is gone, by status and code, by text only in SAP's own words (contracts: SAP §3.2)."""
    if is_login:
        return Doubt.NONE
    if fault.http_status == 401 or fault.code in {301, -301, -304}:
        return Doubt.LOST
    if fault.is_sap and _SESSION_TEXT.search(fault.message):
        return Doubt.LOST
    return Doubt.MAYBE if fault.code == BUSINESS else Doubt.NONE


def error_of(fault: SapFault, response: Response, *, writes: bool) -> ConnectorError:
    """The outcome of an answer that is not one of success and says nothing of the session."""
    if fault.http_status == 429:
        return Throttled("SAP's server asks to wait.", after=response.retry_after(utcnow()))
    if fault.is_sap:
        return _sap_error(fault)
    if fault.http_status == 413:
        return Rejected(
            "The request is larger than SAP's server takes.",
            code="too_large",
            hint="Attach a smaller file, or raise the limit of SAP's web server (50 MiB by default).",
            status=413,
        )
    return _foreign_error(fault, writes=writes)


def _sap_error(fault: SapFault) -> ConnectorError:
    passing = fault.code == CONFLICT or fault.http_status == 412 or fault.http_status >= 500
    if fault.code in _FINAL or not passing:
        return SapRejected(fault)
    return Unavailable(
        fault.message or f"SAP answered with error {fault.code}.",
        code=f"sap_{fault.code}",
        hint=hint_for(fault.code, fault.message),
        status=fault.http_status,
    )


def _foreign_error(fault: SapFault, *, writes: bool) -> ConnectorError:
    """Not SAP's own language. A write behind it may have happened, unless the request was turned away (3xx, 4xx)."""
    status = fault.http_status
    code = "not_json" if status < 300 else f"http_{status}"
    words = f": {fault.message}" if fault.message else ""
    if writes and (status < 300 or status >= 500 or status == 408):
        return OutcomeUnknown(
            f"Instead of SAP a proxy or a broken node answered with HTTP {status}{words}.",
            code=code,
            hint="It is looked up in SAP before anything is sent again.",
            status=status,
        )
    return Unavailable(f"{_what_answered(fault)}{words}.", code=code, hint=_foreign_hint(status), status=status)


def _what_answered(fault: SapFault) -> str:
    kind = "nothing" if not fault.raw.strip() else "something that is not the Service Layer's JSON"
    return f"The server answered HTTP {fault.http_status} with {kind}"


def _foreign_hint(status: int) -> str:
    if status >= 500:
        return "SAP's server or the proxy before it is in trouble; it is tried again by itself."
    if 300 <= status < 400:
        return "The server redirects elsewhere: enter the address that it redirects to as base URL."
    return "Check the base URL: it must be the whole service root, such as https://sap.example.com:50000/b1s/v2"


def login_error(fault: SapFault, response: Response, settings: SapSettings) -> ConnectorError:
    """The outcome of a failed Login (contracts: SAP §2.1). Only -304 and -306 are refusals of the credentials."""
    if fault.code == -306 or (fault.code == -304 and not settings.oauth):
        return _refused_login(fault, settings)
    unknown_path = fault.code in {301, -301} and not (settings.oauth and settings.has_exact_path)
    if unknown_path or (fault.http_status == 404 and not settings.has_exact_path):
        return Unavailable(
            f"SAP does not know this path ({fault.message or 'HTTP 404'}): its upper and lower case are wrong.",
            code="path_case",
            hint="Paths are case sensitive: the base URL must end in /b1s/v2, in lower case.",
            status=fault.http_status,
        )
    if settings.oauth and fault.http_status in {400, 401, 403}:
        return _token_not_taken(fault, settings)
    if not fault.is_sap:
        return error_of(fault, response, writes=False)
    if fault.code == LOGIN_CLASH:
        return Unavailable(
            f"SAP could not log in several users at once: {fault.message}",
            code="login_clash",
            hint="It is tried again by itself.",
            status=fault.http_status,
        )
    return Throttled(
        f"SAP did not log in: {fault.message} ({fault.code})",
        code="login_failed",
        hint="If it stays, check licence and company database in SAP; it is tried again after a minute.",
        status=fault.http_status,
        after=_LOGIN_AGAIN_AFTER,
    )


def _refused_login(fault: SapFault, settings: SapSettings) -> Unauthenticated:
    """The same text for both: only the code tells them apart."""
    if fault.code == -304:
        code, message = "login_refused", f"SAP refused user {settings.username}: {fault.message}"
        hint = "Check user name and password. Nothing is tried again until they change: SAP locks users."
    else:
        code, message = "company_unknown", f"SAP does not know company database {settings.company_db}: {fault.message}"
        hint = "Enter the database name (such as SBO_ACME_FI), not the company's name. Upper and lower case matter."
    return Unauthenticated(message, code=code, hint=hint, status=fault.http_status, login_refused=True)


def _token_not_taken(fault: SapFault, settings: SapSettings) -> Unauthenticated:
    """A token that was granted a moment ago: how SAP refuses one is unconfirmed, so any of these refusals counts."""
    return Unauthenticated(
        f"SAP does not take the token of {settings.user}: {fault.message or f'HTTP {fault.http_status}'}",
        code="token_not_taken",
        hint="SAP must offer OAuth (10.0 FP 2305 or later) and bind this client to a user of the company.",
        status=fault.http_status,
        login_refused=True,
    )


def _code(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"-?\d{1,12}", text) else None


def _message(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    return str(value).strip() if value else ""


def _plain_words(raw: str) -> str:
    """What a person can read of a foreign body: the title of a page, or a short text."""
    title = _TITLE.search(raw)
    if title:
        return " ".join(title[1].split())[:200]
    return "" if "<" in raw or "{" in raw else " ".join(raw.split())[:200]
