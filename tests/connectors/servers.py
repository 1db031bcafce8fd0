"""Servers on real sockets: one that answers what a test says, byte for byte, and a small Service Layer on top of it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from syncengine.connectors import jsonio


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """Query options, decoded."""
        pairs = (pair.partition("=") for pair in self.target.partition("?")[2].split("&") if pair)
        return {unquote(name): unquote(value) for name, _, value in pairs}

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)


Answer = bytes | Iterable[bytes] | None
"""Bytes to send; pieces to send one by one before closing; None to hang up without a word."""


class RawServer:
    """Answers each request with what `answer` returns. Keeps connections open as HTTP/1.1 servers do."""

    def __init__(self, answer: Callable[[Received], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(1)  # else it might accept at the number of this socket, which the next server has by then
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """Until the client leaves, or says something that is no HTTP."""
        with suppress(OSError), ExitStack() as stack:
            stack.callback(connection.close)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            self._open.append(connection)
            reader = stack.enter_context(connection.makefile("rb"))
            while (received := _read_request(reader)) is not None:
                self.received.append(received)
                answer = self.answer(received)
                if not isinstance(answer, bytes):
                    for piece in answer or ():
                        connection.sendall(piece)
                    break
                connection.sendall(answer)


def _read_request(reader: Any) -> Received | None:
    line = reader.readline().decode("latin-1").strip()
    if not line:
        return None
    if not line.endswith("HTTP/1.1"):
        return Received("", "not HTTP", [], b"")
    method, target, _ = line.split(" ", 2)
    headers: list[tuple[str, str]] = []
    while header := reader.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers.append((name, value.strip()))
    length = int(next((value for name, value in headers if name.lower() == "content-length"), 0))
    return Received(method, target, headers, reader.read(length))


def http_answer(status: int, body: bytes | str = b"", headers: Iterable[tuple[str, str]] = (), **more: str) -> bytes:
    """An HTTP answer as bytes, with its length."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_answer(data: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    kind = ("Content-Type", "application/json;odata.metadata=minimal;charset=utf-8")
    return http_answer(status, jsonio.dumps(data), [kind, *headers])


def html_answer(status: int, title: str) -> bytes:
    return http_answer(
        status, f"<html><head><title>{title}</title></head><body>x</body></html>", Content_Type="text/html"
    )


Script = bytes | Callable[[Received], Answer] | None


@dataclass
class FakeServiceLayer:
    """As much of a Service Layer as sessions need; everything else is scripted with `on`. Speaks v1 or v2."""

    version: str = "v2"
    timeout_minutes: int = 30
    route_id: bool = True
    login_scripts: list[Script] = field(default_factory=list)
    live: set[str] = field(default_factory=set)
    logins: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Received] = field(default_factory=list)
    _scripts: dict[tuple[str, str], list[Script]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, method: str, path: str, *answers: Script) -> None:
        """Answer this path below the root with these, one after another; the last one stays."""
        self._scripts[method, path] = list(answers)

    def error(self, status: int, code: int | str, message: str) -> bytes:
        """SAP's error object in the shape of this version."""
        if self.version == "v1":
            return json_answer({"error": {"code": code, "message": {"lang": "en-us", "value": message}}}, status)
        details = [{"code": "", "message": ""}]
        return json_answer({"error": {"code": str(code), "details": details, "message": message}}, status)

    def session_lost(self, _: Received | None = None) -> bytes:
        return self.error(401, 301, "Invalid session or session already timeout.")

    def collection(self, rows: list[dict[str, Any]], next_link: str | None = None) -> bytes:
        prefix = "odata" if self.version == "v1" else "@odata"
        link = {f"{prefix}.nextLink": next_link} if next_link else {}
        return json_answer({f"{prefix}.context": "x", "value": rows, **link})

    def expire_sessions(self) -> None:
        self.live.clear()

    def calls_of(self, method: str, path: str) -> list[Received]:
        return [call for call in self.calls if (call.method, _below_root(call.path)) == (method, path)]

    def __call__(self, received: Received) -> Answer:
        if not received.path.startswith(f"/b1s/{self.version}/"):
            return self._outside(received)
        path = _below_root(received.path)
        if (received.method, path) == ("POST", "Login"):
            return self._login(received)
        self.calls.append(received)
        if self._session_of(received) not in self.live:
            return self.session_lost()
        if (received.method, path) == ("POST", "Logout"):
            self.live.discard(self._session_of(received))
            return http_answer(204)
        return self._scripted(received, path)

    def _outside(self, received: Received) -> Answer:
        if received.path == "/ping/":
            return json_answer({"message": "pong", "sender": "load balancer", "timestamp": "1763812345.123"})
        return html_answer(404, "Not Found")

    def _scripted(self, received: Received, path: str) -> Answer:
        script = self._scripts.get((received.method, path))
        if script is None:
            return self.error(400, -1002, "Service Not Found")
        answer = script.pop(0) if len(script) > 1 else script[0]
        return answer(received) if callable(answer) else answer

    def _login(self, received: Received) -> Answer:
        with self._lock:
            self.logins.append(received.json())
            number = len(self.logins)
            script = self.login_scripts.pop(0) if self.login_scripts else None
        if script is not None:
            return script(received) if callable(script) else script
        session = f"7f0c7c3e-c4f1-11f0-8000-{number:012d}"
        self.live.add(session)
        return self.login_answer(session, f".node{number}")

    def login_answer(self, session: str, node: str) -> bytes:
        cookies = [("Set-Cookie", f"B1SESSION={session};HttpOnly;;Secure;SameSite=None")]
        if self.route_id:
            cookies.append(("Set-Cookie", f"ROUTEID={node}; path=/;Secure;SameSite=None"))
        body = {"SessionId": session, "Version": "1000280", "SessionTimeout": self.timeout_minutes}
        return json_answer(body, headers=cookies)

    def _session_of(self, received: Received) -> str:
        found = re.search(r"B1SESSION=([^;]+)", received.header("Cookie") or "")
        return found[1] if found else ""


def _below_root(path: str) -> str:
    return unquote(path.split("/", 3)[3])
