"""What Basware says later of a single response to a document (contracts: Basware §5, §14.7)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils import timezone

from syncengine.engine import mappings
from syncengine.engine.connections import Systems, systems
from syncengine.engine.context import flow_context
from syncengine.engine.desk import DbDesk
from syncengine.engine.documents import apply_step, work_of
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.records import set_pending
from syncengine.flows import registry
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Continue
from syncengine.flows.document import DocumentFlow
from syncengine.models import Attempt, AttemptState, Record, RecordStatus
from tenants.models import Integration

NO_ANSWER = "no_answer"
ANSWER_FAILED = "answer_failed"


@dataclass
class Shared:
    """What the answers that come together have in common, looked up once."""

    integration: Integration
    both: Systems
    _known: dict[str, tuple[CurrentMapping, FlowContext]] = field(default_factory=dict)

    def of(self, flow: DocumentFlow, record: Record) -> tuple[CurrentMapping, FlowContext]:
        """The mapping and the context for a record of the flow."""
        if flow.name not in self._known:
            current = mappings.current(self.integration, flow.name)
            self._known[flow.name] = current, flow_context(self.integration, flow, self.both)
        mapping, context = self._known[flow.name]
        if record.pinned_version is not None:
            mapping = mappings.for_record(record)
        return mapping, replace(context, lookups=mapping.lookups)


def answer_came(
    integration: Integration, attempt: Attempt, *, confirmed: bool, message: str, shared: Shared | None = None
) -> bool:
    """The target's asynchronous answer to a response: the flow says what follows.

    False while the worker that sent the response has not put its record down yet: the answer is asked for again.
    """
    if shared is None:
        with systems(integration) as both:
            alone = Shared(integration, both)
            return answer_came(integration, attempt, confirmed=confirmed, message=message, shared=alone)
    assert attempt.record is not None  # only batches have none
    record = Record.objects.select_related("integration__organization", "run").get(pk=attempt.record.pk)
    if record.status == RecordStatus.IN_PROGRESS:
        return False
    if _awaits(record, attempt):
        _settle(shared, record, attempt, confirmed=confirmed, message=message)
    else:
        _show(record, confirmed=confirmed, message=message)
    # Only now: a crash before leaves an answer to be asked for again, never a record that nobody asks for.
    state = AttemptState.SETTLED if confirmed else AttemptState.REJECTED
    Attempt.objects.filter(pk=attempt.pk).update(
        state=state, message=message, finished_at=timezone.now(), next_poll_at=None
    )
    return True


def _awaits(record: Record, attempt: Attempt) -> bool:
    """Whether it is this answer that the record waits for, be it a day late."""
    waits = record.status == RecordStatus.WAITING and record.next_attempt_at is None
    given_up = record.status == RecordStatus.FAILED and record.error_code == NO_ANSWER
    newest = Attempt.objects.filter(record=record, kind=attempt.kind).order_by("-started_at", "-id").first()
    return (waits or given_up) and newest is not None and newest.pk == attempt.pk


def _settle(shared: Shared, record: Record, attempt: Attempt, *, confirmed: bool, message: str) -> None:
    flow = registry.get(record.flow)
    assert isinstance(flow, DocumentFlow)  # only those send single responses
    mapping, context = shared.of(flow, record)
    desk = DbDesk(record, shared.both, context, mapping.compiled)
    step = flow.settled(work_of(record), desk, attempt.kind, confirmed, message)
    with transaction.atomic():
        if not _is_unchanged(record):
            return  # another worker has read the same answer, and was quicker
        record.flags = [flag for flag in record.flags if flag != NO_ANSWER]
        apply_step(flow, record, step)
        if isinstance(step, Continue):
            set_pending(record, timezone.now())
            record.save()


def _is_unchanged(record: Record) -> bool:
    """Whether it still waits as it did when it was read; locks it until the transaction ends."""
    same = Record.objects.filter(
        pk=record.pk, status=record.status, error_code=record.error_code, next_attempt_at=record.next_attempt_at
    )
    return bool(same.select_for_update(no_key=True).values_list("pk", flat=True))


def _show(record: Record, *, confirmed: bool, message: str) -> None:
    """A refusal of ours that Basware accepted and then did not carry out is flagged: its clerk knows nothing of it."""
    record.flags = sorted(({*record.flags} - {ANSWER_FAILED}) | (set() if confirmed else {ANSWER_FAILED}))
    if not confirmed:
        record.notes = [*record.notes, f"Basware did not carry out our answer: {message or 'no reason given'}"]
    record.save(update_fields=["flags", "notes", "updated_at"])
