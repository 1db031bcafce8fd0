"""What became of a request in P2P, minutes after it was accepted (contracts: Basware §5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JUDGED_SYSTEM = "p2p"
IN_PROGRESS = "InProgress"
_CATEGORIES = {"datavalidation": "DataValidation", "technical": "Technical"}


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

    `status` is the aggregate over all systems and condemns no record: judge item by item.
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
    items = [item for system in _maps(body.get("systems")) for item in _items(system)]
    return RequestResult(
        request_id=_text(body, "requestId"),
        entity_type=_text(body, "entityType"),
        status=_text(body, "requestStatus"),
        items=tuple(item for item in items if item.system.lower() == JUDGED_SYSTEM),
        other_items=tuple(item for item in items if item.system.lower() != JUDGED_SYSTEM),
    )


def _items(system: Mapping[str, Any]) -> Iterator[Item]:
    for entry in _maps(system.get("items")):
        yield Item(
            system=_text(system, "system"),
            external_code=_text(entry, "externalCode"),
            parent_external_code=_text(entry, "parentExternalCode"),
            status=_text(entry, "status"),
            errors=tuple(map(_error, _maps(entry.get("errors")))),
        )


def _error(entry: Mapping[str, Any]) -> ItemError:
    # One example in Basware's document spells it "Data validation".
    category = _text(entry, "category").replace(" ", "").lower()
    return ItemError(_text(entry, "type"), _text(entry, "message"), _CATEGORIES.get(category, "Unknown"))


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return "" if value is None else str(value)
