"""Misbehaviour that a test or the control API switches on for chosen calls.

A fault is a dictionary (or `Fault`): `kind` says what happens, the rest which calls it hits:

    {"kind": "status", "status": 429, "retry_after": 1, "method": "GET", "path": "/v1/vendors", "count": 2}

`method` is one verb or "*"; `path` is a regular expression searched in "path?query"; `count` is how many calls it hits
(0 = until removed); `skip` lets so many matching calls pass first; `node` hits only calls whose ROUTEID cookie
names it.

Kinds that every sandbox knows (server.py applies them):

    latency       waits `seconds` before the work (`after`: true = after the work, before the answer)
    status        answers `status` with `body` (and `retry_after`); the work is not done unless `after` is true.
                  Without `body`: 502 and 503 come as a proxy's HTML page, 413 as HTML, everything else empty
    drop_before   closes the connection without doing the work
    drop_after    does the work, then closes the connection without an answer
    slow_bytes    sends the answer in small pieces with `seconds` between them
    bad_json      does the work and answers with text that is no JSON, under the JSON content type
    truncated     does the work and sends half of the body, then closes the connection

A server adds kinds of its own in `SandboxServer.own_fault`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

HTML_STATUSES = {
    413: "Request Entity Too Large",
    502: "Proxy Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass
class Fault:
    """One switched-on misbehaviour; the fields are those of the module's text."""

    kind: str
    method: str = "*"
    path: str = ""
    count: int = 1
    skip: int = 0
    node: str | None = None
    seconds: float = 0.0
    status: int = 500
    code: int = 0
    retry_after: int | str | None = None
    body: str | None = None
    message: str | None = None
    after: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Fault:
        """A fault from its dictionary form. Raises ValueError for a field it does not know or a bad pattern."""
        known = {entry.name for entry in fields(cls)}
        unknown = set(given) - known
        if unknown or "kind" not in given:
            raise ValueError(f"a fault needs 'kind' and knows only {sorted(known)}; got {sorted(given)}")
        try:
            re.compile(given.get("path", ""))
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from error
        fault = cls(**given)
        fault.seconds = float(fault.seconds)  # the control API reads fractions as Decimal, which no clock takes
        return fault

    def hits(self, method: str, target: str, cookie: str) -> bool:
        if self.method not in {"*", method}:
            return False
        if self.node is not None and f"ROUTEID=.{self.node}" not in cookie:
            return False
        return re.search(self.path, target) is not None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class FaultPlan:
    """The faults switched on for one server. Safe to use from every thread."""

    def __init__(self, paths: Mapping[str, str] | None = None) -> None:
        """`paths` gives kinds the path that they hit when none is said."""
        self._paths = paths or {}
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault | Mapping[str, Any]) -> Fault:
        made = fault if isinstance(fault, Fault) else Fault.of(fault)
        made.path = made.path or self._paths.get(made.kind, "")
        with self._lock:
            self._faults.append(made)
        return made

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def active(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def take(self, method: str, target: str, cookie: str = "") -> list[Fault]:
        """The faults that hit this call; each one's count goes down and it is gone at zero."""
        with self._lock:
            return [fault for fault in list(self._faults) if fault.hits(method, target, cookie) and self._use(fault)]

    def _use(self, fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.count == 1:
            self._faults.remove(fault)
        elif fault.count > 1:
            fault.count -= 1
        return True
