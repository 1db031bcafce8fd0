"""Calls with a token: renewed once when refused, redirects followed by hand, pages by continuation token."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from syncengine.connectors.basware.errors import (
    NOT_FOUND,
    REDIRECTS,
    Clock,
    ReadJudge,
    StorageRefused,
    WriteJudge,
)
from syncengine.connectors.basware.settings import BaswareSettings
from syncengine.connectors.basware.storage import Storage
from syncengine.connectors.basware.tokens import Token, TokenSource
from syncengine.connectors.http import Judge, Request, Response, Transport
from syncengine.connectors.jsonio import dump_bytes
from syncengine.connectors.outcomes import ConnectorError, Rejected, Unauthenticated, Unavailable

CONTINUATION = "x-amz-meta-continuationtoken"
PAGE_CAP = 20_000

Query = Mapping[str, str | int | None]
_VERBS = {"GET": "read", "DELETE": "delete"}


@dataclass(frozen=True)
class Answer:
    """What a read gave: `body` is None when there is nothing (404); `continuation` is empty on the last page."""

    body: Any
    continuation: str = ""


def at(template: str, **values: str) -> str:
    """The path with its parameters percent-encoded: codes may hold `/`, blanks and `#` (contracts: Basware §3.2)."""
    return template.format(**{name: quote(value, safe="") for name, value in values.items()})


class Session:
    """Authorized calls of one connection. Never repeats a write, except the one that a refused token kept from it."""

    def __init__(self, settings: BaswareSettings, transport: Transport, tokens: TokenSource, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._tokens = tokens
        self._clock = clock
        self._storage = Storage(settings, transport, clock)

    def through(self, wrap: Callable[[Transport], Transport]) -> Session:
        """The same session and token, each call going through the wrapped transport."""
        return Session(self._settings, wrap(self._transport), self._tokens, self._clock)

    def reach(self) -> str:
        """Ask for something public without a token; any answer at all will do. Gives the address asked."""
        url = f"{self._settings.root}/.well-known/openid-configuration"
        self._transport.send(Request("GET", url, headers={"Accept": "application/json"}), _anything)
        return self._settings.root

    def get(self, path: str, query: Query | None = None, continuation: str = "") -> Answer:
        """Read; a storage address that is refused is asked for once more, since it may have run out (§3.4)."""
        url = self._url(path, query)
        try:
            return self._get_once(path, url, continuation)
        except StorageRefused:
            return self._get_once(path, url, continuation)

    def _get_once(self, path: str, url: str, continuation: str) -> Answer:
        judge = ReadJudge(self._clock, scope_of("GET", path), fine={NOT_FOUND})
        headers = {CONTINUATION: continuation} if continuation else {}
        request = Request("GET", url, headers=headers)
        response = self._authorized(request, judge, judge.scope)
        if response.status not in REDIRECTS:
            return Answer(judge.body, response.header(CONTINUATION) or "")
        fetched = self._storage.fetch(response, url)
        # Which of the answers carries the token is unconfirmed: the last one is asked first.
        found = (answer.header(CONTINUATION) for answer in fetched.answers)
        return Answer(fetched.body, next((token for token in found if token), ""))

    def file(self, path: str, most_bytes: int) -> Response | None:
        """A file as it is; None when there is none (404). Raises Unavailable `answer_too_large` beyond `most_bytes`."""
        try:
            return self._file_once(path, most_bytes)
        except StorageRefused:
            return self._file_once(path, most_bytes)

    def _file_once(self, path: str, most_bytes: int) -> Response | None:
        judge = ReadJudge(self._clock, scope_of("GET", path), fine={NOT_FOUND}, as_file=True)
        url = self._url(path)
        response = self._authorized(Request("GET", url, {"Accept": "*/*"}, most_bytes=most_bytes), judge, judge.scope)
        if response.status in REDIRECTS:
            return self._storage.fetch(response, url, most_bytes).answers[0]
        return None if response.status == NOT_FOUND else response

    def pages(self, path: str, query: Query | None = None) -> Iterator[Any]:
        """The body of each page. Identical parameters every time, the token in the request header only (§3.3)."""
        continuation = ""
        seen = {continuation}
        for _page in range(PAGE_CAP):
            answer = self.get(path, query, continuation)
            yield answer.body
            if not answer.continuation:
                return
            continuation = answer.continuation
            if continuation in seen:
                raise _never_ending("Basware gives the same page again and again.")
            seen.add(continuation)
        raise _never_ending(f"Basware gave {PAGE_CAP} pages and still more.")

    def post(self, path: str, payload: Any = None, *, fine: Collection[int] = ()) -> Response:
        """Write once. Statuses in `fine` come back for the caller to read."""
        body = b"" if payload is None else dump_bytes(payload)
        headers = {"Content-Type": "application/json"}
        request = Request("POST", self._url(path), headers=headers, body=body, writes=True)
        return self._write(request, path, fine)

    def delete(self, path: str, query: Query, *, fine: Collection[int] = ()) -> Response:
        return self._write(Request("DELETE", self._url(path, query), writes=True), path, fine)

    def _write(self, request: Request, path: str, fine: Collection[int]) -> Response:
        scope = scope_of(request.method, path)
        return self._authorized(request, WriteJudge(self._clock, scope, fine), scope)

    def _url(self, path: str, query: Query | None = None) -> str:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self._settings.root}{path}" + (f"?{urlencode(given, quote_via=quote)}" if given else "")

    def _authorized(self, request: Request, judge: Judge, scope: str) -> Response:
        """Send with the token; refused, once more with another (a 401 did nothing, so a write may go again)."""
        token = self._tokens.current()
        try:
            return self._send(request, judge, token)
        except Unauthenticated:
            token = self._tokens.current(refused=token)
        try:
            return self._send(request, judge, token)
        except Unauthenticated as error:
            raise _still_refused(error, token, scope) from error

    def _send(self, request: Request, judge: Judge, token: Token) -> Response:
        headers = {"Accept": "application/json", **request.headers, "Authorization": f"Bearer {token.access_token}"}
        return self._transport.send(replace(request, headers=headers), judge)


def _anything(_response: Response) -> None:
    return None


def scope_of(method: str, path: str) -> str:
    """The scope that a call needs: `/v1/vendors/…` written is `vendors.write` (contracts: Basware §2.3)."""
    return f"{path.split('/')[2].split('?', maxsplit=1)[0]}.{_VERBS.get(method, 'write')}"


def _still_refused(error: Unauthenticated, token: Token, scope: str) -> ConnectorError:
    """A fresh token was refused too: for want of a scope (its status is unconfirmed), else Basware is unwell."""
    if scope not in token.scope.split():
        return Rejected(
            f"Basware granted this client no scope {scope}.",
            code="missing_scope",
            hint=f"Ask Basware to grant the scope {scope} to this client, then ping again.",
            status=error.status,
        )
    return Unavailable(
        "Basware gives access tokens and then does not accept them.",
        code=error.code,
        hint="If this stays, ask Basware whether the client is active in this environment.",
        status=error.status,
    )


def _never_ending(message: str) -> Unavailable:
    return Unavailable(message, code="paging_loop", hint="Nothing was skipped; the read is tried again later.")
