"""Basware's verdict on each item of a request, put down on its record (contracts: Basware §5).

An item is judged by itself: a request in error may hold records that went well. `NotProcessed` is a confirmation:
Basware holds that very version already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from syncengine.audit import record_event, record_events
from syncengine.connectors.basware import Item, RequestResult
from syncengine.engine.records import (
    ERROR_FIELDS,
    Trouble,
    count_per_run,
    fail_those_held_back_by,
    finish_if_settled,
    free_those_held_back_by,
    mend,
    set_failed,
    set_pending,
)
from syncengine.engine.responses import NO_ANSWER, Answer, Answers
from syncengine.engine.retries import retry_delay
from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from syncengine.models import Attempt, AttemptItem, AttemptState, ItemOutcome, Record, RecordStatus, Stage
from tenants.models import Integration

OUTCOMES: Mapping[str, ItemOutcome] = {
    "Success": ItemOutcome.CONFIRMED,
    "NotProcessed": ItemOutcome.CONFIRMED,
    "Warning": ItemOutcome.CONFIRMED,
    "Unpublished": ItemOutcome.CONFIRMED,
    "Error": ItemOutcome.FAILED,
    "RecordExpired": ItemOutcome.SUPERSEDED,
}
FINAL_REQUEST = {"Success", "AcknowledgedSuccess"}
SAVED = [
    *("status", "stage", "part", "flags", "notes", "attempts", "next_attempt_at", "lease_owner", "lease_expires_at"),
    *ERROR_FIELDS,
]

NEEDED = (
    *("integration", "flow", "key", "title", "reference", "status", "stage", "part", "action", "run", "flags", "notes"),
    *("amount", "currency", "attempts", "fingerprint", "error_code", "error_message", "failed_for", "failed_at"),
    "mended_at",
)


@dataclass(frozen=True)
class Verdict:
    """How one record's part in a request ended; `message` is Basware's own text with its category."""

    outcome: ItemOutcome
    message: str = ""
    warned: bool = False


def judge(codes: Sequence[str], result: RequestResult) -> Verdict:
    """The worst that Basware said of these external codes; OPEN while one of them is not final."""
    return _judge(codes, _by_code(result), absent_is_fine=result.status in FINAL_REQUEST)


def _by_code(result: RequestResult) -> dict[str, Item]:
    return {item.external_code: item for item in result.items}


def _judge(codes: Sequence[str], by_code: Mapping[str, Item], *, absent_is_fine: bool) -> Verdict:
    items = [by_code.get(code) for code in codes]
    known = [item for item in items if item is not None]
    if len(known) < len(items) and not absent_is_fine:
        return Verdict(ItemOutcome.OPEN)
    found = [OUTCOMES.get(item.status, ItemOutcome.OPEN) for item in known]
    for outcome in (ItemOutcome.FAILED, ItemOutcome.OPEN, ItemOutcome.SUPERSEDED):
        if outcome in found:
            return Verdict(outcome, _texts(known))
    return Verdict(ItemOutcome.CONFIRMED, _texts(known), warned=any(item.status == "Warning" for item in known))


def _texts(items: Sequence[Item]) -> str:
    said = [f"{error.message} ({error.category})" for item in items for error in item.errors]
    return "; ".join(dict.fromkeys(said))[:2000]


def hear(answers: Answers, attempt: Attempt, result: RequestResult) -> None:
    """The answer to one response to a document, unless it is still open: the flow says what follows from it."""
    verdict = judge([attempt.key], result)
    if verdict.outcome != ItemOutcome.OPEN:
        answers.add(Answer(attempt, verdict.outcome == ItemOutcome.CONFIRMED, verdict.message))


@transaction.atomic
def settle_batch(integration: Integration, attempt: Attempt, result: RequestResult) -> bool:
    """Put the result of a batch down; False while something of it is still open."""
    items = list(_open_items(attempt))
    by_code, absent_is_fine = _by_code(result), result.status in FINAL_REQUEST
    judged = [(item, _judge(item.external_codes, by_code, absent_is_fine=absent_is_fine)) for item in items]
    final = [(item, verdict) for item, verdict in judged if verdict.outcome != ItemOutcome.OPEN]
    _note_outcomes(final)
    _confirm(integration, attempt, [pair for pair in final if pair[1].outcome == ItemOutcome.CONFIRMED])
    _fail(integration, [pair for pair in final if pair[1].outcome == ItemOutcome.FAILED])
    _send_again([pair[0] for pair in final if pair[1].outcome == ItemOutcome.SUPERSEDED])
    settled = len(final) == len(judged)
    if settled:
        Attempt.objects.filter(pk=attempt.pk).update(
            state=AttemptState.SETTLED, finished_at=timezone.now(), next_poll_at=None
        )
    # The attempt's own run too: a record that changed meanwhile belongs to a later one.
    for run_id in {attempt.run_id, *(item.record.run_id for item, _ in final)}:
        finish_if_settled(run_id)
    return settled


def _open_items(attempt: Attempt) -> QuerySet[AttemptItem]:
    """Open items with their records, of which only what is looked at here or told to hooks is read."""
    items = attempt.items.filter(outcome=ItemOutcome.OPEN)
    flow = registry.get(attempt.flow)
    several_parts = isinstance(flow, MasterDataFlow) and flow.several_parts
    needed = (*NEEDED, "target") if several_parts else NEEDED
    # Records by their keys: a join of the two tables is planned by how large PostgreSQL took them for a while ago.
    records = Prefetch("record", Record.objects.only(*needed))
    return items.only("attempt", "record", "external_codes", "fingerprint").prefetch_related(records)


def _note_outcomes(final: Sequence[tuple[AttemptItem, Verdict]]) -> None:
    """One statement for all items that ended alike."""
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for item, verdict in final:
        alike[verdict.outcome, verdict.message].append(item.pk)
    for (outcome, message), pks in alike.items():
        AttemptItem.objects.filter(pk__in=pks).update(outcome=outcome, message=message)


def _confirm(integration: Integration, attempt: Attempt, pairs: Sequence[tuple[AttemptItem, Verdict]]) -> None:
    """Confirmed records are done, or go on with their next part; what changed meanwhile is left to its later send."""
    flow = registry.get(attempt.flow)
    assert isinstance(flow, MasterDataFlow)  # only those send batches
    done, more, flagged = [], [], []
    unfinished = _open_elsewhere(attempt, [item.record for item, _ in pairs])
    for item, verdict in pairs:
        record = item.record
        if record.pk in unfinished or record.fingerprint != item.fingerprint or not _awaits_answer(record):
            continue
        following = flow.part_after(record.part, record.target or {}) if len(flow.parts) > 1 else None
        if following is not None:
            record.part = following.name
            set_pending(record, timezone.now())
            more.append(record)
            continue
        if verdict.warned or NO_ANSWER in record.flags:
            _flag(record, verdict)
            flagged.append(record)
        done.append(record)
    _save_confirmed(integration, done)
    Record.objects.bulk_update(more, SAVED, batch_size=200)
    Record.objects.bulk_update(flagged, ["flags", "notes"], batch_size=200)


def _awaits_answer(record: Record) -> bool:
    """Whether the record is as it was sent; an answer that comes after a day is still one."""
    return record.status in (RecordStatus.WAITING, RecordStatus.IN_PROGRESS) or record.error_code == NO_ANSWER


def _flag(record: Record, verdict: Verdict) -> None:
    flags = set(record.flags) - {NO_ANSWER}
    if verdict.warned:
        record.notes = [*record.notes, f"Basware saved it with a warning: {verdict.message}"]
        flags.add("warning")
    record.flags = sorted(flags)


def _open_elsewhere(attempt: Attempt, records: Sequence[Record]) -> set[int]:
    """Records that have bodies of the same part in another request which is still open (an order of over 100 lines)."""
    fingerprints = {record.pk: record.fingerprint for record in records}
    rows = AttemptItem.objects.filter(record_id__in=fingerprints, outcome=ItemOutcome.OPEN).exclude(attempt=attempt)
    others = [
        (pk, other)
        for pk, other, sent in rows.values_list("record_id", "attempt_id", "fingerprint")
        if sent == fingerprints[pk]  # an older version's answer is not waited for
    ]
    kin = Attempt.objects.filter(pk__in={other for _, other in others}, entity_type=attempt.entity_type)
    same_part = set(kin.values_list("pk", flat=True))
    return {pk for pk, other in others if other in same_part}


def _save_confirmed(integration: Integration, done: list[Record]) -> None:
    everyone = [record.pk for record in done]
    # One statement, the copy made by the database: what was sent is now what the target holds.
    Record.objects.filter(pk__in=everyone).update(
        confirmed_fingerprint=F("fingerprint"),
        confirmed_target=F("target"),
        active=True,
        part="",
        status=RecordStatus.DONE,
        stage=Stage.CONFIRMED,
        next_attempt_at=None,
        error_code="",
        error_message="",
        error_hint="",
        cause="",
        problems=[],
        pinned_version=None,
        updated_at=timezone.now(),
    )
    if closed := [record.pk for record in done if record.action == "closed"]:
        Record.objects.filter(pk__in=closed).update(active=False)
    if failed_before := [record.pk for record in done if record.failed_for]:
        mend(failed_before)
    count_per_run(done, "confirmed")
    record_events(integration, "record.confirmed", [(record, "Basware has taken it over.") for record in done])
    free_those_held_back_by(everyone)


def _fail(integration: Integration, pairs: Sequence[tuple[AttemptItem, Verdict]]) -> None:
    failed = []
    for item, verdict in pairs:
        record = item.record
        if record.fingerprint != item.fingerprint:
            continue
        set_failed(record, import_failed(verdict.message))
        failed.append(record)
    Record.objects.bulk_update(failed, SAVED, batch_size=200)
    count_per_run(failed, "failed")
    record_events(integration, "record.failed", [(record, record.error_message) for record in failed])
    fail_those_held_back_by(failed)


def import_failed(message: str) -> Trouble:
    return Trouble(
        code="import_failed",
        message=f"Basware refused the record: {message or 'no reason given'}",
        hint="Mend the cause in Basware or SAP, then replay: the resend field changes so that Basware takes it again.",
    )


def _send_again(items: Sequence[AttemptItem]) -> None:
    """A newer version overtook it; when that was not ours, ours is sent again."""
    again = [item.record for item in items if item.record.fingerprint == item.fingerprint]
    for record in again:
        record.attempts += 1
        set_pending(record, timezone.now() + timedelta(seconds=retry_delay(record.attempts)))
    Record.objects.bulk_update(again, SAVED, batch_size=200)


def flag_no_answer(attempt: Attempt) -> None:
    """A day without an answer: the records say so and need a person, the request is still asked for each hour."""
    waiting = list(
        Record.objects.filter(
            Q(items__attempt=attempt, items__outcome=ItemOutcome.OPEN) | Q(attempt_rows=attempt),
            status=RecordStatus.WAITING,
        )
    )
    for record in waiting:
        record.flags = sorted({*record.flags, NO_ANSWER})
        set_failed(
            record,
            Trouble(
                code=NO_ANSWER,
                message=f"Basware has not said for a day what became of request {attempt.request_id}.",
                hint="Ask Basware for this request id, or replay to send it again.",
            ),
        )
        record_event(
            record.integration.organization, "system", "record.failed", record.error_message,
            integration=record.integration, record=record,
        )  # fmt: skip
    Record.objects.bulk_update(waiting, SAVED)
    count_per_run(waiting, "failed")
    for run_id in {record.run_id for record in waiting}:
        finish_if_settled(run_id)
