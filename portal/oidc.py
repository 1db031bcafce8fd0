"""OpenID Connect as a relying party: authorization code with PKCE, state and nonce (OpenID Connect Core §3.1).

The issuer is typed by a customer: every call of ours goes through the outbound guard, small and short.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.urls import reverse

from portal.jose import BadToken, verified_claims
from syncengine.connectors.calls import Limits, Request, Response
from syncengine.connectors.guard import check_url
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.engine.connections import outbound_policy
from tenants.models import IdentityProvider

WELL_KNOWN = "/.well-known/openid-configuration"
_LIMITS = Limits(connect_timeout=5, read_timeout=10, body_timeout=10, max_body_bytes=512 * 1024)
_CLOCKS_DIFFER = 60
_END_OF_TIME = 2**53  # no clock goes there, and a float carries it
_A_LOG_IN_AGO = 300  # seconds: how old the log-in may be when we asked for a new one


class SignInFailed(Exception):
    """The provider's answer cannot be used; the message is for the person and the admin, and holds no secret."""


@dataclass(frozen=True)
class Started:
    """What the session remembers of a sign-in until the browser comes back."""

    state: str
    nonce: str
    verifier: str
    organization: int
    next: str
    afresh: bool  # a new log-in was asked for, to show who it is

    def as_session(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Person:
    """Whom the provider says it is."""

    issuer: str
    subject: str
    email: str


def start(organization: int, next_page: str, *, afresh: bool) -> Started:
    """A sign-in of its own: state, nonce and verifier of 256 random bits each."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Started(state, nonce, verifier, organization, next_page, afresh)


def redirect_uri() -> str:
    """Where the provider sends the browser back to; the admin enters it there."""
    return f"{settings.SITE_URL}{reverse('portal:sign-in-answer')}"


def authorization_url(provider: IdentityProvider, started: Started) -> str:
    """Where the browser goes. SignInFailed when the provider cannot be reached or says nothing of use."""
    endpoint = _endpoint(_metadata(provider), "authorization_endpoint")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(started.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "scope": "openid email",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(),
        "state": started.state,
        "nonce": started.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if started.afresh else {}),
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def person_of(provider: IdentityProvider, started: Started, code: str) -> Person:
    """Exchange the code, and check what the ID token says. SignInFailed with the reason."""
    metadata = _metadata(provider)
    token = _exchange(provider, metadata, started, code)
    keys = _call(Request("GET", _endpoint(metadata, "jwks_uri"))).get("keys")
    try:
        claims = verified_claims(token, [key for key in keys if isinstance(key, dict)] if keys else [])
        _check(claims, provider, started, time.time())
    except BadToken as bad:
        raise SignInFailed(f"The answer of the identity provider cannot be trusted: {bad}.") from None
    return Person(provider.issuer, str(claims["sub"]), str(claims["email"]).strip().lower())


def _metadata(provider: IdentityProvider) -> dict[str, Any]:
    """The provider's own description; it must be about the issuer that the admin entered (Discovery §4.3)."""
    found = _call(Request("GET", provider.issuer + WELL_KNOWN))
    if str(found.get("issuer", "")).rstrip("/") != provider.issuer:
        raise SignInFailed("The identity provider describes itself as another issuer than the one that was entered.")
    return found


def _endpoint(metadata: Mapping[str, Any], name: str) -> str:
    found = metadata.get(name)
    if not isinstance(found, str):
        raise SignInFailed(f"The identity provider names no {name}.")
    try:
        check_url(found, outbound_policy())
    except ConnectorError as error:
        raise SignInFailed(f"{name}: {error.message}") from None
    return found


def _exchange(provider: IdentityProvider, metadata: Mapping[str, Any], started: Started, code: str) -> str:
    """The ID token for the code, the client authenticated as the provider wants it (Core §9; basic by default)."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(),
        "code_verifier": started.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    secret = _secret(provider)
    methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in methods:
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749 §2.3.1
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": provider.client_id, "client_secret": secret}
    answer = _call(Request("POST", _endpoint(metadata, "token_endpoint"), headers, urlencode(form).encode()))
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise SignInFailed("The identity provider gave no ID token.")
    return token


def _secret(provider: IdentityProvider) -> str:
    try:
        return str(provider.client_secret["value"])
    except InvalidToken:
        raise SignInFailed("The client secret cannot be decrypted: an owner has to enter it again.") from None


def _check(claims: Mapping[str, Any], provider: IdentityProvider, started: Started, now: float) -> None:
    """OpenID Connect Core §3.1.3.7: from whom, for whom, how fresh, and for this very sign-in."""
    audience = claims.get("aud")
    audience = [audience] if isinstance(audience, str) else audience
    checks = {
        "it is from another issuer": str(claims.get("iss", "")).rstrip("/") == provider.issuer,
        "it is for another client": isinstance(audience, list) and provider.client_id in audience,
        "it was given to another client": claims.get("azp", provider.client_id) == provider.client_id,
        "it has expired": _seconds(claims, "exp") > now - _CLOCKS_DIFFER,
        "it is from the future": _seconds(claims, "iat") < now + _CLOCKS_DIFFER,
        "it answers another sign-in": _same(claims.get("nonce"), started.nonce),
        "it names nobody": _is_text(claims.get("sub"), 255),
        "it holds no e-mail address": _is_text(claims.get("email"), 254) and "@" in claims["email"],
        "its e-mail address is not verified": claims.get("email_verified", True) in (True, "true"),
        "the log-in was not made anew": not started.afresh or _seconds(claims, "auth_time") > now - _A_LOG_IN_AGO,
    }  # fmt: skip
    wrong = [words for words, holds in checks.items() if not holds]
    if wrong:
        raise BadToken("; ".join(wrong))


def _is_text(value: object, longest: int) -> bool:
    """Text that a database takes and a log shows as it is."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _same(given: object, expected: str) -> bool:
    return secrets.compare_digest(str(given).encode(errors="replace"), expected.encode())


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < _END_OF_TIME:
        raise BadToken(f"it has no time in {name}")
    return float(found)


def _call(request: Request) -> dict[str, Any]:
    """One small JSON object over the guarded seam; nothing of it is kept."""
    transport = HttpTransport("sign-in", policy=outbound_policy(), limits=_LIMITS)
    try:
        answer = transport.send(request, _judge)
        found = json.loads(answer.body)
    except ConnectorError as error:
        raise SignInFailed(f"The identity provider cannot be asked: {error.message}") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SignInFailed("The identity provider answered with something other than a JSON object.")
    return found


def _judge(answer: Response) -> ConnectorError | None:
    if answer.status == 200:
        return None
    return Rejected(f"it answered {answer.status}.", code="sign_in_refused")
