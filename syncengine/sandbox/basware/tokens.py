"""Access tokens: who may call what, for how long (contracts: Basware §2)."""

import base64
import binascii
import datetime as dt
import json
import secrets
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from syncengine.sandbox.basware.calls import Refusal
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, json_response

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret-0001"  # noqa: S105  published: it opens nothing but this sandbox
FORM_TYPE = "application/x-www-form-urlencoded"
ACCOUNT_ID = "020779-TEST1"

_DATA_APIS = [
    "accountingDocuments",
    "vendors",
    "accounts",
    "costCenters",
    "paymentTerms",
    "taxCodes",
    "projects",
    "exchangeRates",
    "lists",
    "matchingOrders",
    "matchingOrderLines",
    "requestStatus",
    "errorFeedbacks",
    "subscriptions",
]
KNOWN_SCOPES = frozenset(
    {f"{api}.{right}" for api in _DATA_APIS for right in ("read", "write", "delete")}
    | {"tasks.read", "taskStatus.read"}
)


@dataclass(frozen=True)
class Token:
    client: str
    scopes: frozenset[str]
    expires: dt.datetime


class TokenDesk:
    """Gives out tokens and recognises them. They live in memory: after a restart every client asks again."""

    def __init__(self, switches: Switches, client_secret: str = CLIENT_SECRET) -> None:
        self._switches = switches
        self._credentials = (CLIENT_ID, client_secret)
        self._tokens: dict[str, Token] = {}

    def issue(self, request: SandboxRequest, now: dt.datetime) -> SandboxResponse:
        """``POST /v1/tokens``: Basic authentication and a form, the only call that is not JSON."""
        if request.header("content-type").partition(";")[0].strip().lower() != FORM_TYPE:
            return _unreadable("Expected a form.")
        if basic_credentials(request.header("authorization")) != self._credentials:
            return json_response(HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"})
        form = {name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        for name in ("grant_type", "scope"):
            if name not in form:
                return _bad_request("invalid_request", f"{name} field required")
        if form["grant_type"] != "client_credentials":
            return _bad_request("unsupported_grant_type", "use client_credentials")
        return self._grant(frozenset(form["scope"].split()), now)

    def check(self, request: SandboxRequest, scope: str, now: dt.datetime) -> str:
        """The client behind a call. Raises Refusal: 401 without valid credentials, 403 without the scope.

        Basic authentication with the API user is the older alternative and knows no scopes.
        """
        authorization = request.header("authorization")
        if authorization.startswith("Basic "):
            if basic_credentials(authorization) != self._credentials:
                raise Refusal(HTTPStatus.UNAUTHORIZED, "CREDENTIAL_VALIDATION_ERROR", "Wrong user or password.")
            return CLIENT_ID
        token = self._tokens.get(authorization.removeprefix("Bearer "))
        if token is None or token.expires <= now:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "ACCESS_TOKEN_VALIDATION_ERROR", "Access token missing or expired.")
        if scope not in token.scopes:
            raise Refusal(HTTPStatus.FORBIDDEN, "ACCESS_TOKEN_VALIDATION_ERROR", f"The token lacks the scope {scope}.")
        return token.client

    def expire_all(self) -> int:
        """Ends every token given out so far."""
        ended = len(self._tokens)
        self._tokens.clear()
        return ended

    def _grant(self, asked: frozenset[str], now: dt.datetime) -> SandboxResponse:
        allowed = self._switches.allowed_scopes
        granted = asked if allowed is None else asked & set(allowed)
        if asked - KNOWN_SCOPES or not granted:
            return _bad_request("invalid_scope", f"not granted: {' '.join(sorted(asked - KNOWN_SCOPES or asked))}")
        lifetime = self._switches.token_lifetime
        expires = now + dt.timedelta(seconds=lifetime)
        text = _jwt(granted, now, expires)
        self._tokens[text] = Token(CLIENT_ID, granted, expires)
        scope = " ".join(sorted(granted))
        return json_response(
            HTTPStatus.OK, {"access_token": text, "scope": scope, "expires_in": lifetime, "token_type": "Bearer"}
        )


def basic_credentials(header: str) -> tuple[str, str] | None:
    """User and password of a Basic header; None when it is none."""
    if not header.startswith("Basic "):
        return None
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return user, password


def _jwt(scopes: frozenset[str], now: dt.datetime, expires: dt.datetime) -> str:
    # Shaped like the real one, but signed by nobody: clients treat it as opaque, and only this process accepts it.
    claims = {
        "sub": CLIENT_ID,
        "scope": " ".join(sorted(scopes)),
        "iss": "https://api.basware.com",
        "aud": "OpenAPI",
        "iat": int(now.timestamp()),
        "exp": int(expires.timestamp()),
        "auth_time": int(now.timestamp()),
        "jti": str(uuid.uuid4()),
        "bwcid": ACCOUNT_ID,
    }
    return f"{_part({'alg': 'RS256', 'typ': 'at+jwt'})}.{_part(claims)}.{secrets.token_urlsafe(48)}"


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _bad_request(error: str, description: str) -> SandboxResponse:
    return json_response(HTTPStatus.BAD_REQUEST, {"error": error, "error_description": description})


def _unreadable(message: str) -> SandboxResponse:
    detail = [{"loc": ["body"], "msg": message, "type": "value_error"}]
    return json_response(HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": detail})
