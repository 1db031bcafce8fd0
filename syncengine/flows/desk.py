"""What a document flow may ask of the engine while it works on one record, and what it answers.

Document flows (invoices, payments) advance one record step by step. They know no database: the engine
hands them a `Desk`, whose every deed is durable before it returns, and persists each `Step` they return
before the next one starts. So a flow that dies anywhere can be started again from the last step.
document.py has the base class of document flows and what finding them may ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from syncengine.connectors.basware import Basware
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.outcomes import ConnectorError, OutcomeUnknown
from syncengine.flows.company import FlowContext
from syncengine.mapping import FieldMapping, Problem


@dataclass(frozen=True)
class Found:
    """A business object that a document flow found in its source; the engine makes one record of it.

    `memo` is merged into the record's memo; `party` is the vendor code, `reference` the number people search for;
    `offered_at` is when the source began to offer it, where the source says so.
    """

    key: str
    title: str
    source: Mapping[str, Any]
    amount: Decimal | None = None
    currency: str = ""
    reference: str = ""
    party: str = ""
    search: str = ""
    memo: Mapping[str, Any] = field(default_factory=dict)
    offered_at: datetime | None = None


@dataclass(frozen=True)
class PastAttempt:
    """An earlier remote write for this record. `state` as in `AttemptState`."""

    kind: str
    key: str
    state: str
    started_at: datetime
    payload: Any
    answer: Any
    request_id: str
    message: str


@dataclass(frozen=True)
class Posting:
    """The SAP document that belongs to a record (model `PostedDocument`)."""

    record_key: str
    entity_set: str
    doc_entry: int
    doc_num: int
    invoice_id: str
    card_code: str
    num_at_card: str
    adopted: bool


@dataclass(frozen=True)
class OrderLine:
    """An order line that we sent to Basware, found again by the numbers that a coding row names."""

    doc_entry: int
    line_num: int
    card_code: str


class AlreadyLinked(Exception):
    """That SAP document belongs to another Basware invoice."""


class LockHeld(Exception):
    """Another worker holds the posting lock: try again in a moment."""


@dataclass(frozen=True)
class InvoiceState:
    """Where an invoice's record stands, for the payments that wait for it."""

    stage: str
    status: str
    source: Mapping[str, Any]
    memo: Mapping[str, Any]


@dataclass(frozen=True)
class Kin:
    """Another record of the flow that belongs to the same thing (payments: the lines paid on one invoice)."""

    key: str
    status: str
    source: Mapping[str, Any]
    memo: Mapping[str, Any]


class Intent(Protocol):
    """A write that has been announced; say how it ended."""

    key: str

    def done(self, answer: Any = None, *, request_id: str = "") -> None:
        """It happened. With an entity type the target's asynchronous answer is awaited, else that is all."""
        ...

    def refused(self, message: str) -> None:
        """The target refused, or nothing was sent: it did not happen."""
        ...

    def unknown(self, message: str) -> None:
        """It may have happened."""
        ...


def note_failure(intent: Intent, error: ConnectorError, *, in_doubt: bool = False) -> None:
    """How a write ended that raised. `in_doubt`: an earlier try under the same key may have happened.

    What stopped the repeat (a limit, a system left alone) says nothing about the first try: the doubt stays.
    """
    end = intent.unknown if in_doubt or isinstance(error, OutcomeUnknown) else intent.refused
    end(error.message)


class Desk(Protocol):
    """The engine's services for one record, each durable when it returns."""

    sap: ErpClient
    basware: Basware
    ctx: FlowContext

    @property
    def mapping(self) -> FieldMapping:
        """The customer's rules of this flow, compiled."""
        ...

    @property
    def now(self) -> datetime:
        """The moment, aware."""
        ...

    def announce(self, kind: str, key: str, payload: Any, *, entity_type: str = "") -> Intent:
        """Write down what will be sent, before it is sent. The same key again reuses its row."""
        ...

    def attempts(self, kind: str) -> Sequence[PastAttempt]:
        """Earlier writes of that kind for this record, oldest first."""
        ...

    def posting_lock(self, *name: str) -> AbstractContextManager[None]:
        """Hold the lock named by the parts, across integrations. Raises LockHeld."""
        ...

    def link(self, posting: Posting) -> None:
        """Say that this SAP document is this record's. Raises AlreadyLinked."""
        ...

    def posting(self) -> Posting | None:
        """The SAP document of this record, if there is one that was not cancelled."""
        ...

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        """Documents of this integration by DocEntry."""
        ...

    def order_line(self, order_number: str, line_number: str) -> Sequence[OrderLine]:
        """Every order line of this integration that was sent under these numbers."""
        ...

    def invoiced_on_order_line(self, doc_entry: int, line_num: int) -> Decimal:
        """Net sum that other posted invoices of this integration took from that line without linking it in SAP."""
        ...

    def sent_key(self, flow: str, key: str) -> str | None:
        """The external code under which that master-data record was sent, None when it was not."""
        ...

    def invoice(self, invoice_id: str) -> InvoiceState | None:
        """How far this integration's record of that invoice is; None when there is none."""
        ...

    def kin(self, flow: str, reference: str) -> Sequence[Kin]:
        """The records of that flow with this reference, this one included, in the order of their making."""
        ...

    def mark_paid(self, invoice_key: str, *, paid: bool = True) -> None:
        """Move the stage of an invoice's record to paid, or back to confirmed when a payment was reversed."""
        ...

    def mark_cancelled(self, posting: Posting) -> None:
        """Say that this SAP document is cancelled there: it belongs to its invoice no more, another may."""
        ...

    def audit(self, action: str, message: str, **data: Any) -> None:
        """An event on the record's timeline."""
        ...


@dataclass(frozen=True)
class Work:
    """The record as it stands. `decision` is what a person decided: {"decision", "document", "reason"}."""

    key: str
    stage: str
    source: Mapping[str, Any]
    memo: Mapping[str, Any]
    attempts: int
    flags: Sequence[str]
    decision: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Step:
    """Base of what `advance` returns. Everything in it is persisted before anything else happens.

    `memo` is merged into the record's memo (None values remove), `flags` are added, `cleared_flags` removed,
    `target` replaces the stored target payload, `stage` moves the stage, `source` replaces the stored source.
    """

    stage: str | None = None
    memo: Mapping[str, Any] = field(default_factory=dict)
    flags: Sequence[str] = ()
    cleared_flags: Sequence[str] = ()
    notes: Sequence[str] = ()
    target: Any = None
    source: Mapping[str, Any] | None = None
    target_keys: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Continue(Step):
    """Persist, then advance again."""


@dataclass(frozen=True)
class Wait(Step):
    """Nothing can be done now: again after `seconds`, or when something else wakes the record."""

    seconds: float = 60
    code: str = ""
    message: str = ""
    hint: str = ""


@dataclass(frozen=True)
class AwaitAnswer(Step):
    """All is sent; the target's asynchronous answer to the announced write decides."""


@dataclass(frozen=True)
class Finished(Step):
    """Done, for now and for good."""


@dataclass(frozen=True)
class NeedsPerson(Step):
    """Only a person can go on; `decisions` names what is open to them."""

    code: str = "problems"
    message: str = ""
    hint: str = ""
    problems: Sequence[Problem] = ()
    decisions: Sequence[str] = ()


@dataclass(frozen=True)
class Stopped(Step):
    """Not ours to work on any more (removed, returned, transferred by others): shown, nothing done."""

    code: str = "stopped"
    message: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Ignored(Stopped):
    """A person decided to leave it alone, and Basware knows (given back)."""
