"""A stand-in for the rates service; `next_status` is what it refuses the next request with."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class RatesServer(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    rates: ClassVar[dict[str, dict[str, str]]] = {"2026-05-04": {"USD": "1.0845", "SEK": "11.2310"}}

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.next_status = 0
        self.headers: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: RatesServer

    def do_GET(self) -> None:
        found = self.server.rates.get(self.path.rpartition("/")[2])
        if self.server.next_status:
            self._answer(self.server.next_status, "busy", self.server.headers)
        elif self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._answer(401, "who are you?")
        elif found is None:
            self._answer(404, "no such day")
        else:
            # Exact numbers: a rate never passes through a float.
            rates = ", ".join(f'"{currency}": {rate}' for currency, rate in found.items())
            self._answer(200, f'{{"base": {json.dumps("EUR")}, "rates": {{{rates}}}}}')

    def _answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments: object) -> None:
        """Not to standard error."""
