"""What a person may do to a record: replay, resend, ignore, decide. Each deed is audited with who and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine import mappings
from syncengine.engine.connections import systems
from syncengine.engine.context import flow_context
from syncengine.engine.desk import DbDesk
from syncengine.engine.documents import work_of
from syncengine.engine.gate import Caller
from syncengine.engine.records import finish_if_settled, release, sentence, set_pending
from syncengine.engine.runs import ActionRefused
from syncengine.engine.wake import wake
from syncengine.flows import registry
from syncengine.flows.document import DocumentFlow
from syncengine.flows.invoicing.case import FAILED as TRANSFER_FAILED
from syncengine.flows.master import MasterDataFlow
from syncengine.models import Record, RecordStatus, Stage

REPLAYED_AT_ONCE = 500
INVOICES = "invoices"


def replay(record: Record, actor: str, reason: str = "") -> Record:
    """Run the record's open step again with today's mapping; it is pending when this returns.

    One whose import ended in an error goes with its resend field changed if nothing else differs (Basware §3.7).
    """
    with _deed(record) as current:
        _again(current)
        _tell(current, actor, "record.replayed", reason)
    return current


@contextmanager
def _deed(record: Record) -> Iterator[Record]:
    """The record locked for the length of the block, stored at its end; a run that only waited for it ends."""
    with transaction.atomic():
        record = Record.objects.select_for_update().select_related("integration__organization").get(pk=record.pk)
        run_id = record.run_id
        yield record
        record.save()
        finish_if_settled(run_id)


def _again(record: Record, **memo: Any) -> None:
    """Pending, to be read and mapped afresh; a second replay is never swallowed by the first."""
    if record.status == RecordStatus.IN_PROGRESS:
        raise ActionRefused("The record is being worked on right now.", code="in_progress")
    if record.error_code in ("import_failed", "rejected", "no_answer"):
        memo["resend_if_same"] = True
    record.memo = {**(record.memo or {}), "replay": True, **memo}
    record.part = ""
    record.run = None
    record.attempts = 0
    record.blocked_by = None
    set_pending(record, timezone.now())


def resend(record: Record, actor: str, reason: str = "") -> Record:
    """Send an unchanged master-data record again, with its resend field changed so that Basware takes it."""
    if isinstance(registry.get(record.flow), DocumentFlow):
        raise ActionRefused("Only master data can be resent; replay this record instead.", code="not_resendable")
    with _deed(record) as current:
        _again(current)
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
        if current.status == RecordStatus.IN_PROGRESS:
            raise ActionRefused("The record is being worked on right now.", code="in_progress")
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
    _again(record, decision={"decision": how, "document": booked_as, "reason": reason})


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
            _again(current, decision={"decision": decision, "document": document, "reason": reason})
        _tell(current, actor, "record.decided", reason, decision=decision, document=document)
    return current


def _answer_held(record: Record, decision: str) -> None:
    """A held change of master data: it is sent from now on, or the object is closed in the target (`close`)."""
    memo: Mapping[str, Any] = record.memo or {}
    answer = "closed" if decision == "close" else "approved"
    mark = (memo.get("held") or {}).get("mark", "")
    _again(record, **{answer: sorted({*memo.get(answer, ()), mark})})


def replay_many(records: QuerySet[Record], actor: str, reason: str = "") -> int:
    """Replay every failed or waiting one of these, in steps of bounded size; gives how many."""
    pks = records.filter(status__in=(RecordStatus.FAILED, RecordStatus.WAITING, RecordStatus.DONE)).order_by("id")
    done = 0
    last = 0
    while chunk := list(pks.filter(pk__gt=last).values_list("pk", flat=True)[:REPLAYED_AT_ONCE]):
        last = chunk[-1]
        with transaction.atomic():
            for record in Record.objects.select_for_update().filter(pk__in=chunk).order_by("id"):
                if record.status != RecordStatus.IN_PROGRESS:
                    replay(record, actor, reason)
                    done += 1
    return done


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
