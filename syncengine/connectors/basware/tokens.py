"""The access token: fetched with the client's credentials, shared by all workers, renewed before it ends.

contracts: Basware §2.1. One token serves one connection; whoever needs a new one fetches it under the store's lock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol

from syncengine.connectors.basware.errors import WRONG_URL_HINT, Clock, ReadJudge, read_fault
from syncengine.connectors.basware.settings import BaswareSettings
from syncengine.connectors.client_credentials import Grant, token_request
from syncengine.connectors.http import Request, Response, Transport
from syncengine.connectors.outcomes import ConnectorError, Unauthenticated, Unavailable

MARGIN_SECONDS = 60
DEFAULT_LIFETIME = 3600
LONGEST_LIFETIME = 7 * 86_400
# The credentials themselves are not good, which only a person can mend.
REFUSED_CODES = frozenset({"invalid_client", "invalid_scope"})


@dataclass(frozen=True)
class Token:
    """An access token; `expires_at` is when we stop using it, which lies before Basware's own end."""

    access_token: str = field(repr=False)
    scope: str
    expires_at: datetime

    def to_dict(self) -> dict[str, str]:
        """For keeping, encrypted: plain JSON values."""
        return {**asdict(self), "expires_at": self.expires_at.isoformat()}

    @classmethod
    def from_dict(cls, kept: Mapping[str, str]) -> Token:
        return cls(kept["access_token"], kept["scope"], datetime.fromisoformat(kept["expires_at"]))


class TokenStore(Protocol):
    """Where all workers of a connection share its token."""

    def load(self) -> Token | None: ...

    def save(self, token: Token) -> None: ...

    def lock(self) -> AbstractContextManager[None]:
        """Held by the one who fetches; the others wait for it."""
        ...


class MemoryTokenStore:
    """A store for one process."""

    def __init__(self) -> None:
        self._token: Token | None = None
        self._lock = Lock()

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token) -> None:
        self._token = token

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield


class TokenSource:
    """Gives a usable token: the one in memory, the one in the store, or a fresh one."""

    def __init__(self, settings: BaswareSettings, transport: Transport, store: TokenStore, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._store = store
        self._clock = clock
        self._token: Token | None = None

    def current(self, refused: Token | None = None) -> Token:
        """A token with time left that is not the one just refused; fetched once, however many ask at once."""
        token = self._usable(self._token, refused) or self._usable(self._store.load(), refused)
        if token is None:
            with self._store.lock():
                token = self._usable(self._store.load(), refused) or self._fetch_and_save()
        self._token = token
        return token

    def _usable(self, token: Token | None, refused: Token | None) -> Token | None:
        if token is None or token.expires_at <= self._clock():
            return None
        return None if refused is not None and token.access_token == refused.access_token else token

    def _fetch_and_save(self) -> Token:
        token = self._fetch()
        self._store.save(token)
        return token

    def _fetch(self) -> Token:
        asked_at = self._clock()
        judge = _TokenJudge(self._clock)
        self._transport.send(self._request(), judge)
        answer = judge.body if isinstance(judge.body, Mapping) else {}
        if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
            raise Unavailable(
                "The token address answered without an access token.", code="no_token", hint=WRONG_URL_HINT
            )
        # An answer without a scope grants what was asked (RFC 6749 §5.1).
        scope = answer.get("scope") or " ".join(self._settings.asked_scopes)
        return Token(answer["access_token"], str(scope), asked_at + _usable_for(answer.get("expires_in")))

    def _request(self) -> Request:
        settings = self._settings
        grant = Grant(settings.token_endpoint, settings.client_id, settings.client_secret)
        return token_request(grant, settings.asked_scopes)


class _TokenJudge(ReadJudge):
    """The token address: 401 and invalid_scope are the credentials' fault; a redirect or 404 is a wrong address."""

    def __call__(self, response: Response) -> ConnectorError | None:
        return self._parsed(response) if response.status // 100 == 2 else self.refused(response)

    def refused(self, response: Response) -> ConnectorError:
        fault = read_fault(response)
        if response.status == 401 or (response.status == 400 and fault.code in REFUSED_CODES):
            return _login_refused(response.status, fault.code or "invalid_client", fault.message)
        if response.status == 404:
            return Unavailable(
                "There is no token service at this address (404).", code="not_basware", hint=WRONG_URL_HINT, status=404
            )
        return super().refused(response)


def _login_refused(status: int, code: str, message: str) -> Unauthenticated:
    scopes = code == "invalid_scope"
    return Unauthenticated(
        f"Basware refuses {'the scopes asked for' if scopes else 'the client id or the client secret'} ({message}).",
        code=code,
        hint=(
            "Ask Basware to grant the missing scopes, or list in the connection only those that were granted."
            if scopes
            else "Enter the client id and secret again; test and production have different ones."
        ),
        status=status,
        login_refused=True,
    )


def _usable_for(expires_in: Any) -> timedelta:
    """`expires_in` is in seconds, whatever its description says: less a minute, or half of a short life."""
    try:
        told = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        told = math.nan
    seconds = min(max(told, 0.0), LONGEST_LIFETIME) if math.isfinite(told) else DEFAULT_LIFETIME
    return timedelta(seconds=seconds / 2 if seconds < 2 * MARGIN_SECONDS else seconds - MARGIN_SECONDS)
