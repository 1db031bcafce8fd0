"""OAuth 2.0 client credentials (RFC 6749 §4.4): the request for a token, and what a token service answers."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from syncengine.connectors.calls import Judge, Request, Response, Transport
from syncengine.connectors.outcomes import ConnectorError, Throttled, Unauthenticated, Unavailable

TOKEN_URL_HINT = "Check the token URL: the authorization server's administrator knows it."  # noqa: S105  # a sentence
_PATIENCE = 60.0


@dataclass(frozen=True)
class Grant:
    """A client at an authorization server."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()


def token_request(grant: Grant, scopes: Sequence[str]) -> Request:
    """The client shows itself by Basic authentication, which every server has to take (RFC 6749 §2.3.1)."""
    credentials = base64.b64encode(f"{grant.client_id}:{grant.client_secret}".encode()).decode()
    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
    return Request(
        "POST",
        grant.token_url,
        headers={
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        body=urlencode(form, quote_via=quote).encode(),
    )


def fetch_token(grant: Grant, transport: Transport) -> str:
    """A fresh access token. Raises Unauthenticated(login_refused=True) when the client is refused."""
    tokens: list[str] = []
    transport.send(token_request(grant, grant.scopes), _judge(grant, tokens))
    return tokens[-1]


def _judge(grant: Grant, tokens: list[str]) -> Judge:
    def judge(response: Response) -> ConnectorError | None:
        answer = _object(response)
        token = answer.get("access_token")
        if response.status == 200 and isinstance(token, str) and token.isascii() and token.isprintable() and token:
            tokens.append(token)
            return None
        return _fault(grant, response, str(answer.get("error") or ""))

    return judge


def _object(response: Response) -> dict[str, object]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fault(grant: Grant, response: Response, code: str) -> ConnectorError:
    status = response.status
    if status in {401, 403} or (status == 400 and code):
        return Unauthenticated(
            f"The authorization server refuses client {grant.client_id} ({code or f'HTTP {status}'}).",
            code="oauth_refused",
            hint="Check client id, client secret and scopes. Nothing is tried again until they change.",
            status=status,
            login_refused=True,
        )
    if status == 429:
        return Throttled("The authorization server asks for patience.", status=status, after=_PATIENCE)
    if status >= 500:
        return Unavailable(f"The authorization server answers HTTP {status}.", code=f"http_{status}", status=status)
    return Unavailable(
        f"There is no token service at the token URL (HTTP {status} without a token).",
        code="no_token",
        hint=TOKEN_URL_HINT,
        status=status,
    )
