"""The HTTP server under both sandboxes and the control API.

    class Hello(SandboxServer):
        def handle(self, request: SandboxRequest) -> SandboxResponse:
            return json_response(200, {"hello": request.params.get("name")})

    server = Hello()                    # host="127.0.0.1", port=0 (a free one)
    server.start(); server.url          # "http://127.0.0.1:41234"
    server.faults.add({"kind": "status", "status": 503, "path": "/x"})
    server.requests.counts()            # {"GET /hello": 1}
    server.requests.log()               # the last 1000 calls, oldest first
    server.stop()                       # open connections are cut too

HTTP/1.1 with keep-alive, a daemon thread per connection, TCP_NODELAY, headers and body in one send. Response headers
are a list, so a repeated or odd header (SAP's double semicolon in Set-Cookie) goes out as written. Every answer
carries Date, Content-Length and what `common_headers` of the subclass adds. `handle` may raise `Answer` to answer
early. An unexpected exception becomes an empty 500 and is kept in the log entry.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import formatdate
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from syncengine.sandbox.faults import HTML_STATUSES, Fault, FaultPlan

JSON_TYPE = "application/json"
KEPT_CALLS = 1000
KEPT_BODY = 20_000
SLOW_PIECE = 16
BROKEN_JSON = b'{"value": ['
VERBS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")
WORK_FAULTS = {"drop_after", "slow_bytes", "bad_json", "truncated"}
HIDDEN_HEADERS = {"authorization", "cookie"}


@dataclass(frozen=True)
class SandboxRequest:
    """One call as it came in. `path` is still percent-encoded, `query` is what follows the question mark."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str, default: str = "") -> str:
        """Header names are kept in lower case."""
        return self.headers.get(name.lower(), default)

    @cached_property
    def params(self) -> dict[str, str]:
        """Query parameters; the last one of a name wins. `%24top` is `$top`."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def decoded_path(self) -> str:
        return unquote(self.path)

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def json(self) -> Any:
        """The body as JSON with fractions as Decimal. Raises ValueError when it is none."""
        return json.loads(self.body.decode("utf-8"), parse_float=Decimal)


@dataclass(frozen=True)
class SandboxResponse:
    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


class Answer(Exception):
    """Raised inside `handle` to answer at once."""

    def __init__(self, response: SandboxResponse) -> None:
        super().__init__(f"answer {response.status}")
        self.response = response


def encode(payload: Any) -> bytes:
    """JSON as both systems write it: numbers are doubles, so a Decimal goes out in its shortest exact spelling."""
    return json.dumps(payload, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat()


def json_response(status: int, payload: Any, headers: Sequence[tuple[str, str]] = ()) -> SandboxResponse:
    return SandboxResponse(status, encode(payload), [("Content-Type", JSON_TYPE), *headers])


def html_response(status: int) -> SandboxResponse:
    """A proxy's error page."""
    reason = HTML_STATUSES.get(status) or HTTPStatus(status).phrase
    page = f"<!DOCTYPE HTML><html><head><title>{status} {reason}</title></head><body><h1>{reason}</h1></body></html>"
    return SandboxResponse(status, page.encode(), [("Content-Type", "text/html; charset=iso-8859-1")])


class _Cut(Exception):
    """The connection is closed without an answer."""


class RequestLog:
    """How often each call came, and the last ones in full; Authorization and cookies are never kept."""

    def __init__(self, kept: int = KEPT_CALLS) -> None:
        self._counts: Counter[str] = Counter()
        self._calls: deque[dict[str, Any]] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def add(self, template: str, call: dict[str, Any]) -> None:
        with self._lock:
            self._counts[template] += 1
            self._calls.append(call)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._calls.clear()


class SandboxServer:
    """Base of every server here. Subclasses write `handle` and, where needed, the hooks below it."""

    refuses_expect = False
    fault_paths: Mapping[str, str] = {}
    """The path that a fault kind hits when it names none."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.faults = FaultPlan(self.fault_paths)
        self.requests = RequestLog()
        self._http = _Server((host, port), self)
        self._thread: threading.Thread | None = None
        self.host, self.port = host, int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        raise NotImplementedError

    def common_headers(self, request: SandboxRequest) -> list[tuple[str, str]]:
        """Headers on every answer, errors and faults included."""
        return []

    def own_fault(self, fault: Fault, request: SandboxRequest) -> SandboxResponse | None:
        """The answer to a fault kind that only this system knows; None lets the call pass."""
        return None

    def template(self, request: SandboxRequest) -> str:
        """The path under which a call is counted: keys are replaced, so that a kind of call has one name."""
        path = re.sub(r"\([^)]*\)", "(id)", request.decoded_path)
        return re.sub(r"/[0-9A-Za-z]*\d[0-9A-Za-z-]{7,}(?=/|$)", "/{id}", path)

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()
        self._http.cut_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: SandboxRequest) -> tuple[SandboxResponse | None, Fault | None]:
        """Faults, the work, faults again: the response (None = cut the connection) and how its bytes misbehave."""
        faults = self.faults.take(request.method, request.target, request.header("cookie"))
        call, started = self._describe(request, faults), time.monotonic()
        self.requests.add(f"{request.method} {self.template(request)}", call)
        try:
            early = self._before(request, faults)
            response, wire = (early, None) if early else self._after(self._work(request, call), faults)
        except _Cut:
            return None, None
        finally:
            call["milliseconds"] = round((time.monotonic() - started) * 1000, 1)
        call["status"] = response.status
        return response, wire

    def _before(self, request: SandboxRequest, faults: list[Fault]) -> SandboxResponse | None:
        for fault in faults:
            if fault.after or fault.kind in WORK_FAULTS:
                continue
            if fault.kind == "latency":
                time.sleep(fault.seconds)
            elif fault.kind == "drop_before":
                raise _Cut
            elif fault.kind == "status":
                return fault_response(fault)
            elif response := self.own_fault(fault, request):
                return response
        return None

    def _after(self, response: SandboxResponse, faults: list[Fault]) -> tuple[SandboxResponse, Fault | None]:
        wire = None
        for fault in faults:
            if fault.kind == "latency" and fault.after:
                time.sleep(fault.seconds)
            elif fault.kind == "status" and fault.after:
                response = fault_response(fault)
            elif fault.kind == "drop_after":
                raise _Cut
            elif fault.kind == "bad_json":
                response = SandboxResponse(response.status, BROKEN_JSON, response.headers)
            elif fault.kind in WORK_FAULTS:
                wire = fault
        return response, wire

    def _work(self, request: SandboxRequest, call: dict[str, Any]) -> SandboxResponse:
        try:
            return self.handle(request)
        except Answer as answer:
            return answer.response
        except Exception as error:  # noqa: BLE001  a server answers 500 whatever happened; the log entry says what
            call["exception"] = repr(error)
            return SandboxResponse(500)

    def _describe(self, request: SandboxRequest, faults: list[Fault]) -> dict[str, Any]:
        return {
            "at": datetime.now(UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": {name: value for name, value in request.headers.items() if name not in HIDDEN_HEADERS},
            "body": request.body[:KEPT_BODY].decode("utf-8", errors="replace"),
            "faults": [fault.kind for fault in faults],
            "status": None,
        }


def fault_response(fault: Fault) -> SandboxResponse:
    headers = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
    if fault.body is not None:
        return SandboxResponse(fault.status, fault.body.encode(), [("Content-Type", JSON_TYPE), *headers])
    if fault.status in HTML_STATUSES:
        page = html_response(fault.status)
        return SandboxResponse(page.status, page.body, [*page.headers, *headers])
    return SandboxResponse(fault.status, b"", headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""

    def cut_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_expect_100(self) -> bool:
        if not self.server.sandbox.refuses_expect:
            return super().handle_expect_100()
        self._send(SandboxResponse(500), [], None)
        self.close_connection = True
        return False

    def _serve(self) -> None:
        request = self._read()
        response, wire = self.server.sandbox.answer(request)
        if response is None:
            self._cut()
            return
        self._send(response, self.server.sandbox.common_headers(request), wire)

    def _read(self) -> SandboxRequest:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return SandboxRequest(self.command, path, query, headers, body)

    def _send(self, response: SandboxResponse, common: list[tuple[str, str]], wire: Fault | None) -> None:
        names = {name.lower() for name, _ in response.headers}
        head = [("Date", formatdate(usegmt=True)), *(pair for pair in common if pair[0].lower() not in names)]
        if "content-length" not in names and response.status != HTTPStatus.NO_CONTENT:
            head.append(("Content-Length", str(len(response.body))))
        phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else "Unknown"
        lines = [f"HTTP/1.1 {response.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in [*head, *response.headers]]
        body = b"" if self.command == "HEAD" else response.body
        self._put("\r\n".join([*lines, "", ""]).encode("latin-1"), body, wire)

    def _put(self, head: bytes, body: bytes, wire: Fault | None) -> None:
        if wire is None:
            self.wfile.write(head + body)
        elif wire.kind == "truncated":
            self.wfile.write(head + body[: len(body) // 2])
            self._cut()
        else:
            self.wfile.write(head)
            for start in range(0, len(body), SLOW_PIECE):
                time.sleep(wire.seconds)
                self.wfile.write(body[start : start + SLOW_PIECE])

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Standard output and error belong to the command, not to the server."""


for _verb in VERBS:
    setattr(_Handler, f"do_{_verb}", _Handler._serve)
