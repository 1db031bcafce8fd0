"""Going a document's whole way without writing anything anywhere: what would happen, and what is in the way.

Three nets, each tight by itself: the transports refuse every request that writes, the clients answer writes
themselves without making one, and the desk keeps its rows in memory. What is only read is read for real.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from syncengine.connectors.basware import Basware, ResponseReceipt
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.http import Judge, Request, Response, Transport
from syncengine.connectors.rest_erp import RestErp
from syncengine.connectors.sap_b1 import SapB1
from syncengine.engine.connections import Systems
from syncengine.engine.desk import DbDesk
from syncengine.engine.documents import MOST_STEPS
from syncengine.engine.records import sentence
from syncengine.engine.steps import merge_step, work_of
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import (
    AwaitAnswer,
    Continue,
    Finished,
    NeedsPerson,
    PastAttempt,
    Posting,
    Step,
    Stopped,
    Wait,
)
from syncengine.flows.document import DocumentFlow
from syncengine.mapping import FieldMapping
from syncengine.models import AttemptState, Record

RECEIPT = "rehearsed, not sent"
UNSAVED = 0


class WriteRefused(Exception):
    """Something would have been written although nothing may be: a fault of ours, and nothing has happened."""


class ReadOnly:
    """A `Transport` through which nothing is written; logging in is not writing."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def send(self, request: Request, judge: Judge) -> Response:
        """See `Transport.send`. Raises WriteRefused."""
        if request.writes:
            raise WriteRefused(f"{request.method} {request.url}")
        return self._inner.send(request, judge)


class ReachedPost(Exception):
    """The document would be posted now: what follows depends on what SAP makes of it."""

    def __init__(self, entity_set: str, body: Mapping[str, Any]) -> None:
        super().__init__(entity_set)
        self.entity_set = entity_set
        self.body = dict(body)


class RehearsedErp:
    """The client, log-in shared: reads for real, a post ends the rehearsal, a change is taken as done."""

    def __init__(self, client: ErpClient) -> None:
        self.__dict__.update(client.__dict__, transport=ReadOnly(client.transport))

    def create(self, entity_set: str, body: Mapping[str, Any]) -> NoReturn:
        """Raises ReachedPost."""
        raise ReachedPost(entity_set, body)

    def update(self, *_args: Any, **_options: Any) -> None:
        return

    def upload(self, name: str, content: bytes, entry: int | None = None) -> NoReturn:
        """Raises ReachedPost."""
        raise ReachedPost("Attachments2", {"name": name, "size": len(content), "entry": entry})


class RehearsedSap(RehearsedErp, SapB1):
    """SAP, as of a rehearsal."""


class RehearsedRest(RehearsedErp, RestErp):
    """The REST ERP, as of a rehearsal."""


class RehearsedBasware(Basware):
    """The client, token shared: reads for real, a claim is ours, an answer is accepted."""

    def __init__(self, client: Basware) -> None:
        self.__dict__.update(client.__dict__)
        self.session = client.session.through(ReadOnly)

    def acknowledge(self, _invoice_id: str) -> bool:
        return True

    def respond(self, *_args: Any) -> ResponseReceipt:
        return ResponseReceipt(RECEIPT)


def read_only(both: Systems) -> Systems:
    """Both clients, through which nothing is written."""
    erp = RehearsedRest(both.sap) if isinstance(both.sap, RestErp) else RehearsedSap(both.sap)
    return Systems(erp, RehearsedBasware(both.basware), both.calls)


class _NullIntent:
    """An announcement that is kept nowhere."""

    def __init__(self, key: str) -> None:
        self.key = key

    def done(self, answer: Any = None, *, request_id: str = "") -> None:
        return

    def refused(self, message: str) -> None:
        return

    def unknown(self, message: str) -> None:
        return


class RehearsalDesk(DbDesk):
    """Reads what the database knows, and keeps to itself what would be written."""

    def __init__(self, record: Record, both: Systems, ctx: FlowContext, mapping: FieldMapping) -> None:
        super().__init__(record, both, ctx, mapping)
        self.announced: list[PastAttempt] = []
        self.linked: Posting | None = None
        self._cancelled: set[tuple[str, int]] = set()

    def announce(self, kind: str, key: str, payload: Any, *, entity_type: str = "") -> Any:
        state = AttemptState.ACCEPTED if entity_type else AttemptState.DONE
        answer = {"claimed": True} if kind == "acknowledge" else None
        self.announced.append(PastAttempt(kind, key, state, self.now, payload, answer, "", ""))
        return _NullIntent(key)

    def attempts(self, kind: str) -> Sequence[PastAttempt]:
        return [*super().attempts(kind), *(one for one in self.announced if one.kind == kind)]

    @contextmanager
    def posting_lock(self, *_name: str) -> Iterator[None]:
        """Nothing is posted, so nobody is kept out."""
        yield

    def link(self, posting: Posting) -> None:
        self.linked = posting

    def posting(self) -> Posting | None:
        found = self.linked or super().posting()
        return None if found is None or (found.entity_set, found.doc_entry) in self._cancelled else found

    def mark_cancelled(self, posting: Posting) -> None:
        self._cancelled.add((posting.entity_set, posting.doc_entry))

    def mark_paid(self, *_args: Any, **_options: Any) -> None:
        return

    def audit(self, *_args: Any, **_options: Any) -> None:
        return


@dataclass(frozen=True)
class Rehearsal:
    """What would happen: `would` for machines, `message` for people. `target` is None when nothing could be built.

    `linked` is the document in SAP that the record would be linked to, `code` why it would fail.
    """

    would: str
    message: str
    source: Mapping[str, Any]
    target: Any = None
    problems: Sequence[dict[str, str]] = field(default_factory=list)
    hint: str = ""
    code: str = ""
    linked: int | None = None


def rehearse(
    flow: DocumentFlow, record: Record, both: Systems, context: FlowContext, mapping: FieldMapping
) -> Rehearsal:
    """Take the record as far as it would go now, with clients that are `read_only`.

    It is changed in memory and must not be saved. Raises ConnectorError when a system cannot be asked.
    """
    if not (isinstance(both.sap, RehearsedErp) and isinstance(both.basware, RehearsedBasware)):
        raise WriteRefused("a rehearsal with clients that write")
    if record._state.adding:
        record.pk = UNSAVED  # no row has it, so nothing of another is taken for its own
    tried = record.target
    record.target = None
    desk = RehearsalDesk(record, both, context, mapping)
    for _ in range(MOST_STEPS):
        try:
            step = flow.advance(work_of(record), desk)
        except ReachedPost as post:
            body = {"entity_set": post.entity_set, **post.body}
            return Rehearsal("post", f"It would be posted to SAP as {post.entity_set}.", record.source or {}, body)
        merge_step(record, step)
        if not isinstance(step, Continue):
            return _ended(step, record, desk, tried)
    return Rehearsal("fail", "It would not come to an end.", record.source or {})


def _ended(step: Step, record: Record, desk: RehearsalDesk, tried: Any) -> Rehearsal:
    source, target = record.source or {}, record.target
    match step:
        case NeedsPerson():
            problems = [{**problem.to_dict(), "message": sentence(problem.message)} for problem in step.problems]
            would = "ask" if step.decisions else "fail"
            return Rehearsal(would, _told_too(step.message, desk), source, target, problems, step.hint, step.code)
        case Stopped():
            return Rehearsal("stop", sentence(step.message), source, target, hint=step.hint)
        case Wait():
            return Rehearsal("wait", sentence(step.message) or "It would wait.", source, target, hint=step.hint)
        case AwaitAnswer():
            number = desk.linked.doc_num if desk.linked else None
            return Rehearsal("confirm", _confirmation(number), source, target or tried, linked=number)
        case Finished() if desk.linked is not None:
            number = desk.linked.doc_num
            message = f"It would be linked to {number} in SAP."
            return Rehearsal("adopt", message, source, target or tried, linked=number)
    return Rehearsal("nothing", "Nothing is left to do.", source, target or tried)


def _told_too(message: str, desk: RehearsalDesk) -> str:
    """A failure of which Basware would be told is one that a person there can mend."""
    answers = [one.payload for one in desk.announced if one.kind == "transfer_response"]
    told = "".join(f" Basware would be told: {body.get('responseMessage')}" for body in answers if body)
    return sentence(message) + told


def _confirmation(number: int | None) -> str:
    linked = f"It would be linked to {number} in SAP, and Basware" if number else "Basware"
    return f"{linked} would be told."
