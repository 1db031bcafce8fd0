"""JSON over HTTP to our own processes on this machine.

Remote systems are spoken to through `syncengine.connectors.http` only; this client reaches nothing but loopback.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE = 120.0


class CallFailed(Exception):
    """An answer that is no success, with its status and body."""

    def __init__(self, method: str, url: str, status: int, body: str) -> None:
        super().__init__(f"{method} {url} answered {status}: {body[:2000]}")
        self.status = status
        self.body = body


class JsonClient:
    """One server. Numbers with a fraction come as Decimal."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._root = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json", **(headers or {})}

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, payload: Any = None) -> Any:
        return self.call("POST", path, {} if payload is None else payload)

    def put(self, path: str, payload: Any) -> Any:
        return self.call("PUT", path, payload)

    def pages(self, path: str, **parameters: Any) -> Iterator[Any]:
        """Every result of a list of the REST API, page after page."""
        page = self.get(path, **parameters)
        yield from page["results"]
        while page["next"]:
            following = urlsplit(page["next"])
            page = self.get(f"{following.path}?{following.query}".removeprefix(self._root))
            yield from page["results"]

    def call(self, method: str, path: str, payload: Any = None) -> Any:
        """The answer's JSON. Raises CallFailed from status 400, OSError when nobody answers."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)
        try:
            body = None if payload is None else json.dumps(payload)
            headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
            connection.request(method, self._root + path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise CallFailed(method, path, answer.status, text)
        return json.loads(text, parse_float=Decimal) if text else None
