"""A customer's tool that listens on a real socket and checks what it is sent, as the specification tells it to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from syncengine.hooks import service
from syncengine.hooks.events import Event


class Tool(ThreadingHTTPServer):
    """`status`, `answer` and `answer_headers` are what it says; `posts` what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Incoming)
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.answer = b""
        self.answer_headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/ledger"

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.posts]


class _Incoming(BaseHTTPRequestHandler):
    server: Tool

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        for name, value in self.server.answer_headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *arguments: Any) -> None:
        """Not to standard error."""


@pytest.fixture
def tool(settings: Any) -> Iterator[Tool]:
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.0/8"], True
    with Tool() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hook(organization: Any, tool: Tool) -> Any:
    """Told of everything in the organization."""
    values = {"name": "Ledger of the group", "url": tool.url, "events": list(Event)}
    return service.create(organization, values, "admin@example.com")


@pytest.fixture
def verifies() -> Callable[[dict[str, str], bytes, str], bool]:
    """Whether a message is signed with a secret: written from the specification, not from our code."""

    def check(headers: dict[str, str], body: bytes, secret: str) -> bool:
        key = base64.b64decode(secret[len("whsec_") :])
        signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in headers["webhook-signature"].split(" ")

    return check
