"""What Basware says later of single responses to documents (contracts: Basware §5, §14.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from syncengine.engine import mappings
from syncengine.engine.connections import Systems
from syncengine.engine.context import flow_context
from syncengine.engine.desk import DbDesk
from syncengine.engine.leases import LeaseLost
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.records import set_pending, write
from syncengine.engine.steps import PUT_DOWN, Ending, apply_step, finish, merge_step, work_of
from syncengine.flows import registry
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Continue, Finished, Step
from syncengine.flows.document import DocumentFlow
from syncengine.models import Attempt, AttemptState, Record, RecordStatus
from tenants.models import Integration

NO_ANSWER = "no_answer"
ANSWER_FAILED = "answer_failed"
AT_ONCE = 20
WAITS_AS_READ = ("status", "error_code", "next_attempt_at", "updated_at")
"""What its row says as long as a record waits as it did when it was read."""


@dataclass(frozen=True)
class Answer:
    """The target's asynchronous answer to the response that was sent with this attempt."""

    attempt: Attempt
    confirmed: bool
    message: str = ""


class Answers:
    """Answers that come together: what they have in common is looked up once, and what they end is written at once.

    What is settled leaves `open_ones`, attempts by their request. The rest is asked for again: while the worker that
    sent the response has not put its record down yet, or when somebody else went on with it just now.
    """

    def __init__(self, integration: Integration, both: Systems, open_ones: dict[str, Attempt]) -> None:
        self._integration = integration
        self._both = both
        self._known: dict[str, tuple[CurrentMapping, FlowContext]] = {}
        self._waiting: list[Answer] = []
        self.open_ones = open_ones

    def add(self, answer: Answer) -> None:
        self._waiting.append(answer)
        if len(self._waiting) >= AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Let the flow of each record say what follows. One that cannot be asked leaves those before it settled."""
        answers, self._waiting = self._waiting, []
        records, newest = self._records(answers), _newest(answers)
        endings: dict[int, tuple[Answer, Ending]] = {}
        try:
            for answer in answers:
                record = records[answer.attempt.record_id or 0]
                if record.status == RecordStatus.IN_PROGRESS or record.pk in endings:
                    continue
                if _awaits(record) and newest[record.pk, answer.attempt.kind] == answer.attempt.pk:
                    ending = self._go_on(record, answer)
                    endings |= {record.pk: (answer, ending)} if ending else {}
                else:
                    _show(record, answer)
                    self._note([answer])
        finally:
            if endings:
                lost = finish(self._integration, [ending for _, ending in endings.values()])
                self._note([answer for answer, ending in endings.values() if ending not in lost])

    def _go_on(self, record: Record, answer: Answer) -> Ending | None:
        """What ends the record is given back, to be written with others; any other step is persisted."""
        flow, step = self._step(record, answer)
        still = {name: getattr(record, name) for name in WAITS_AS_READ}
        record.flags = [flag for flag in record.flags if flag != NO_ANSWER]
        if isinstance(step, Finished):
            return Ending(flow, record, step, still)
        try:
            if isinstance(step, Continue):
                merge_step(record, step)
                set_pending(record, timezone.now())
                write(record, [*PUT_DOWN, "source", "target"], still)
            else:
                apply_step(flow, record, step, still)
        except LeaseLost:  # another worker has read the same answer, and was quicker
            return None
        self._note([answer])
        return None

    def _records(self, answers: Sequence[Answer]) -> dict[int, Record]:
        rows = Record.objects.in_bulk([answer.attempt.record_id for answer in answers])
        for record in rows.values():
            record.integration = self._integration
        return rows

    def _step(self, record: Record, answer: Answer) -> tuple[DocumentFlow, Step]:
        flow = registry.get(record.flow)
        assert isinstance(flow, DocumentFlow)  # only those send single responses
        mapping, context = self._for(flow, record)
        desk = DbDesk(record, self._both, context, mapping.compiled)
        return flow, flow.settled(work_of(record), desk, answer.attempt.kind, answer.confirmed, answer.message)

    def _for(self, flow: DocumentFlow, record: Record) -> tuple[CurrentMapping, FlowContext]:
        """The mapping and the context for a record of the flow."""
        if flow.name not in self._known:
            current = mappings.current(self._integration, flow.name)
            self._known[flow.name] = current, flow_context(self._integration, flow, self._both)
        mapping, context = self._known[flow.name]
        if record.pinned_version is not None:
            mapping = mappings.for_record(record)
        return mapping, replace(context, lookups=mapping.lookups)

    def _note(self, done: Sequence[Answer]) -> None:
        """Only now: a crash before leaves an answer to be asked for again, never a record that nobody asks for."""
        alike: dict[tuple[AttemptState, str], list[int]] = defaultdict(list)
        for answer in done:
            state = AttemptState.SETTLED if answer.confirmed else AttemptState.REJECTED
            alike[state, answer.message].append(answer.attempt.pk)
            self.open_ones.pop(answer.attempt.request_id, None)
        for (state, message), pks in alike.items():
            Attempt.objects.filter(pk__in=pks).update(
                state=state, message=message, finished_at=timezone.now(), next_poll_at=None
            )


def _newest(answers: Sequence[Answer]) -> dict[tuple[int | None, str], int]:
    """The last attempt of each kind for each of these records."""
    rows = Attempt.objects.filter(record__in=[answer.attempt.record_id for answer in answers])
    return {
        (record, kind): pk
        for record, kind, pk in rows.order_by("started_at", "id").values_list("record_id", "kind", "pk")
    }


def _awaits(record: Record) -> bool:
    """Whether the record waits for an answer, be it a day late."""
    waits = record.status == RecordStatus.WAITING and record.next_attempt_at is None
    return waits or (record.status == RecordStatus.FAILED and record.error_code == NO_ANSWER)


def _show(record: Record, answer: Answer) -> None:
    """A refusal of ours that Basware accepted and then did not carry out is flagged: its clerk knows nothing of it."""
    record.flags = sorted(({*record.flags} - {ANSWER_FAILED}) | (set() if answer.confirmed else {ANSWER_FAILED}))
    if not answer.confirmed:
        said = answer.message or "no reason given"
        record.notes = [*record.notes, f"Basware did not carry out our answer: {said}"]
    record.save(update_fields=["flags", "notes", "updated_at"])
