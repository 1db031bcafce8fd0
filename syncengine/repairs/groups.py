"""Records that failed and have not come through since, by flow and cause; added up by the database, from indexes.

A record is open while it is failed, retrying while it is on its way again, and resolved once it has come through.
What waits for its next try by itself, without having failed, is retrying too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from syncengine.engine import troubles
from syncengine.engine.troubles import ON_THEIR_WAY, Rows
from syncengine.models import Record, RecordStatus, Repair
from tenants.models import Integration

RESOLVED_DAYS = 30


class State(StrEnum):
    """Where a cause is listed."""

    OPEN = "open"
    RETRYING = "retrying"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


@dataclass
class Part:
    """The records of a cause in one state. `newest_at` is when the last of them failed, or came through."""

    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    newest_at: datetime | None = None
    sample: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """One row of the database's sums: a currency's."""
        self.count += row["count"]
        if row["total"] is not None and row["currency"]:
            self.sums[row["currency"]] = self.sums.get(row["currency"], Decimal(0)) + row["total"]
        self.newest_at = max(filter(None, (self.newest_at, row["newest_at"])), default=None)
        self.sample = max(self.sample, row["sample"])

    @property
    def most(self) -> Decimal:
        """The largest of its sums: currencies are not added to each other."""
        return max(self.sums.values(), default=Decimal(0))


@dataclass
class Group:
    """One cause of one flow."""

    flow: str
    cause: str
    open: Part = field(default_factory=Part)
    retrying: Part = field(default_factory=Part)
    resolved: Part = field(default_factory=Part)
    repair: Repair | None = None

    @property
    def is_snoozed(self) -> bool:
        until = self.repair.snoozed_until if self.repair else None
        return bool(self.open.count and until and until > timezone.now())

    def part(self, state: str) -> Part:
        """What is counted where it is listed."""
        return {State.RETRYING: self.retrying, State.RESOLVED: self.resolved}.get(State(state), self.open)

    def states(self) -> Iterator[State]:
        """Where it is listed: what is retried in part is open in part."""
        if self.open.count:
            yield State.SNOOZED if self.is_snoozed else State.OPEN
        if self.retrying.count:
            yield State.RETRYING
        if self.resolved.count and not (self.open.count or self.retrying.count):
            yield State.RESOLVED


class Causes(list[Group]):
    """Groups, and when a worker counted them; None: just now."""

    counted_at: datetime | None = None


def of_integration(integration: Integration, *, resolved: bool = False) -> Causes:
    """Every cause that is open or retrying, and with `resolved` those of the last RESOLVED_DAYS that are over."""
    found, known = _Groups(), troubles.answer(integration, "troubled")
    found.add(known.rows if known.at is None else _brought_up_to_date(integration, known.rows, known.at))
    found.add_waiting(_waiting(integration))
    if resolved:
        found.add_resolved(_mended(integration))
    causes = Causes(found.known_to(integration))
    causes.counted_at = known.at
    return causes


def one(integration: Integration, flow: str, cause: str) -> Group | None:
    """The same of one cause; None when no record and nobody has ever told of it."""
    found = _Groups()
    found.add(troubles.sums_of_troubled(troubles.troubled(integration).filter(flow=flow, failed_for=cause)))
    found.add_waiting(_waiting(integration).filter(flow=flow, cause=cause))
    found.add_resolved(_mended(integration).filter(flow=flow, failed_for=cause))
    groups = found.known_to(integration)
    if groups:
        return groups[0]
    repair = Repair.objects.filter(integration=integration, flow=flow, cause=cause).select_related("assignee").first()
    return Group(flow, cause, repair=repair) if repair else None


def records_of(integration: Integration, flow: str, cause: str, state: str) -> QuerySet[Record]:
    """The records that are counted there."""
    rows = Record.objects.filter(integration=integration, flow=flow)
    if state == State.RESOLVED:
        return rows.filter(failed_for=cause, mended_at__isnull=False)
    troubled = Q(failed_for=cause, mended_at=None) & ~Q(failed_for="")
    if state == State.RETRYING:
        waits = Q(status=RecordStatus.WAITING, cause=cause) & (Q(failed_for="") | Q(mended_at__isnull=False))
        return rows.filter(Q(troubled, status__in=ON_THEIR_WAY) | waits)
    return rows.filter(troubled, status=RecordStatus.FAILED)


def failed_up_to(integration: Integration, most: int) -> int:
    """How many records are open, counted no further than `most`."""
    rows = Record.objects.filter(integration=integration, status=RecordStatus.FAILED, mended_at=None)
    return len(rows.exclude(failed_for="").order_by().values_list("pk", flat=True)[:most])


def listed(groups: Iterable[Group], state: str, *, newest_first: bool = False) -> list[Group]:
    """Those of one state: the most money first, the newest among equals; or the newest first."""
    shown = [group for group in groups if State(state) in group.states()]

    def money(group: Group) -> tuple[Any, ...]:
        part = group.part(state)
        return (part.most, part.count, part.newest_at.timestamp() if part.newest_at else 0)

    def age(group: Group) -> float:
        newest = group.part(state).newest_at
        return newest.timestamp() if newest else 0

    return sorted(shown, key=age if newest_first else money, reverse=True)


class _Groups:
    """Collects the database's sums by (flow, cause)."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}

    def _group(self, row: Mapping[str, Any], cause: str) -> Group:
        return self._groups.setdefault((row["flow"], cause), Group(row["flow"], cause))

    def add(self, rows: Rows) -> None:
        for row in rows:
            group = self._group(row, row["failed_for"])
            (group.open if row["status"] == RecordStatus.FAILED else group.retrying).add(row)

    def add_waiting(self, rows: QuerySet[Record]) -> None:
        for row in troubles.sums(rows, "cause", newest=Max("updated_at")):
            self._group(row, row["cause"]).retrying.add(row)

    def add_resolved(self, rows: QuerySet[Record]) -> None:
        for row in troubles.sums(rows, "failed_for", newest=Max("mended_at")):
            self._group(row, row["failed_for"]).resolved.add(row)

    def known_to(self, integration: Integration) -> list[Group]:
        """With what people have said of them."""
        groups = list(self._groups.values())
        causes = {group.cause for group in groups}
        rows = Repair.objects.filter(integration=integration, cause__in=causes).select_related("assignee")
        by_key: Mapping[tuple[str, str], Repair] = {(row.flow, row.cause): row for row in rows} if causes else {}
        for group in groups:
            group.repair = by_key.get((group.flow, group.cause))
        return groups


def _brought_up_to_date(integration: Integration, counted: Rows, at: datetime) -> Rows:
    """What people have done something about since is counted anew: one more question, however many causes."""
    acted = Repair.objects.filter(integration=integration, acted_at__gt=at).values_list("flow", "cause")
    changed = set(acted)
    rows = [row for row in counted if (row["flow"], row["failed_for"]) not in changed]
    if changed:
        theirs = reduce(or_, (Q(flow=flow, failed_for=cause) for flow, cause in changed))
        rows += troubles.sums_of_troubled(troubles.troubled(integration).filter(theirs))
    return rows


def _waiting(integration: Integration) -> QuerySet[Record]:
    rows = Record.objects.filter(integration=integration, status=RecordStatus.WAITING).exclude(cause="")
    return rows.filter(Q(failed_for="") | Q(mended_at__isnull=False))


def _mended(integration: Integration) -> QuerySet[Record]:
    since = timezone.now() - timedelta(days=RESOLVED_DAYS)
    return Record.objects.filter(integration=integration, mended_at__gte=since)


def samples_of(groups: Sequence[Group], state: str) -> Mapping[int, Record]:
    """A record of each, to tell what kind of cause it is."""
    wanted = [group.part(state).sample for group in groups if group.part(state).sample]
    columns = ("flow", "error_code", "error_message", "error_hint", "problems", "decisions", "title", "key", "run")
    return Record.objects.only(*columns).in_bulk(wanted)


def progress_of(integration: Integration, group: Group) -> Mapping[str, int]:
    """What has become of the last bulk replay: on their way, come through, failed for the same again, and the rest."""
    counts: dict[str, int] = defaultdict(int)
    repair = group.repair
    if repair is None or repair.acted_at is None:
        return counts
    rows = Record.objects.filter(integration=integration, flow=group.flow, failed_for=group.cause)
    counts["on_their_way"] = rows.filter(mended_at=None, status__in=ON_THEIR_WAY).count()
    counts["through"] = rows.filter(mended_at__gte=repair.acted_at).count()
    counts["again"] = rows.filter(mended_at=None, status=RecordStatus.FAILED, failed_at__gt=repair.acted_at).count()
    counts["total"] = repair.acted_on
    known = counts["on_their_way"] + counts["through"] + counts["again"]
    counts["otherwise"] = max(0, repair.acted_on - known)
    return counts
