"""What a person may do to a record: replay, resend, ignore, decide, hold. Each deed is audited with who and why.

`bulk_replays` replays many as one act, `wishes` those that were asked for while a worker held the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine import mappings
from syncengine.engine.connections import systems
from syncengine.engine.context import flow_context
from syncengine.engine.desk import DbDesk
from syncengine.engine.gate import Caller
from syncengine.engine.planned import forget_plan
from syncengine.engine.records import (
    HELD_BY_PERSON,
    Trouble,
    count,
    fail_those_held_back_by,
    finish_if_settled,
    release,
    sentence,
    set_failed,
    set_pending,
)
from syncengine.engine.runs import ActionRefused
from syncengine.engine.steps import work_of
from syncengine.engine.wake import wake
from syncengine.flows import registry
from syncengine.flows.document import DocumentFlow
from syncengine.flows.invoicing.case import FAILED as TRANSFER_FAILED
from syncengine.flows.master import MasterDataFlow
from syncengine.models import Attempt, AttemptState, ItemOutcome, Record, RecordStatus, Stage

INVOICES = "invoices"
IN_DOUBT = (AttemptState.SENDING, AttemptState.ACCEPTED, AttemptState.UNKNOWN)


class MappingOf(StrEnum):
    """With which version of the field mapping a record is replayed: the one in force, or the one it was mapped with."""

    TODAY = "today"
    THEN = "then"


def replay(record: Record, actor: str, reason: str = "", mapping: str = MappingOf.TODAY) -> Record:
    """Run the record's open step again; it is pending when this returns, or will be when its worker lets go of it.

    One whose import ended in an error goes with its resend field changed if nothing else differs (Basware §3.7).
    """
    with _deed(record) as current:
        version = version_of(current, mapping)
        if current.status == RecordStatus.IN_PROGRESS:
            _remember(current, actor, reason, version)
        else:
            again(current, version)
            _tell(current, actor, "record.replayed", reason, **words_of_version(current, version))
    return current


def version_of(record: Record, mapping: str) -> int | None:
    """The version to pin: None for today's. Refused when that of then cannot be used any more."""
    if mapping != MappingOf.THEN:
        return None
    try:
        return mappings.of_version(record.integration, record.flow, record.mapping_version).version
    except mappings.VersionGone as gone:
        raise ActionRefused(str(gone), field="mapping", code="mapping_gone") from gone


def words_of_version(record: Record, version: int | None) -> dict[str, Any]:
    """What the trail says of the mapping that was chosen."""
    return {"mapping": "today"} if version is None else {"mapping": "then", "mapping_version": version}


def _remember(record: Record, actor: str, reason: str, version: int | None) -> None:
    """A worker holds the record: what was asked for is written where the worker does not write, and done after it."""
    wish = {"actor": actor, "reason": reason, "version": version}
    record.wishes = [*(record.wishes or ()), wish]
    Record.objects.filter(pk=record.pk).update(wishes=record.wishes)
    _tell(record, actor, "record.replay_remembered", reason, **words_of_version(record, version))


@contextmanager
def _deed(record: Record) -> Iterator[Record]:
    """The record locked for the length of the block, stored at its end; a run that only waited for it ends."""
    with transaction.atomic():
        rows = Record.objects.select_for_update(no_key=True, of=("self",)).select_related("integration__organization")
        record = rows.get(pk=record.pk)
        run_id = record.run_id
        yield record
        record.save()
        if record.wishes and record.status != RecordStatus.IN_PROGRESS:
            Record.objects.filter(pk=record.pk).update(wishes=None)  # the last deed counts
        finish_if_settled(run_id)


def again(record: Record, version: int | None = None, **memo: Any) -> None:
    """Pending, to be read and mapped afresh, with that version or today's mapping; does not save."""
    _refuse_in_progress(record)
    if record.error_code in ("import_failed", "rejected", "no_answer"):
        memo["resend_if_same"] = True
    forget_plan(record)
    record.memo = {**record.memo, "replay": True, **memo}
    record.pinned_version = version
    record.part = ""
    record.run = None
    record.attempts = 0
    record.blocked_by = None
    set_pending(record, timezone.now())


def _refuse_in_progress(record: Record) -> None:
    if record.status == RecordStatus.IN_PROGRESS:
        raise ActionRefused("The record is being worked on right now.", code="in_progress")


def resend(record: Record, actor: str, reason: str = "") -> Record:
    """Send an unchanged master-data record again, with its resend field changed so that Basware takes it."""
    if isinstance(registry.get(record.flow), DocumentFlow):
        raise ActionRefused("Only master data can be resent; replay this record instead.", code="not_resendable")
    with _deed(record) as current:
        again(current)
        current.memo.pop("resend_if_same", None)
        current.resend_mark += 1
        _tell(current, actor, "record.resent", reason, mark=current.resend_mark)
    return current


def ignore(record: Record, actor: str, reason: str, *, give_back: bool = False, booked_as: int | None = None) -> Record:
    """Leave the record alone for good. An invoice that we hold needs `give_back` or `booked_as`, a DocNum in SAP.

    Raises NotConfigured and ConnectorError when SAP cannot be asked for that number.
    """
    if not reason.strip():
        raise ActionRefused("Say why the record is ignored.", field="reason", code="required")
    answers = give_back or booked_as is not None
    if answers and record.flow != INVOICES:
        message = "Only an invoice is given back or booked by hand."
        raise ActionRefused(message, field="give_back" if give_back else "booked_as", code="no_invoice")
    if booked_as is not None and not give_back:
        _check_number(record, booked_as)
    with _deed(record) as current:
        _refuse_in_progress(current)
        if answers or _is_held(current):
            _answer_and_ignore(current, reason, give_back=give_back, booked_as=booked_as)
        else:
            release(current)
            current.status, current.next_attempt_at, current.blocked_by = RecordStatus.IGNORED, None, None
        _tell(current, actor, "record.ignored", reason, give_back=give_back, booked_as=booked_as)
    return current


def _is_held(record: Record) -> bool:
    """An invoice that was acknowledged to Basware and not answered: TransferFailed is what follows a false answer."""
    claimed = record.stage in (Stage.ACKNOWLEDGED, Stage.CHECKED, Stage.POSTED)
    return record.flow == INVOICES and claimed and (record.memo or {}).get("status") != TRANSFER_FAILED


def _check_number(record: Record, number: int) -> None:
    """Ask SAP for the document that was booked by hand; no transaction is open meanwhile."""
    flow = registry.get(record.flow)
    assert isinstance(flow, DocumentFlow)  # invoices are
    with systems(record.integration, Caller.PERSON) as both:
        mapping = mappings.current(record.integration, flow.name)
        desk = DbDesk(record, both, flow_context(record.integration, flow, both), mapping.compiled)
        refusal = flow.refuses_number(work_of(record), desk, number)
    if refusal:
        raise ActionRefused(sentence(refusal), field="booked_as", code="booked_as")


def _answer_and_ignore(record: Record, reason: str, *, give_back: bool, booked_as: int | None) -> None:
    if give_back == (booked_as is not None):
        raise ActionRefused(
            "Basware waits for an answer to this invoice: give it back, or name the SAP document it is booked as.",
            field="give_back",
            code="required",
        )
    how = "give_back" if give_back else "booked_as"
    if record.stage in (Stage.CONFIRMED, Stage.PAID):
        message = "Basware has its answer to this invoice: ignore it with a reason alone."
        raise ActionRefused(message, field=how, code="answered")
    again(record, decision={"decision": how, "document": booked_as, "reason": reason})


def decide(record: Record, actor: str, decision: str, document: int | None = None, reason: str = "") -> Record:
    """Decide what the product put before a person; only a decision that the record names is open."""
    with _deed(record) as current:
        if decision not in current.decisions:
            raise ActionRefused(
                f"{decision or 'This'} is not open for the record now.", field="decision", code="not_open"
            )
        if isinstance(registry.get(current.flow), MasterDataFlow):
            _answer_held(current, decision)
        else:
            again(current, decision={"decision": decision, "document": document, "reason": reason})
        _tell(current, actor, "record.decided", reason, decision=decision, document=document)
    return current


def _answer_held(record: Record, decision: str) -> None:
    """A held change of master data: it is sent from now on, or the object is closed in the target (`close`)."""
    memo: dict[str, Any] = record.memo or {}
    answer = "closed" if decision == "close" else "approved"
    mark = (memo.get("held") or {}).get("mark", "")
    again(record, None, **{answer: sorted({*memo.get(answer, ()), mark})})


def hold(record: Record, actor: str, reason: str = "") -> Record:
    """Cancel the next try of a record that waits for it; a replay takes it up again.

    Only where nothing is in doubt at the target: what may have been done there is found out, never put aside.
    """
    with _deed(record) as current:
        _refuse_in_progress(current)
        if not _has_next_try(current):
            raise ActionRefused("No next try of this record is planned.", code="not_waiting")
        if _is_in_doubt(current):
            message = "The target may have taken the last call: that is found out first, by itself."
            raise ActionRefused(message, code="in_doubt")
        why = f"Held by {actor}: {reason.strip()}" if reason.strip() else f"Held by {actor}."
        set_failed(current, Trouble(HELD_BY_PERSON, why, "Replay it when it is to go on."))
        count(current.run_id, failed=1)
        _tell(current, actor, "record.held", reason)
        fail_those_held_back_by([current])
    return current


def can_hold(record: Record) -> bool:
    """Whether a next try is planned and nothing is in doubt; what the page offers."""
    return _has_next_try(record) and not _is_in_doubt(record)


def _has_next_try(record: Record) -> bool:
    waits = record.status in (RecordStatus.PENDING, RecordStatus.WAITING)
    return waits and record.next_attempt_at is not None


def _is_in_doubt(record: Record) -> bool:
    """A write that may have happened, an answer that is still to come, or a draft that SAP may yet approve."""
    memo = record.memo or {}
    if memo.get("draft") or memo.get("unknown_since"):
        return True
    mine = Q(record=record) | Q(items__record=record, items__outcome=ItemOutcome.OPEN)
    return Attempt.objects.filter(mine, state__in=IN_DOUBT).exists()


def _tell(record: Record, actor: str, action: str, reason: str, **data: Any) -> None:
    record_event(
        record.integration.organization,
        actor,
        action,
        reason,
        integration=record.integration,
        record=record,
        **data,
    )
    wake()
