"""Values that no lookup table knows, by the money that waits on them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from syncengine.engine.causes import words_of_cause
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.samples import rules_sources
from syncengine.engine.trials import try_out
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.models import Record, RecordStatus
from tenants.models import Integration

MOST_RECORDS = 300
SECONDS = 1.5

_ASKED_FOR = re.compile(r"Add (?:account )?(?!the )(?P<value>.{1,120}?) to the lookup table (?P<table>[A-Za-z_]\w*)")


@dataclass
class Unmapped:
    """A value without a row, the failed records that it holds up, and their sums by currency."""

    table: str
    value: str
    problem: str
    records: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    @property
    def weight(self) -> tuple[Decimal, int]:
        """The money that waits, however many currencies it is in, then the number of records."""
        return max(self.sums.values(), default=Decimal(0)), self.records


@dataclass
class Waiting:
    """`complete` is False where there are more failed records than were looked at."""

    values: list[Unmapped]
    looked_at: int
    complete: bool


def waiting(integration: Integration, flow_name: str, mapping: CurrentMapping) -> Waiting:
    """The unmapped values of a flow's failed records, the most money first."""
    flow, end = registry.get(flow_name), time.monotonic() + SECONDS
    failed = Record.objects.filter(integration=integration, flow=flow_name, status=RecordStatus.FAILED)
    rows = list(failed.exclude(source=None).select_related("integration").order_by("-id")[: MOST_RECORDS + 1])
    found: dict[tuple[str, str], Unmapped] = {}
    looked_at = 0
    for record, source in zip(rows[:MOST_RECORDS], rules_sources(rows[:MOST_RECORDS]), strict=True):
        if time.monotonic() > end:
            break
        looked_at += 1
        for table, value in _values(flow, record, source, mapping):
            _add(found, table, value, record)
    values = sorted(found.values(), key=lambda one: one.weight, reverse=True)
    return Waiting(values, looked_at, looked_at == len(rows))


def _values(flow: Flow, record: Record, source: dict[str, Any], mapping: CurrentMapping) -> set[tuple[str, str]]:
    """The (table, value) that hold this record up and that the table still does not know."""
    asked = set(_asked_for(record)) | set(_missed(flow, record, source, mapping))
    return {(table, value) for table, value in asked if value not in mapping.lookups.get(table, {})}


def _texts(record: Record) -> Iterator[str]:
    yield from (record.error_message, record.error_hint)
    for problem in record.problems or ():
        yield from (str(problem.get("message", "")), str(problem.get("hint", "")))


def _asked_for(record: Record) -> Iterator[tuple[str, str]]:
    """What the problems themselves ask to be added to a table."""
    for text in _texts(record):
        for found in _ASKED_FOR.finditer(text):
            yield found["table"], found["value"]


def _missed(flow: Flow, record: Record, source: dict[str, Any], mapping: CurrentMapping) -> Iterator[tuple[str, str]]:
    """What met no row today, where the record's problems name the table or the value."""
    text = "\n".join(_texts(record))
    for looked in try_out(flow, source, mapping).missed:
        if re.search(rf"\blookup table {re.escape(looked.table)}\b", text) or _names(text, looked.value):
            yield looked.table, looked.value


def _names(text: str, value: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _add(found: dict[tuple[str, str], Unmapped], table: str, value: str, record: Record) -> None:
    problem = words_of_cause(record.cause) if record.cause else record.error_message
    one: Any = found.setdefault((table, value), Unmapped(table, value, problem))
    one.records += 1
    if record.amount is not None:
        one.sums[record.currency] = one.sums.get(record.currency, Decimal(0)) + abs(record.amount)
