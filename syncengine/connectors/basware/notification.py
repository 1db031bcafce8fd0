"""A push notification as received (contracts: Basware §16.3): a hint to look, never data to act upon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncengine.connectors import jsonio

_LONGEST_ID = 255


class TaskType(StrEnum):
    """What a notification is about; OTHER is shown and left alone."""

    CONNECTION_TEST = "ConnectionTest"
    ACCOUNTING_DOCUMENTS = "AccountingDocuments"
    REQUEST_STATUS = "RequestStatus"
    OTHER = "Other"


# One example in Basware's own document spells it "AccoutingDocuments".
_TYPES = {kind.value.lower(): kind for kind in TaskType} | {"accoutingdocuments": TaskType.ACCOUNTING_DOCUMENTS}


@dataclass(frozen=True)
class Notification:
    """`document_id` is the invoiceId, or the request id when the type is RequestStatus; `task_type_text` as it came."""

    task_id: str
    task_status: str
    task_type: TaskType
    task_type_text: str
    task_sub_type: str
    document_id: str
    expiration_time: str


class NotANotification(ValueError):
    """The body is not what Basware sends: answered 422."""


def type_of(text: str) -> TaskType:
    """What a notification's type means, however it is spelled."""
    return _TYPES.get(text.lower(), TaskType.OTHER)


def parse(raw_body: bytes) -> Notification:
    """The notification in the body; raises NotANotification. Unknown fields are ignored, optional ones may be null."""
    try:
        body = jsonio.loads(raw_body)
    except ValueError as error:
        raise NotANotification("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise NotANotification("The body is not a JSON object.")
    kind = _needed(body, "taskType")
    test = type_of(kind) is TaskType.CONNECTION_TEST
    # What else a connection test carries is not documented (§16.2), so nothing else is demanded of it.
    read = _optional if test else _needed
    return Notification(
        task_id=read(body, "taskId"),
        task_status=read(body, "taskStatus"),
        task_type=type_of(kind),
        task_type_text=kind,
        task_sub_type=_optional(body, "taskSubType"),
        document_id=read(body, "documentId"),
        expiration_time=_optional(body, "expirationTime"),
    )


def _needed(body: dict[str, Any], name: str) -> str:
    value = _optional(body, name)
    if not value:
        raise NotANotification(f"{name} is missing.")
    return value


def _optional(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_ID or not value.isprintable():
        raise NotANotification(f"{name} is not a printable text of at most {_LONGEST_ID} characters.")
    return value.strip()
