"""Replaying many records as one act: counted before, done in bounded steps, one event for all and one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine.records import finish_if_settled
from syncengine.engine.replay import MappingOf, again, version_of, words_of_version
from syncengine.engine.runs import ActionRefused
from syncengine.engine.wake import wake
from syncengine.models import AuditEvent, Record, RecordStatus
from tenants.models import Integration

REPLAYED_AT_ONCE = 500
REPLAYABLE = (RecordStatus.FAILED, RecordStatus.WAITING, RecordStatus.DONE)


@dataclass(frozen=True)
class Extent:
    """How many records a bulk replay would take, and their amounts by currency."""

    count: int
    sums: Mapping[str, Decimal]


def replayable(records: QuerySet[Record]) -> QuerySet[Record]:
    """Those that can be replayed together: not ignored ones, nor those that are on their way already."""
    return records.filter(status__in=REPLAYABLE)


def extent(records: QuerySet[Record]) -> Extent:
    """What a person is shown before the act."""
    chosen = replayable(records).order_by()
    with_amounts = chosen.exclude(amount=None).exclude(currency="")
    sums = with_amounts.values_list("currency").annotate(total=Sum("amount")).order_by("currency")
    return Extent(chosen.aggregate(count=Count("pk"))["count"], dict(sums))


def replay_many(
    records: QuerySet[Record],
    actor: str,
    reason: str = "",
    *,
    mapping: str = MappingOf.TODAY,
    chosen_by: Mapping[str, Any] | None = None,
) -> int:
    """Replay every one of these that can be; gives how many.

    `chosen_by` says for the trail how they were found. One whose mapping of then cannot be used is left as it is.
    """
    chosen = replayable(records).order_by("id")
    acts: dict[int, AuditEvent] = {}
    done = last = 0
    while chunk := list(chosen.filter(pk__gt=last).values_list("pk", flat=True)[:REPLAYED_AT_ONCE]):
        last = chunk[-1]
        with transaction.atomic():
            rows = Record.objects.select_for_update(no_key=True, of=("self",)).select_related(
                "integration__organization"
            )
            locked = list(replayable(rows.filter(pk__in=chunk)).order_by("id"))
            for record in locked:
                if record.integration_id not in acts:
                    acts[record.integration_id] = _announce(
                        record.integration, chosen, actor, reason, mapping, chosen_by or {}
                    )
            done += _replay(locked, acts, actor, reason, mapping)
    if done:
        wake()
    return done


def _announce(
    integration: Integration,
    chosen: QuerySet[Record],
    actor: str,
    reason: str,
    mapping: str,
    chosen_by: Mapping[str, Any],
) -> AuditEvent:
    """The act itself, told before its first record; the events of its records name it."""
    found = extent(chosen.filter(integration=integration))
    return record_event(
        integration.organization,
        actor,
        "records.replayed",
        reason,
        integration=integration,
        count=found.count,
        sums={currency: f"{total:f}" for currency, total in found.sums.items()},
        chosen_by=dict(chosen_by),
        mapping=str(mapping),
    )


def _replay(records: Sequence[Record], acts: Mapping[int, AuditEvent], actor: str, reason: str, mapping: str) -> int:
    runs = {record.run_id for record in records}
    replayed = 0
    for record in records:
        try:
            version = version_of(record, mapping)
        except ActionRefused:
            continue
        again(record, version)
        record.save()
        record_event(
            record.integration.organization,
            actor,
            "record.replayed",
            reason,
            integration=record.integration,
            record=record,
            act=acts[record.integration_id].pk,
            **words_of_version(record, version),
        )
        replayed += 1
    Record.objects.filter(pk__in=[record.pk for record in records], wishes__isnull=False).update(
        wishes=None, updated_at=timezone.now()
    )
    for run_id in runs:
        finish_if_settled(run_id)
    return replayed
