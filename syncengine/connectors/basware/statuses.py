"""What became of a request in P2P, minutes after it was accepted (contracts: Basware §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

JUDGED_SYSTEM = "p2p"
IN_PROGRESS = "InProgress"
_ITEM_STATUSES = ("Error", IN_PROGRESS, "RecordExpired", "Warning", "Success", "NotProcessed", "Unpublished")
"""Worst first: what counts when several modules of P2P judge one record."""
_REQUEST_STATUSES = ("Error", "AcknowledgedError", IN_PROGRESS, "Success", "AcknowledgedSuccess")
_CATEGORIES = ("DataValidation", "Technical")


@dataclass(frozen=True)
class ItemError:
    """`type` is Error, Warning or RecordExpired; `category` DataValidation (ours to mend), Technical or Unknown."""

    type: str
    message: str
    category: str


@dataclass(frozen=True)
class Item:
    """One record of the request in one system.

    `status` is InProgress, NotProcessed, Warning, Success, Error, RecordExpired or Unpublished, or what comes yet;
    `parent_external_code` is the invoiceId for responses.
    """

    system: str
    external_code: str
    parent_external_code: str
    status: str
    errors: tuple[ItemError, ...] = ()


@dataclass(frozen=True)
class RequestResult:
    """One request. `items` are those of P2P, by which a record is judged; `other_items` those of other systems.

    `status` is P2P's, or the aggregate over all systems where P2P's is not told. It condemns no record: judge item by
    item.
    """

    request_id: str
    entity_type: str
    status: str
    items: tuple[Item, ...] = ()
    other_items: tuple[Item, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether P2P has said something final about every record that it lists."""
        return bool(self.items) and all(item.status != IN_PROGRESS for item in self.items)


def read_result(body: Mapping[str, Any]) -> RequestResult:
    """One entry of the `requestStatus` list; absent and null fields read as empty."""
    systems = _maps(body.get("systems"))
    judged = [system for system in systems if _is_judged(system)]
    items = [item for system in judged for item in _items(system)]
    told = [_one_of(_REQUEST_STATUSES, _text(system, "systemStatus")) for system in judged]
    return RequestResult(
        request_id=_text(body, "requestId"),
        entity_type=_text(body, "entityType"),
        status=_worst(_REQUEST_STATUSES, told) or _one_of(_REQUEST_STATUSES, _text(body, "requestStatus")),
        items=tuple(_one_per_record(items)),
        other_items=tuple(item for system in systems if not _is_judged(system) for item in _items(system)),
    )


def _is_judged(system: Mapping[str, Any]) -> bool:
    return _text(system, "system").strip().lower() == JUDGED_SYSTEM


def _items(system: Mapping[str, Any]) -> Iterator[Item]:
    for entry in _maps(system.get("items")):
        yield Item(
            system=_text(system, "system"),
            external_code=_text(entry, "externalCode"),
            parent_external_code=_text(entry, "parentExternalCode"),
            status=_one_of(_ITEM_STATUSES, _text(entry, "status")),
            errors=tuple(map(_error, _maps(entry.get("errors")))),
        )


def _one_per_record(items: Iterable[Item]) -> Iterator[Item]:
    """A record that several modules of P2P list ended as badly as the worst of them says."""
    by_record: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        by_record.setdefault((item.parent_external_code, item.external_code), []).append(item)
    for first, *others in by_record.values():
        if not others:
            yield first
            continue
        status = _worst(_ITEM_STATUSES, [first.status, *(other.status for other in others)])
        yield replace(first, status=status, errors=(*first.errors, *(e for other in others for e in other.errors)))


def _worst(ranked: tuple[str, ...], said: Iterable[str]) -> str:
    """The first in rank of those said; a status that is not known yet goes before all, since it may mean anything."""
    given = [status for status in said if status]
    return min(given, key=lambda status: ranked.index(status) if status in ranked else -1, default="")


def _error(entry: Mapping[str, Any]) -> ItemError:
    category = _one_of(_CATEGORIES, _text(entry, "category"))
    return ItemError(_text(entry, "type"), _text(entry, "message"), category if category in _CATEGORIES else "Unknown")


def _one_of(literals: Iterable[str], said: str) -> str:
    """The literal meant, without blanks and case: Basware's own document spells one of them "Data validation"."""
    bare = said.replace(" ", "").lower()
    return next((literal for literal in literals if literal.lower() == bare), said)


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return "" if value is None else str(value)
