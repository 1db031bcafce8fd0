"""The figures of the dashboard: counted once a minute by a worker, so that pages read few rows of however many.

Days are counted from the audit trail, which says for ever what happened when; a record only says how it stands now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from syncengine.engine import locks, troubles
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, DayFigures, Figures, PostedDocument, Record, RecordStatus, Stage
from syncengine.models.audit import OUTCOMES
from tenants.models import Integration

COUNTED = "figures"
COUNT_SECONDS = 60
DAYS = 30
# Transactions that were open when it was counted last.
OVERLAP = timedelta(minutes=15)
FAILED = "record.failed"
INVOICES = "invoices"


def is_due(now: datetime) -> bool:
    """Whether COUNT_SECONDS have gone by since any worker counted."""
    return locks.is_free(COUNTED, now=now)


def count_due(_deadline: Deadline) -> bool:
    """Count every integration once each COUNT_SECONDS; False when it is not time."""
    if not locks.taken_for(COUNTED, seconds=COUNT_SECONDS):
        return False
    for integration in Integration.objects.select_related("organization").order_by("pk"):
        refresh(integration)
    return True


def refresh(integration: Integration) -> None:
    """Count anew the days since the last time, and how the invoices stand now.

    All is counted before anything is written: on SQLite nobody else can write from a transaction's beginning on.
    """
    now, zone = timezone.now(), integration.organization.zone
    known = Figures.objects.filter(integration=integration).values_list("counted_at", flat=True).first()
    oldest = now.astimezone(zone).date() - timedelta(days=DAYS - 1)
    first = max(oldest, (known - OVERLAP).astimezone(zone).date()) if known else oldest
    days = _days(integration, first, now.astimezone(zone).date())
    figures = {"stages": _stages(integration), "records": _states(integration), "counted_at": now}
    with transaction.atomic():
        DayFigures.objects.bulk_create(
            [DayFigures(integration=integration, day=day, **of_day) for day, of_day in days.items()],
            update_conflicts=True,
            unique_fields=["integration", "day"],
            update_fields=["done", "failed", "posted", "median_seconds", "slow_seconds"],
        )
        Figures.objects.update_or_create(integration=integration, defaults=figures)
    troubles.remember(integration)


def _days(integration: Integration, first: date, last: date) -> Mapping[date, dict[str, Any]]:
    """The figures of each of these days on which anything happened."""
    days: dict[date, dict[str, Any]] = defaultdict(dict)
    zone = integration.organization.zone
    outcomes = AuditEvent.objects.filter(integration=integration, action__in=OUTCOMES)
    # One day after the other: to group a million events by their days SQLite puts all of them in order, in memory.
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        begin, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
        counted = outcomes.filter(created_at__gte=begin, created_at__lt=end).aggregate(
            done=Count("action", filter=~Q(action=FAILED)), failed=Count("action", filter=Q(action=FAILED))
        )
        if any(counted.values()):
            days[day].update(counted)
    since = datetime.combine(first, time(), zone)
    for day, seconds in _times_to_posting(integration, since).items():
        days[day].update(
            posted=len(seconds), median_seconds=percentile(seconds, 0.5), slow_seconds=percentile(seconds, 0.95)
        )
    return days


def _times_to_posting(integration: Integration, since: datetime) -> Mapping[date, list[float]]:
    """By day of posting, for what we posted ourselves: seconds since the invoice was approved."""
    rows = PostedDocument.objects.filter(
        integration=integration, created_at__gte=since, adopted=False, record__offered_at__isnull=False
    )
    found: dict[date, list[float]] = defaultdict(list)
    for posted_at, approved_at in rows.values_list("created_at", "record__offered_at").iterator():
        day = posted_at.astimezone(integration.organization.zone).date()
        assert approved_at is not None  # by the filter above
        found[day].append(max(0.0, (posted_at - approved_at).total_seconds()))
    return found


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that this share of all does not exceed (nearest rank): one that really was."""
    ranked = sorted(values)
    return ranked[max(ceil(share * len(ranked)), 1) - 1]


def _stages(integration: Integration) -> list[dict[str, Any]]:
    """Invoices by stage and currency; those that were given back are at no stage."""
    rows = Record.objects.filter(integration=integration, flow=INVOICES).exclude(status=RecordStatus.IGNORED)
    groups = rows.values("stage", "currency").annotate(
        count=Count("stage"), failed=Count("stage", filter=Q(status=RecordStatus.FAILED)), amount=Sum("amount")
    )
    return [dict(group) for group in groups.order_by("stage", "currency")]


def _states(integration: Integration) -> list[dict[str, Any]]:
    """Records by flow and status, read from an index alone."""
    groups = Record.objects.filter(integration=integration).values("flow", "status").annotate(count=Count("flow"))
    return [dict(group) for group in groups.order_by("flow", "status")]


# What pages read


@dataclass(frozen=True)
class StageSum:
    """The invoices of one stage; `amounts` by currency, the largest first."""

    stage: str
    count: int
    failed: int
    amounts: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True)
class Statistics:
    """The last DAYS days without a gap, oldest first, and every stage in its order; `counted_at` None: never yet."""

    days: Sequence[DayFigures]
    stages: Sequence[StageSum]
    counted_at: datetime | None


def statistics_of(integration: Integration, today: date) -> Statistics:
    """Two questions, each answered by a unique index."""
    figures = Figures.objects.filter(integration=integration).first()
    span = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    rows = {row.day: row for row in DayFigures.objects.filter(integration=integration, day__gte=span[0])}
    return Statistics(
        days=[rows.get(day) or DayFigures(integration=integration, day=day) for day in span],
        stages=_stage_sums(figures.stages if figures else []),
        counted_at=figures.counted_at if figures else None,
    )


def records_by_state() -> tuple[Mapping[tuple[str, str], int], datetime | None]:
    """How many records of all organizations are in each (flow, status), and when the oldest of it was counted."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    oldest = None
    for records, counted_at in Figures.objects.values_list("records", "counted_at"):
        oldest = min(oldest or counted_at, counted_at)
        for group in records:
            found[group["flow"], group["status"]] += group["count"]
    return found, oldest


def _stage_sums(rows: Iterable[Mapping[str, Any]]) -> list[StageSum]:
    by_stage: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_stage[row["stage"]].append(row)
    return [_stage_sum(stage, by_stage[stage]) for stage in Stage.values]


def _stage_sum(stage: str, rows: Sequence[Mapping[str, Any]]) -> StageSum:
    amounts = [(row["currency"], Decimal(row["amount"])) for row in rows if row["amount"] is not None]
    return StageSum(
        stage=stage,
        count=sum(row["count"] for row in rows),
        failed=sum(row["failed"] for row in rows),
        amounts=sorted(amounts, key=lambda pair: -pair[1]),
    )


@dataclass(frozen=True)
class AttentionGroup:
    """Failed records of one flow with one cause; `sample` is the newest, `oldest_at` when the first of them came."""

    flow: str
    code: str
    cause: str
    count: int
    amounts: Sequence[tuple[str, Decimal]]
    oldest_at: datetime
    sample: Record


def attention(integration: Integration, most: int) -> list[AttentionGroup]:
    """What needs a person, by money and then by age.

    Amounts of different currencies cannot be compared: the largest single-currency sum of a group stands for it.
    """
    rows = troubles.answer(integration, "attention").rows
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["flow"], row["error_code"], row["cause"]].append(row)
    first = sorted(groups.values(), key=_urgency)[:most]
    newest = [max(row["newest"] for row in group) for group in first]
    samples = Record.objects.only("title", "key", "error_message", "error_hint").in_bulk(newest)
    pairs = zip(newest, first, strict=True)
    return [_group(group, samples[pk]) for pk, group in pairs if pk in samples]


def _urgency(group: Sequence[Mapping[str, Any]]) -> tuple[Decimal, datetime]:
    """Sorts the most money first, among equals the oldest."""
    most = max((abs(row["amount"]) for row in group if row["amount"] is not None), default=Decimal(0))
    return -most, min(row["oldest_at"] for row in group)


def _group(rows: Sequence[Mapping[str, Any]], sample: Record) -> AttentionGroup:
    amounts = [(row["currency"], row["amount"]) for row in rows if row["amount"] is not None]
    return AttentionGroup(
        flow=rows[0]["flow"],
        code=rows[0]["error_code"],
        cause=rows[0]["cause"],
        count=sum(row["count"] for row in rows),
        amounts=sorted(amounts, key=lambda pair: -pair[1]),
        oldest_at=min(row["oldest_at"] for row in rows),
        sample=sample,
    )
