"""The stage line: how far a record is, and when it came there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncengine.models import Attempt, AttemptState, AuditEvent, Record, RecordStatus, Stage

INVOICE_FLOWS = ("invoices",)
OF_INVOICES = tuple(Stage)
OF_MASTER_DATA = (Stage.RECEIVED, Stage.CONFIRMED)
WRITES = {
    "acknowledge": Stage.ACKNOWLEDGED,
    "post": Stage.POSTED,
    "transfer_response": Stage.CONFIRMED,
    "import": Stage.CONFIRMED,
}
_GONE_THROUGH = {AttemptState.DONE, AttemptState.SETTLED}
_WORDS = {"reached": "done", "current": "here", "stuck": "a person is needed", "": "to come"}


@dataclass(frozen=True)
class Step:
    """One stage with its mark: reached, current, stuck (a person is needed here) or nothing yet."""

    label: str
    mark: str
    at: datetime | None = None

    @property
    def word(self) -> str:
        return _WORDS[self.mark]


def stage_line(record: Record, attempts: Iterable[Attempt] = ()) -> list[Step]:
    """A stage that is not reached (any more) has no time, and neither has one whose time nobody kept."""
    stages = OF_INVOICES if record.flow in INVOICE_FLOWS else OF_MASTER_DATA
    here = next((number for number, stage in enumerate(stages) if stage == record.stage), 0)
    times = _times(record, attempts)
    failed_at = min(here + 1, len(stages) - 1) if record.status == RecordStatus.FAILED else None
    line = []
    for number, stage in enumerate(stages):
        mark = "reached" if number < here else "current" if number == here else ""
        at = times.get(stage) if mark else None
        line.append(Step(str(stage.label), "stuck" if number == failed_at else mark, at))
    return line


def _times(record: Record, attempts: Iterable[Attempt]) -> dict[str, datetime]:
    times: dict[str, datetime] = {Stage.RECEIVED: record.created_at}
    checked = _moment((record.memo or {}).get("checked_at"))
    if checked:
        times[Stage.CHECKED] = checked
    for attempt in sorted(attempts, key=lambda one: one.started_at):
        stage = WRITES.get(attempt.kind)
        if stage and AttemptState(attempt.state) in _GONE_THROUGH:
            times[stage] = attempt.finished_at or attempt.started_at
    if record.stage == Stage.PAID:
        paid = AuditEvent.objects.filter(record=record, action="record.paid").order_by("-pk").first()
        times |= {Stage.PAID: paid.created_at} if paid else {}
    return times


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
