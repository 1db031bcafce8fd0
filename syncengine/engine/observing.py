"""The call log: every remote call becomes a row, tied to the run, record and attempt it was made for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from django.db import connection

from syncengine import tracing
from syncengine.connectors.http import ObservedCall
from syncengine.engine import tallies
from syncengine.models import Call, bulk
from tenants.models import Integration

FLUSH_AT = 20


@dataclass(frozen=True)
class Purpose:
    """What the calls of the present thread are made for (ids)."""

    run_id: int | None = None
    record_id: int | None = None
    attempt_id: int | None = None


NO_PURPOSE = Purpose()
_purpose: ContextVar[Purpose] = ContextVar("purpose", default=NO_PURPOSE)


@contextmanager
def calls_for(
    *, run_id: int | None = None, record_id: int | None = None, attempt_id: int | None = None
) -> Iterator[None]:
    """Tie the calls made inside the block, in this thread, to these rows; lines of log and spans name them too."""
    token = _purpose.set(Purpose(run_id, record_id, attempt_id))
    ids = {"run_id": run_id, "record_id": record_id, "attempt_id": attempt_id}
    known = {name: value for name, value in ids.items() if value is not None}
    what = "record" if record_id else "batch" if attempt_id else "run"
    try:
        with structlog.contextvars.bound_contextvars(**known), tracing.span(what, **known):
            yield
    finally:
        _purpose.reset(token)


class CallLog:
    """Collects observed calls from all threads and stores them in bulk; holds at most FLUSH_AT of them."""

    def __init__(self, integration: Integration) -> None:
        self._integration = integration
        self._waiting: list[Call] = []
        self._lock = threading.Lock()
        self.counts: dict[str, int] = {}

    def observe(self, call: ObservedCall) -> None:
        row = self._row(call, _purpose.get())
        resource = _resource(call.url)
        tracing.record_span(
            f"{call.system} {call.method} {resource}", call.started_at, call.duration_ms,
            failed=call.outcome != "ok", outcome=call.outcome, status=call.status,
        )  # fmt: skip
        with self._lock:
            self._waiting.append(row)
            name = f"{call.system} {call.method} {resource}"
            self.counts[name] = self.counts.get(name, 0) + 1
            full = len(self._waiting) >= FLUSH_AT
        if full:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            rows, self._waiting = self._waiting, []
        if rows:
            bulk.insert(rows)
            _tally(rows)
        if threading.current_thread().name.startswith(("send", "Thread")):
            connection.close()  # a thread that only calls has no other use for one

    def _row(self, call: ObservedCall, purpose: Purpose) -> Call:
        return Call(
            integration=self._integration,
            system=call.system,
            run_id=purpose.run_id,
            record_id=purpose.record_id,
            attempt_id=purpose.attempt_id,
            method=call.method,
            url=call.url,
            status=call.status,
            outcome=call.outcome,
            started_at=call.started_at,
            duration_ms=call.duration_ms,
            request_headers=dict(call.request_headers),
            request_body=call.request_body,
            response_headers=dict(call.response_headers),
            response_body=call.response_body,
            error=call.error,
        )


def _tally(rows: list[Call]) -> None:
    changes = tallies.Changes()
    for row in rows:
        changes.observe(tallies.CALLS, row.duration_ms / 1000, row.system, str(row.status or "none"))
    changes.store()


def _resource(url: str) -> str:
    """The first word of a URL's path that names what was called: /b1s/v2/PurchaseInvoices(7) → PurchaseInvoices."""
    path = url.split("?", maxsplit=1)[0].rsplit("://", maxsplit=1)[-1].partition("/")[2]
    words = [word for word in path.split("/") if word and not word.startswith(("v1", "v2", "b1s"))]
    return words[0].split("(")[0] if words else "/"
