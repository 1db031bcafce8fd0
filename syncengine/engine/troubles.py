"""Failed records by cause, added up by the database: while somebody waits, or beforehand where there are too many.

From MANY failed records on, a worker counts them once a minute with the figures of the dashboard, and pages show what
it has counted. When no worker has counted for a while, they count for themselves again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.utils import timezone

from syncengine.flows import registry
from syncengine.models import Record, RecordStatus, Troubles
from tenants.models import Integration

MANY = 20_000
COUNTS_FOR = timedelta(minutes=5)
MOST_GROUPS = 400
MOST_ATTENTION = 500
ON_THEIR_WAY = (RecordStatus.PENDING, RecordStatus.IN_PROGRESS, RecordStatus.WAITING)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Counted:
    """The answer to a question, and when a worker counted it; None: just now."""

    rows: Rows
    at: datetime | None = None


def troubled(integration: Integration) -> QuerySet[Record]:
    """What failed and has not come through since, be it on its way again."""
    statuses = (RecordStatus.FAILED, *ON_THEIR_WAY)
    return Record.objects.filter(integration=integration, mended_at=None, status__in=statuses).exclude(failed_for="")


def sums(rows: QuerySet[Record], *by: str, newest: Max) -> Rows:
    """The largest MOST_GROUPS groups of them, by currency."""
    groups = rows.order_by().values("flow", "currency", *by)
    added = groups.annotate(count=Count("pk"), total=Sum("amount"), newest_at=newest, sample=Max("pk"))
    return list(added.order_by("-count")[:MOST_GROUPS])


def sums_of_troubled(rows: QuerySet[Record]) -> Rows:
    return sums(rows, "status", "failed_for", newest=Max("failed_at"))


def _failed(integration: Integration) -> QuerySet[Record]:
    """Naming the flows lets an index answer."""
    return Record.objects.filter(integration=integration, flow__in=registry.known(), status=RecordStatus.FAILED)


def _attention(integration: Integration) -> Rows:
    groups = _failed(integration).values("flow", "error_code", "cause", "currency")
    added = groups.annotate(count=Count("pk"), amount=Sum("amount"), oldest_at=Min("created_at"), newest=Max("pk"))
    return [dict(row) for row in added.order_by("-count")[:MOST_ATTENTION]]


def _failed_of_flows(integration: Integration) -> Rows:
    counted = _failed(integration).values("flow").annotate(count=Count("pk"))
    return [dict(row) for row in counted.order_by("flow")]


_QUESTIONS: Mapping[str, Callable[[Integration], Rows]] = {
    "troubled": lambda integration: sums_of_troubled(troubled(integration)),
    "attention": _attention,
    "failed": _failed_of_flows,
}


def answer(integration: Integration, question: str) -> Counted:
    """`troubled`: sums by status and cause. `attention`: failed ones with the oldest of each. `failed`: by flow."""
    lately = timezone.now() - COUNTS_FOR
    known = Troubles.objects.filter(integration=integration, counted_at__gt=lately).only(question, "counted_at").first()
    if known is None:
        return Counted(_QUESTIONS[question](integration))
    return Counted([_read(row) for row in getattr(known, question)], known.counted_at)


def remember(integration: Integration) -> None:
    """Count beforehand where there are many, as a worker does once a minute."""
    rows = Troubles.objects.filter(integration=integration)
    if len(_failed(integration).order_by().values_list("pk")[:MANY]) < MANY:
        rows.delete()
        return
    now = timezone.now()
    found = {name: [_plain(row) for row in ask(integration)] for name, ask in _QUESTIONS.items()}
    Troubles.objects.update_or_create(integration=integration, defaults={**found, "counted_at": now})


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in {"total", "amount"}:
        return Decimal(value)  # a whole one comes back as an int
    return datetime.fromisoformat(value) if name.endswith("_at") else value
