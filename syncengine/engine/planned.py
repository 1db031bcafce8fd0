"""A document that is sent for a plan carries the plan's fingerprint: nothing else is ever sent in its name.

It is compared right before the write, whichever worker does it and however often a worker was lost before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncengine.engine.records import Trouble
from syncengine.mapping import fingerprint
from syncengine.models import Record

PLANNED = "planned"
"""Where a record's memo has it."""
PLAN_CHANGED = Trouble(
    "plan_changed",
    "What would be written is no longer what the applied plan says, so nothing was.",
    "Look at it. Replay sends it as it is mapped now.",
)


class PlanChanged(Exception):
    """What would be written is not what the applied plan says."""


def document_print(target: Any, linked: int | None = None) -> str:
    """The fingerprint of what a document's way would send; `linked` is the document in SAP that it would only name."""
    return fingerprint(target if linked is None else {"linked": linked, "target": target})


def hold_to_plan(record: Record, payload: Mapping[str, Any]) -> None:
    """Raises PlanChanged when the record is sent for a plan that says something else."""
    wanted = (record.memo or {}).get(PLANNED)
    body = payload.get("body")
    target = {"entity_set": payload["entity_set"], **body} if isinstance(body, Mapping) else payload
    if wanted and document_print(target) != wanted:
        raise PlanChanged


def forget_plan(record: Record) -> None:
    """From now on the record is sent as it is mapped; does not save."""
    record.memo = {name: value for name, value in (record.memo or {}).items() if name != PLANNED}
