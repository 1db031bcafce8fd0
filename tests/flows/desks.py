"""The engine in memory: records, desks and attempts as document flows see them, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncengine.connectors.outcomes import ConnectorError
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import (
    AlreadyLinked,
    AwaitAnswer,
    Continue,
    Finished,
    Found,
    Ignored,
    InvoiceState,
    Kin,
    LockHeld,
    NeedsPerson,
    OrderLine,
    PastAttempt,
    Posting,
    Step,
    Stopped,
    Wait,
    Work,
)
from syncengine.flows.document import DocumentFlow
from syncengine.mapping import compile_rules

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STATUS = {Wait: "waiting", AwaitAnswer: "waiting", Finished: "done", NeedsPerson: "failed", Stopped: "failed"}


class Crash(BaseException):
    """The process dies: nothing after it is persisted."""


@dataclass
class Row:
    """A record as the engine keeps it."""

    key: str
    source: dict[str, Any]
    flow: str = ""
    reference: str = ""
    stage: str = "received"
    status: str = "pending"
    memo: dict[str, Any] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    target: Any = None
    step: Step | None = None
    attempts: list[PastAttempt] = field(default_factory=list)
    errors: list[ConnectorError] = field(default_factory=list)

    @property
    def code(self) -> str:
        return getattr(self.step, "code", "")

    @property
    def message(self) -> str:
        return getattr(self.step, "message", "")

    @property
    def decisions(self) -> tuple[str, ...]:
        return tuple(getattr(self.step, "decisions", ()))


@dataclass
class MemoryIntent:
    """An announced write; `events` is the order in which things happened."""

    row: Row
    index: int
    engine: MemoryEngine
    entity_type: str
    key: str

    def _end(self, state: str, *, answer: Any = None, request_id: str = "", message: str = "") -> None:
        self.engine.at(f"before {state} {self.row.attempts[self.index].kind}")
        past = self.row.attempts[self.index]
        self.row.attempts[self.index] = PastAttempt(
            past.kind, past.key, state, past.started_at, past.payload, deepcopy(answer), request_id, message
        )
        self.engine.at(f"{state} {past.kind}")

    def done(self, answer: Any = None, *, request_id: str = "") -> None:
        self._end("accepted" if self.entity_type and request_id else "done", answer=answer, request_id=request_id)

    def refused(self, message: str) -> None:
        self._end("rejected", message=message)

    def unknown(self, message: str) -> None:
        self._end("unknown", message=message)


class MemoryEngine:
    """Advances records as the real engine does. `events` is what happened in order; `crash_at` dies at that event."""

    def __init__(self, flow: DocumentFlow, sap: Any, basware: Any, ctx: FlowContext) -> None:
        self.flow, self.sap, self.basware, self.ctx = flow, sap, basware, ctx
        self.now = NOON
        self.rows: dict[tuple[str, str], Row] = {}
        self.links: dict[tuple[str, int], tuple[str, Posting]] = {}
        self.cancelled: set[tuple[str, int]] = set()
        self.order_lines: dict[tuple[str, str], list[OrderLine]] = {}
        self.locks: list[tuple[str, ...]] = []
        self.held: set[tuple[str, ...]] = set()
        self.events: list[str] = []
        self.crash_at: int | None = None
        self.mapping = compile_rules(flow.default_rules())

    def at(self, event: str) -> None:
        """Note an event, or die at it."""
        if self.crash_at is not None and len(self.events) == self.crash_at:
            self.crash_at = None
            raise Crash(event)
        self.events.append(event)

    def take(self, found: Found, flow: str = "") -> Row:
        """A record of what was found, opened anew when the flow says so."""
        name = flow or self.flow.name
        row = self.rows.get((name, found.key))
        if row is None:
            row = self.rows[name, found.key] = Row(found.key, {}, name)
        elif row.status in {"pending", "waiting"} or not self.flow.reopens(self.work(row), found):
            return row
        row.source, row.reference = deepcopy(dict(found.source)), found.reference
        row.memo |= found.memo
        row.stage, row.status = "received", "pending"
        return row

    def work(self, row: Row) -> Work:
        decision = row.memo.get("decision")
        return Work(row.key, row.stage, row.source, dict(row.memo), 0, tuple(row.flags), decision)

    def run(self, row: Row) -> Row:
        """Advance until the record rests."""
        for _ in range(30):
            try:
                step = self.flow.advance(self.work(row), MemoryDesk(self, row))
            except LockHeld as busy:
                step = Wait(seconds=2, code="lock_held", message=str(busy))
            except ConnectorError as error:
                row.errors.append(error)
                row.status = "waiting"
                return row
            self.apply(row, step)
            if not isinstance(step, Continue):
                return row
        raise AssertionError(f"no end: {row.stage} {row.memo}")

    def apply(self, row: Row, step: Step) -> None:
        self.at(f"step {type(step).__name__} {step.stage or ''}".strip())
        memo = {**row.memo, **deepcopy(dict(step.memo))}
        row.memo = {name: value for name, value in memo.items() if value is not None}
        row.flags = (row.flags - set(step.cleared_flags)) | set(step.flags)
        row.notes += [note for note in step.notes if note not in row.notes]
        row.stage = step.stage or row.stage
        row.target = row.target if step.target is None else step.target
        row.source = row.source if step.source is None else deepcopy(dict(step.source))
        row.step = step
        row.status = "ignored" if isinstance(step, Ignored) else STATUS.get(type(step), "pending")

    def settle(self, row: Row, kind: str = "transfer_response", *, accepted: bool = True, message: str = "") -> Row:
        """The target's asynchronous answer."""
        step = self.flow.settled(self.work(row), MemoryDesk(self, row), kind, accepted, message)
        self.apply(row, step)
        return self.run(row) if isinstance(step, Continue) else row

    def replay(self, row: Row, **decision: Any) -> Row:
        row.memo |= {"replay": True} | ({"decision": decision} if decision else {})
        row.status = "pending"
        return self.run(row)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MemoryDesk:
    """One record's desk (protocol `flows.desk.Desk`)."""

    def __init__(self, engine: MemoryEngine, row: Row) -> None:
        self.engine, self.row = engine, row
        self.sap, self.basware, self.ctx = engine.sap, engine.basware, engine.ctx
        self.mapping = engine.mapping

    @property
    def now(self) -> datetime:
        return self.engine.now

    def announce(self, kind: str, key: str, payload: Any, *, entity_type: str = "") -> MemoryIntent:
        self.engine.at(f"announce {kind}")
        self.engine.pass_time(0.001)
        kept = deepcopy(payload)
        made = PastAttempt(kind, key, "sending", self.now, kept, None, "", "")
        same = [index for index, past in enumerate(self.row.attempts) if (past.kind, past.key) == (kind, key)]
        if same:
            self.row.attempts[same[0]] = made
        else:
            self.row.attempts.append(made)
        index = same[0] if same else len(self.row.attempts) - 1
        return MemoryIntent(self.row, index, self.engine, entity_type, key)

    def attempts(self, kind: str) -> Sequence[PastAttempt]:
        return [past for past in self.row.attempts if past.kind == kind]

    @contextmanager
    def posting_lock(self, *name: str) -> Iterator[None]:
        if name in self.engine.held:
            raise LockHeld("busy")
        self.engine.locks.append(name)
        yield

    def link(self, posting: Posting) -> None:
        self.engine.at("link")
        place = (posting.entity_set, posting.doc_entry)
        owner = self.engine.links.get(place)
        if owner is not None and owner[0] != self.row.key:
            raise AlreadyLinked(str(place))
        self.engine.links[place] = (self.row.key, posting)

    def posting(self) -> Posting | None:
        mine = [
            posting
            for place, (key, posting) in self.engine.links.items()
            if key == self.row.key and place not in self.engine.cancelled
        ]
        return mine[-1] if mine else None

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        found = {entry: self.engine.links.get((entity_set, entry)) for entry in doc_entries}
        return {entry: link[1] for entry, link in found.items() if link}

    def order_line(self, order_number: str, line_number: str) -> Sequence[OrderLine]:
        return self.engine.order_lines.get((order_number, line_number), [])

    def invoiced_on_order_line(self, doc_entry: int, line_num: int) -> Decimal:
        others = [row for row in self.engine.rows.values() if row is not self.row]
        place = f"{doc_entry}/{line_num}"
        return sum((row.memo.get("unlinked_order_lines", {}).get(place, Decimal(0)) for row in others), Decimal(0))

    def sent_key(self, flow: str, key: str) -> str | None:  # the protocol's
        return None

    def invoice(self, invoice_id: str) -> InvoiceState | None:
        row = self.engine.rows.get(("invoices", invoice_id))
        return None if row is None else InvoiceState(row.stage, row.status, row.source, row.memo)

    def kin(self, flow: str, reference: str) -> Sequence[Kin]:
        return kin_of(self.engine, flow, reference)

    def mark_paid(self, invoice_key: str, *, paid: bool = True) -> None:
        self.engine.rows["invoices", invoice_key].stage = "paid" if paid else "confirmed"

    def mark_cancelled(self, posting: Posting) -> None:
        self.engine.cancelled.add((posting.entity_set, posting.doc_entry))

    def audit(self, action: str, message: str, **data: Any) -> None:
        pass


def kin_of(engine: MemoryEngine, flow: str, reference: str) -> list[Kin]:
    rows = [row for row in engine.rows.values() if row.flow == flow and row.reference == reference]
    return [Kin(row.key, row.status, row.source, row.memo) for row in rows]


class MemoryArchive:
    """What finding documents may ask (protocol `flows.document.Archive`)."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self.sap, self.basware, self.ctx = engine.sap, engine.basware, engine.ctx

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        found = {entry: self._engine.links.get((entity_set, entry)) for entry in doc_entries}
        return {entry: link[1] for entry, link in found.items() if link}

    def postings_to_watch(self, after: int, limit: int) -> Sequence[Posting]:
        links = [link for place, link in self._engine.links.items() if place not in self._engine.cancelled]
        postings = [posting for _, posting in links if posting.doc_entry > after]
        return sorted(postings, key=lambda posting: posting.doc_entry)[:limit]

    def postings_without(self, flow: str, days: int, limit: int) -> Sequence[Posting]:
        found = [posting for _, posting in self._engine.links.values()]
        return [one for one in found if (flow, f"{one.invoice_id}/{one.doc_entry}") not in self._engine.rows][:limit]

    def kin(self, flow: str, references: Sequence[str]) -> Mapping[str, Sequence[Kin]]:
        return {reference: kin_of(self._engine, flow, reference) for reference in references}
