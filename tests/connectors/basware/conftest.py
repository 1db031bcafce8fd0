"""A real HTTP server that says what a test tells it, and a client that talks to it through the real transport."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from syncengine.connectors.basware import Basware, BaswareSettings
from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport, Limits, ObservedCall

ANSWERS = Path(__file__).parent / "answers"
REQUEST_ID = "06ca6901-f728-489b-a827-704f5048858c"
LOOPBACK = OutboundPolicy(allow=("127.0.0.0/8",), allow_http=True)


def recorded(name: str) -> Any:
    return json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))


@dataclass
class Said:
    """One answer; a `body` that is not bytes goes as JSON. `cut` closes the connection instead of answering."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str | None = REQUEST_ID
    cut: bool = False

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stage:
    """Answers by method and path (still percent-encoded); each route's last answer is given for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], list[Said]] = defaultdict(list)
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                stage.asked.append(Asked(self.command, self.path, self.headers, body))
                self.say(stage.next_answer(self.command, urlsplit(self.path).path))

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815  # http.server calls these names

            def say(self, said: Said) -> None:
                if said.cut:
                    self.close_connection = True
                    return
                self.send_response(said.status)
                if said.request_id:
                    self.send_header("x-amzn-RequestId", said.request_id)
                for name, value in {"Content-Length": str(len(said.raw)), **said.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.raw)

            def log_message(self, *_args: object) -> None:
                """Tests read `asked` instead."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, method: str, path: str, *answers: Said) -> None:
        self._answers[method, path] = list(answers)

    def next_answer(self, method: str, path: str) -> Said:
        answers = self._answers[method, path]
        if not answers:
            return Said(404)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def requests(self, method: str, path: str) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, urlsplit(asked.target).path) == (method, path)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Clock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def granted(token: str = "token-1", scope: str | None = None, expires_in: Any = 3600) -> Said:
    """The token address's good answer; every scope that the product asks for unless another is given."""
    from syncengine.connectors.basware import DEFAULT_SCOPES

    scope = " ".join(DEFAULT_SCOPES) if scope is None else scope
    body = {"access_token": token, "scope": scope, "expires_in": expires_in, "token_type": "Bearer"}
    return Said(200, body)


@pytest.fixture
def api() -> Iterator[Stage]:
    """Basware's API host, giving tokens token-1, token-2, token-3 … in turn."""
    stage = Stage()
    stage.on("POST", "/v1/tokens", *(granted(f"token-{number}") for number in range(1, 9)))
    yield stage
    stage.close()


@pytest.fixture
def storage() -> Iterator[Stage]:
    """The document storage, another host and port."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observed() -> list[ObservedCall]:
    return []


@pytest.fixture
def transport(observed: list[ObservedCall]) -> HttpTransport:
    limits = Limits(connect_timeout=2, read_timeout=2, body_timeout=5)
    return HttpTransport(
        "basware", policy=LOOPBACK, limits=limits, observer=observed.append, secrets=("s3cret:ö%", "hook-secret-0001")
    )


@pytest.fixture
def settings(api: Stage) -> BaswareSettings:
    return BaswareSettings(
        base_url=api.url,
        client_id="client-7",
        client_secret="s3cret:ö%",
        company_code="NORD01",
        outbound=LOOPBACK,
    )


@pytest.fixture
def basware(settings: BaswareSettings, transport: HttpTransport, clock: Clock) -> Basware:
    return Basware(settings, transport, clock=clock)


@pytest.fixture
def with_settings(settings: BaswareSettings, transport: HttpTransport, clock: Clock):
    """Makes a client of the same server with other settings."""
    return lambda **changes: Basware(replace(settings, **changes), transport, clock=clock)
