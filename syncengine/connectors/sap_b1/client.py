"""The Service Layer as the product uses it: reads, documents, actions, on a session that is kept alive by itself.

Every call ends as one of the six outcomes (`connectors.outcomes`). A call is repeated here only when SAP has
answered that the session was at fault, and then once: nothing was done (contracts: SAP §3.2). A write without an
answer is never repeated here (§3.5).
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from syncengine.connectors import jsonio
from syncengine.connectors.calls import Request, Response, Transport, utcnow
from syncengine.connectors.client_credentials import fetch_token
from syncengine.connectors.outcomes import (
    ConnectorError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from syncengine.connectors.sap_b1 import literals
from syncengine.connectors.sap_b1.answers import Answer, Created, as_record, judge_call, judge_login
from syncengine.connectors.sap_b1.faults import BROKEN_NODE, NOT_FOUND
from syncengine.connectors.sap_b1.keeper import SessionKeeper
from syncengine.connectors.sap_b1.paging import Page, Query, Row, check_link, keyset_pages, linked_pages, next_link
from syncengine.connectors.sap_b1.session import MemorySessionStore, SapSession, SessionStore, session_of
from syncengine.connectors.sap_b1.settings import SapSettings

T = TypeVar("T")
LOGIN_TRIES = 3
CONFLICT_TRIES = 3
_PAGE = 100
_MOST_TERMS = 19  # of a filter on a list of keys, and the URL it may grow to (contracts: SAP §4)
_MOST_URL = 2000


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    body: Any = None
    writes: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class SapB1:
    """A client of one company database. May be used by several threads; `sessions` shares the login among workers."""

    def __init__(
        self,
        settings: SapSettings,
        transport: Transport,
        sessions: SessionStore | None = None,
        *,
        clock: Callable[[], datetime] = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.server_time: datetime | None = None
        self._clock = clock
        self._sleep = sleep
        self._keeper = SessionKeeper(sessions or MemorySessionStore(), self._log_in, clock)

    # --- reading

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        page_size: int | None = None,
        case_insensitive: bool = False,
    ) -> Any:
        """The parsed answer of a GET below the service root."""
        query = literals.query_string(params or {})
        headers = _read_headers(page_size, case_insensitive=case_insensitive)
        return self._call(_Call("GET", f"{path}?{query}" if query else path, headers=headers)).data

    def pages(
        self,
        entity_set: str,
        *,
        key: str,
        select: Sequence[str],
        where: str = "",
        page_size: int = 100,
        after: str | int | None = None,
    ) -> Iterator[list[Row]]:
        """All rows in pages, in key order, by keyset (contracts: SAP §5). `after` goes on behind a key received."""
        chosen = tuple(dict.fromkeys((key, *select)))
        query = Query(entity_set, chosen, where, page_size=max(page_size, 1))
        return keyset_pages(self._page, query, key, after)

    def find(
        self,
        entity_set: str,
        *,
        where: str,
        select: Sequence[str],
        top: int = 100,
        order_by: str = "",
        case_insensitive: bool = False,
    ) -> list[Row]:
        """At most `top` rows that match, over as many pages as the server makes of them.

        More than one page is asked for in the order of the first field selected, unless another is named: without an
        order SAP's pages may overlap and leave gaps (contracts: SAP §5).
        """
        query = Query(
            entity_set,
            tuple(select),
            where,
            order_by=order_by or (select[0] if top > _PAGE else ""),
            top=top,
            page_size=min(top, _PAGE),
            case_insensitive=case_insensitive,
        )
        return [row for rows in linked_pages(self._page, query) for row in rows][:top]

    def by_key(self, entity_set: str, key: literals.Key, select: Sequence[str] = ()) -> Row | None:
        """One record, None when SAP says that there is none."""
        try:
            row = self.get(literals.entity_path(entity_set, key), {"$select": ",".join(select)})
        except Rejected as fault:
            if fault.code == f"sap_{NOT_FOUND}" or fault.status == 404:
                return None
            raise
        return as_record(row)

    def by_keys(self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]) -> list[Row]:
        """The records with these values of a field, asked for in filters short enough for SAP."""
        chosen = tuple(dict.fromkeys((key_name, *select)))
        # A field that is no key may have any number of rows for a value, and so several pages.
        order = f"{key_name},{select[0]}" if select and select[0] != key_name else ""
        base = Query(entity_set, chosen, order_by=order, page_size=_PAGE)
        room = _MOST_URL - len(f"{self.settings.root}/{base.path}")
        found: list[Row] = []
        for where in _filters(key_name, dict.fromkeys(keys), room):
            query = replace(base, where=where)
            found.extend(row for rows in linked_pages(self._page, query) for row in rows)
        return found

    def contains(self, field_name: str, text: str) -> str:
        """A filter for text anywhere in a field, in the words of this server's version."""
        return literals.contains(field_name, text, v1=self.settings.is_v1)

    # --- writing

    def create(self, entity_set: str, body: Mapping[str, Any]) -> Created:
        """POST a record. What SAP answered is not proof yet: read it back (contracts: SAP §8.4)."""
        return Created.of(self._call(_Call("POST", entity_set, body, writes=True)))

    def update(
        self, entity_set: str, key: literals.Key, body: Mapping[str, Any], *, data_version: int | None = None
    ) -> None:
        """PATCH a record; with `data_version` only if nobody changed it since (else Unavailable `sap_-2039`)."""
        headers = {} if data_version is None else {"If-Match": literals.etag(data_version)}
        call = _Call("PATCH", literals.entity_path(entity_set, key), body, writes=True, headers=headers)
        tries = CONFLICT_TRIES if data_version is None else 1
        retry_conflict(lambda: self._call(call), sleep=self._sleep, tries=tries)

    def upload(self, name: str, content: bytes, entry: int | None = None) -> int | None:
        """A file into the company's attachments folder, as a new entry of Attachments2 or a line of `entry` (§8.7).

        Gives the entry, None when SAP's answer does not name it. `name` is plain ASCII with an extension.
        """
        body, headers = multipart(name, content)
        path = "Attachments2" if entry is None else literals.entity_path("Attachments2", entry)
        call = _Call("POST" if entry is None else "PATCH", path, body, writes=True, headers=headers)
        made = Created.of(self._call(call))
        found = (made.record or {}).get("AbsoluteEntry") or made.key
        return entry or (found if isinstance(found, int) else None)

    def action(self, entity_set: str, key: literals.Key, name: str, body: Mapping[str, Any] | None = None) -> None:
        """`PurchaseInvoices(4711)/Cancel` and the like."""
        call = _Call("POST", f"{literals.entity_path(entity_set, key)}/{name}", body, writes=True)
        retry_conflict(lambda: self._call(call), sleep=self._sleep)

    def service(self, name: str, body: Mapping[str, Any] | None = None, *, writes: bool = False) -> Any:
        """POST of a service such as `CompanyService_GetAdminInfo`; most of them only read."""
        return self._call(_Call("POST", name, body, writes=writes)).data

    def now(self) -> datetime:
        """Our own clock."""
        return self._clock()

    # --- sessions

    def login(self) -> SapSession:
        """Open a new session whatever there is."""
        return self._keeper.fresh()

    def logout(self) -> None:
        """End the session at SAP, where open ones count; one that is gone already is no error."""
        session = self._keeper.store.load()
        if session is None:
            return
        self._keeper.drop(session)
        try:
            self._send(_Call("POST", "Logout"), session, last=True)
        except ConnectorError:
            return

    def private(self) -> SapB1:
        """The same client on a session of its own, for a ping: it neither uses nor disturbs the shared one."""
        own = MemorySessionStore(lock_of=self._keeper.store)
        return SapB1(self.settings, self.transport, own, clock=self._clock, sleep=self._sleep)

    def _log_in(self) -> SapSession:
        for _ in range(LOGIN_TRIES - 1):
            try:
                return self._log_in_once()
            except Unavailable as fault:
                if fault.code != "login_clash":
                    raise
                self._sleep(random.uniform(1, 5))  # noqa: S311  # spreads workers, protects nothing
        return self._log_in_once()

    def _log_in_once(self) -> SapSession:
        """By user and password, else by a fresh token: a session that is lost takes a new one with it."""
        settings = self.settings
        bearer = fetch_token(settings.oauth, self.transport) if settings.oauth else ""
        person = {} if bearer else {"UserName": settings.username, "Password": settings.password}
        authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        request = Request(
            "POST",
            f"{settings.root}/Login",
            headers={"Content-Type": "application/json", "Accept": "application/json", **authorization},
            body=jsonio.dump_bytes({"CompanyDB": settings.company_db, **person, "Language": settings.language}),
            secret_fields=frozenset({"Password"}),
        )
        answer = Answer()
        response = self.transport.send(request, judge_login(answer, settings))
        self._note_time(response)
        session = session_of(response, answer.data, self._clock())
        if session is None:
            raise Unavailable("SAP's login answer holds no session.", code="unexpected_answer")
        return replace(session, bearer=bearer)

    # --- calls

    def _call(self, call: _Call) -> Answer:
        session = self._keeper.current()
        try:
            return self._send(call, session)
        except Unauthenticated as lost:
            if lost.login_refused:
                raise
            return self._send(call, self._keeper.renew(session), last=True)
        except (Unavailable, OutcomeUnknown) as fault:
            if not self._on_broken_node(fault):
                raise
            if call.writes:
                self._keeper.drop(session)
                raise
        return self._send(call, self._keeper.renew(session), last=True)

    def _on_broken_node(self, fault: ConnectorError) -> bool:
        """A session is pinned to a node: after a repeated 5xx another one may do (contracts: SAP §2)."""
        if fault.status is None or fault.status < 500:
            return False
        return self._keeper.broken_node() or fault.code == f"sap_{BROKEN_NODE}"

    def _send(self, call: _Call, session: SapSession, *, last: bool = False) -> Answer:
        headers = {"Accept": "application/json", **session.headers, **call.headers}
        if call.body is not None:
            headers.setdefault("Content-Type", "application/json")
        request = Request(
            call.method,
            f"{self.settings.root}/{call.path}",
            headers=headers,
            body=call.body if call.body is None or isinstance(call.body, bytes) else jsonio.dump_bytes(call.body),
            writes=call.writes,
            read_timeout=self.settings.post_timeout if call.writes else None,
        )
        answer = Answer()
        try:
            response = self.transport.send(request, judge_call(answer, writes=call.writes, last=last))
        except (Rejected, Throttled) as fault:
            if fault.status is not None:
                self._keeper.answered(session)
            raise
        self._keeper.answered(session)
        self._note_time(response)
        return answer

    def _page(self, query: Query) -> Page:
        headers = _read_headers(query.page_size, case_insensitive=query.case_insensitive)
        data = self._call(_Call("GET", query.path, headers=headers)).data
        rows = data.get("value") if isinstance(data, dict) else None
        if not isinstance(rows, list):
            raise Unavailable(f"SAP's answer for {query.entity_set} is not a list.", code="unexpected_answer")
        link = next_link(data)
        if link:
            check_link(link, self.settings.root)
        return Page(rows, link)

    def _note_time(self, response: Response) -> None:
        """The server's clock, from the Date header: watermarks go by it, not by ours (contracts: SAP §9)."""
        try:
            self.server_time = parsedate_to_datetime(response.header("date") or "")
        except ValueError:
            return


def multipart(name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """One part named `files`, which is all that SAP takes, and the header that says how it is marked off."""
    boundary = f"ledgerbridge-{secrets.token_hex(16)}"
    lead = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
    kind = "Content-Type: application/octet-stream\r\n\r\n"
    body = f"{lead}{kind}".encode("ascii") + content + f"\r\n--{boundary}--\r\n".encode("ascii")
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def retry_conflict(attempt: Callable[[], T], *, sleep: Callable[[float], None], tries: int = CONFLICT_TRIES) -> T:
    """Repeat what SAP refused because of somebody else's change (412 / -2039); `attempt` re-reads what it needs."""
    for turn in range(tries - 1):
        try:
            return attempt()
        except Unavailable as fault:
            if fault.code != "sap_-2039" and fault.status != 412:
                raise
            sleep(2.0**turn)
    return attempt()


def _read_headers(page_size: int | None, *, case_insensitive: bool) -> dict[str, str]:
    headers = {}
    if page_size:  # 0 would switch paging off
        headers["Prefer"] = f"odata.maxpagesize={page_size}"
    if case_insensitive:
        headers["B1S-CaseInsensitive"] = "true"
    return headers


def _filters(key_name: str, keys: Iterable[str | int], room: int) -> Iterator[str]:
    """`K eq 1 or K eq 2 …`, each below the limits on terms and on the length of the URL."""
    terms: list[str] = []
    for key in keys:
        longer = [*terms, literals.equals(key_name, key)]
        if terms and (len(longer) > _MOST_TERMS or len(literals.query_string({"$filter": " or ".join(longer)})) > room):
            yield " or ".join(terms)
            longer = longer[-1:]
        terms = longer
    if terms:
        yield " or ".join(terms)
