"""The Service Layer over HTTP: routing, sessions, reads, writes and its own faults (contracts: SAP §11).

    sap = SapSandbox(Store(), Dataset())      # host, port=0 and credentials may be given
    sap.start()
    sap.base_url                              # "http://127.0.0.1:41234/b1s/v2"; /b1s/v1 is served too
    sap.credentials                           # {"company_db", "username", "password"}

Fault kinds of its own (faults.py has the common ones); they spare Login and Logout unless `path` says otherwise:

    session_lost     the session is gone: 401/301
    minus_5002       the session is gone and the answer is 400/-5002 (`message`)
    minus_304        the session is gone and the answer is 401/-304
    broken_node      500/407 for calls whose ROUTEID names `node`
    customer_rule    400/-1116 as a customer's SBO_SP_TransactionNotification raises it (`message`), on POST
    error            any `code` with `message` and `status`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from syncengine.sandbox.dataset import COMPANY_DB, Dataset
from syncengine.sandbox.faults import Fault
from syncengine.sandbox.sap_b1 import payload, query
from syncengine.sandbox.sap_b1.approval import Approval
from syncengine.sandbox.sap_b1.attachments import Attachments
from syncengine.sandbox.sap_b1.company import Company
from syncengine.sandbox.sap_b1.documents import Documents
from syncengine.sandbox.sap_b1.errors import (
    LOGIN_REFUSED,
    SESSION_LOST,
    ServiceLayerError,
    conflict,
    does_not_exist,
    not_found,
    query_error,
    session_lost,
)
from syncengine.sandbox.sap_b1.identity import TOKEN_PATH, Identity
from syncengine.sandbox.sap_b1.model import NAVIGATION, EntitySet, entity_set
from syncengine.sandbox.sap_b1.payments import Payments
from syncengine.sandbox.sap_b1.services import Services
from syncengine.sandbox.sap_b1.sessions import VERSION, Sessions, set_cookies
from syncengine.sandbox.sap_b1.shapes import SHAPES, V2, Shape, etag
from syncengine.sandbox.sap_b1.writes import Writes
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, SandboxServer, html_response, json_response
from syncengine.sandbox.store import Store

Document = dict[str, Any]
Expansion = tuple[str, EntitySet, str, list[str] | None]
"""Name of a navigation property, the set it leads to, the own field that holds the key, what is selected of it."""

DEFAULT_CREDENTIALS = {"company_db": COMPANY_DB, "username": "basware_if", "password": "sandbox-sap-1"}
ROUTE = re.compile(r"/b1s/(v[12])/(.*)", re.DOTALL)
RESOURCE = re.compile(r"(?P<name>\w+)(?:\((?P<key>.*)\))?(?:/(?P<rest>[$\w]+))?", re.DOTALL)
CALLS_BUT_LOGIN = r"/b1s/v[12]/(?!Log(in|out)\b)"


class SapSandbox(SandboxServer):
    refuses_expect = True
    fault_paths: Mapping[str, str] = dict.fromkeys(
        ("session_lost", "minus_5002", "minus_304", "broken_node", "customer_rule", "error"), CALLS_BUT_LOGIN
    )

    def __init__(
        self,
        store: Store,
        dataset: Dataset,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: dict[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(host, port)
        self.credentials = credentials or dict(DEFAULT_CREDENTIALS)
        self.company = Company(store, dataset, now)
        self.documents = Documents(self.company)
        self.approval = Approval(self.company, self.documents)
        self.payments = Payments(self.company, self.documents)
        self.sessions = Sessions()
        self.identity = Identity()
        self._attachments = Attachments(self.company)
        self._services = Services(self.company, self.documents, self.approval)
        self._writes = Writes(self.company, self.documents, self.approval, self.payments, self._attachments)
        self._reader = query.Reader()

    @property
    def base_url(self) -> str:
        return f"{self.url}/b1s/v2"

    @property
    def token_url(self) -> str:
        """Where a token is had for the log-in by OAuth."""
        return f"{self.url}{TOKEN_PATH}"

    def reset(self) -> None:
        self.sessions.end_all()
        self.identity = Identity()
        self.company.reset()

    def common_headers(self, request: SandboxRequest) -> list[tuple[str, str]]:
        found = ROUTE.match(request.decoded_path)
        headers = [("Server", "Apache/2.4.58 (Unix) OpenSSL/3.0.13")]
        if found is not None and found.group(2) != "Login":
            headers.append(SHAPES[found.group(1)].header)
        return headers

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        if request.path == "/ping" or request.path.startswith("/ping/"):
            return self._ping(request)
        if request.path == TOKEN_PATH and request.method == "POST" and self.identity.offered:
            return self.identity.issue(request)
        found = ROUTE.fullmatch(unquote(request.path))
        if found is None:
            return html_response(404)
        shape = SHAPES[found.group(1)]
        try:
            return self._route(request, shape, found.group(2))
        except ServiceLayerError as error:
            return shape.error(error)

    def own_fault(self, fault: Fault, request: SandboxRequest) -> SandboxResponse | None:
        found = ROUTE.match(request.decoded_path)
        shape = SHAPES[found.group(1)] if found else V2
        error = self._fault_error(fault, request)
        return shape.error(error) if error else None

    def _fault_error(self, fault: Fault, request: SandboxRequest) -> ServiceLayerError | None:
        if fault.kind in {"session_lost", "minus_5002", "minus_304"}:
            self.sessions.end(request.header("cookie"))
        if fault.kind == "customer_rule" and request.method != "POST":
            return None
        code, message, status = {
            "session_lost": (301, SESSION_LOST, 401),
            "minus_5002": (-5002, SESSION_LOST, 400),
            "minus_304": (-304, LOGIN_REFUSED, 401),
            "broken_node": (407, "Table definition not found for '@BW_LOG'", 500),
            "customer_rule": (-1116, "(18000018) The reference is not allowed by company policy", 400),
            "error": (fault.code, "", fault.status),
        }[fault.kind]
        return ServiceLayerError(code, fault.message or message, status)

    def _ping(self, request: SandboxRequest) -> SandboxResponse:
        parts = request.path.strip("/").split("/")
        sender = "node " + parts[2] if len(parts) > 2 else "load balancer"
        return json_response(
            200, {"message": "pong", "sender": sender, "timestamp": f"{self.company.now().timestamp():.3f}"}
        )

    def _route(self, request: SandboxRequest, shape: Shape, rest: str) -> SandboxResponse:
        if rest == "Login" and request.method == "POST":
            return self._log_in(request, shape)
        if rest.lower() == "login":  # a mis-cased path is no Login, and without a session nothing else (SAP §1)
            raise session_lost()
        self.sessions.require(request.header("cookie"), float(self.company.settings["session_timeout"]))
        if self.identity.bearer_on_every_call and not self.identity.knows(request):
            raise session_lost()
        if rest == "Logout" and request.method == "POST":
            self.sessions.end(request.header("cookie"))
            return SandboxResponse(204)
        found = RESOURCE.fullmatch(rest)
        if found is None:
            raise ServiceLayerError(-1002, "Service Not Found")
        with self.company.store.transaction():
            return self._resource(request, shape, found.group("name"), found.group("key"), found.group("rest"))

    def _log_in(self, request: SandboxRequest, shape: Shape) -> SandboxResponse:
        settings = self.company.settings
        session = self.sessions.log_in(
            payload.json_object(request), self.credentials, settings, by_token=self.identity.knows(request)
        )
        timeout = settings["session_timeout"]
        body = {"SessionId": session.key, "Version": VERSION, "SessionTimeout": timeout}
        context = shape.context(self._root(request, shape), "B1Sessions/$entity")
        return shape.respond(200, context | body, set_cookies(session, settings))

    def _resource(
        self, request: SandboxRequest, shape: Shape, name: str, key: str | None, rest: str | None
    ) -> SandboxResponse:
        service = self._services.find(name)
        if service is not None and key is None:
            return self._serve(request, shape, name, service)
        found = entity_set(name)
        if found is None:
            raise ServiceLayerError(-1002, "Service Not Found")
        if key is None:
            return self._collection(request, shape, found, rest)
        return self._member(request, shape, found, _key(found, key), rest)

    def _serve(self, request: SandboxRequest, shape: Shape, name: str, service: Any) -> SandboxResponse:
        methods, function = service
        if request.method not in methods:
            raise ServiceLayerError(-1002, "Service Not Found")
        body = payload.json_object(request) if request.body.strip() else {}
        result = function(body, shape)
        if result is None:
            return SandboxResponse(204)
        return shape.respond(200, shape.context(self._root(request, shape), name) | result)

    def _collection(self, request: SandboxRequest, shape: Shape, found: EntitySet, rest: str | None) -> SandboxResponse:
        if rest == "$count" and request.method == "GET":
            return self._count(request, shape, found)
        if rest is not None:
            raise ServiceLayerError(-1002, "Service Not Found")
        if request.method == "GET":
            return self._list(request, shape, found)
        if request.method == "POST":
            return self._create(request, shape, found)
        raise ServiceLayerError(-5006, "The requested action is not supported for this object.")

    def _count(self, request: SandboxRequest, shape: Shape, found: EntitySet) -> SandboxResponse:
        options = query.read_options(request, found, self.company.kinds(found.name), v1=shape.is_v1)
        count = self._reader.count(self.company.collection(found.name), found, options)
        return SandboxResponse(200, str(count).encode(), [("Content-Type", "text/plain;charset=utf-8")])

    def _list(self, request: SandboxRequest, shape: Shape, found: EntitySet) -> SandboxResponse:
        options = query.read_options(request, found, self.company.kinds(found.name), v1=shape.is_v1)
        expanded = _expanded(request, found)
        page = self._reader.page(self.company.collection(found.name), found, options)
        answer = shape.context(self._root(request, shape), found.name)
        if page.count is not None:
            answer[f"{shape.prefix}count"] = str(page.count) if shape.is_v1 else page.count
        rows = [shape.entity(found.type, row, options.select) for row in page.rows]
        answer["value"] = [
            self._expand(shape, expanded, row, shown) for row, shown in zip(page.rows, rows, strict=True)
        ]
        link = query.next_link(found.name, request.query, page)
        if link is not None:
            answer[f"{shape.prefix}nextLink"] = link
        return shape.respond(200, answer)

    def _expand(self, shape: Shape, expanded: list[Expansion], document: Document, shown: Document) -> Document:
        for name, other, field, select in expanded:
            related = self.company.collection(other.name).get(document.get(field) or "")
            shown[name] = shape.render(other.type, related, select) if related else None
        return shown

    def _create(self, request: SandboxRequest, shape: Shape, found: EntitySet) -> SandboxResponse:
        made = self._writes.create(found, request)
        if made.document is None:
            return SandboxResponse(204)
        if made.refused is not None:
            raise made.refused
        target = entity_set(made.set_name) or found
        key = made.document[target.key]
        location = f"{self._root(request, shape)}/{target.name}({_literal(key)})"
        headers = [("Location", location)]
        if "return-no-content" in request.header("prefer"):
            return SandboxResponse(204, b"", headers)
        if target.type.has_etag:
            headers.append(("ETag", etag(made.document.get("DataVersion", 1))))
        answer = shape.context(self._root(request, shape), f"{target.name}/$entity")
        return shape.respond(201, answer | shape.entity(target.type, made.document), headers)

    def _member(
        self, request: SandboxRequest, shape: Shape, found: EntitySet, key: Any, rest: str | None
    ) -> SandboxResponse:
        document = self.company.collection(found.name).get(key)
        if document is None:
            raise not_found() if request.method == "GET" else does_not_exist(key)
        if request.method == "GET":
            return self._read(request, shape, found, document, rest)
        if found.type.has_etag and request.header("if-match") not in {"", "*", etag(document.get("DataVersion", 1))}:
            raise conflict()
        self._writes.change(found, document, request, rest)
        return SandboxResponse(204)

    def _read(
        self, request: SandboxRequest, shape: Shape, found: EntitySet, document: Document, rest: str | None
    ) -> SandboxResponse:
        if rest == "$value" and found.name == "Attachments2":
            return self._attachments.download(document, request)
        if rest is not None:
            raise ServiceLayerError(-1002, "Service Not Found")
        select = query.read_options(request, found, self.company.kinds(found.name), v1=shape.is_v1).select
        answer = shape.context(self._root(request, shape), f"{found.name}/$entity")
        answer |= self._expand(shape, _expanded(request, found), document, shape.entity(found.type, document, select))
        whole = found.type.has_etag and not select
        return shape.respond(200, answer, [("ETag", etag(document.get("DataVersion", 1)))] if whole else [])

    def _root(self, request: SandboxRequest, shape: Shape) -> str:
        return f"http://{request.header('host', f'{self.host}:{self.port}')}/b1s/{shape.name}"


def _expanded(request: SandboxRequest, found: EntitySet) -> list[Expansion]:
    """Raises code 201 for what is no navigation property, collections of lines included (contracts: SAP §4)."""
    expanded: list[Expansion] = []
    for name, select in re.findall(r"(\w+)(?:\(\$select=([\w,]+)\))?", request.params.get("$expand", "")):
        target = NAVIGATION.get((found.type.name, name))
        other = entity_set(target[0]) if target else None
        if target is None or other is None:
            raise query_error(f"Cannot expand invalid navigation property '{name}' for entity type '{found.type.name}'")
        expanded.append((name, other, target[1], select.split(",") if select else None))
    return expanded


def _key(found: EntitySet, text: str) -> Any:
    """Raises not found for a key of the wrong kind. `X(Key='1')` is taken too."""
    text = text.removeprefix(f"{found.key}=")
    if found.key_kind == "i":
        if not re.fullmatch(r"-?\d+", text):
            raise query_error(f"Invalid key '{text}'")
        return int(text)
    if not re.fullmatch(r"'(?:[^']|'')*'", text, re.DOTALL):
        raise query_error(f"Invalid key '{text}'")
    return text[1:-1].replace("''", "'")


def _literal(key: Any) -> str:
    return str(key) if isinstance(key, int) else "'" + str(key).replace("'", "''") + "'"
