"""Noticing what stands in the rows: records that were given up, decisions, closings that were held.

They are read from the state, not told by who causes them, so that no crash and no new way to fail leaves one out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count, Max
from django.utils import timezone

from syncengine.engine import locks
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.models import FlowState, Notice, Record, RecordStatus
from syncengine.notices.kinds import Kind
from syncengine.notices.raising import close_notices, raise_notice
from tenants.models import Integration

WATCH = "notices"
WATCH_SECONDS = 30
WATCHED = (Kind.RECORDS_FAILED, Kind.NEEDS_DECISION, Kind.CLOSINGS_HELD)
NEEDS_DECISION = "needs_decision"
# It names a record that failed for a reason of its own, and that one is told of.
HELD_BACK = "dependency_failed"
MOST_GROUPS = 100


@dataclass(frozen=True)
class Finding:
    """A subject that a notice is open for."""

    kind: Kind
    subject_key: str
    message: str
    hint: str
    path: str
    count: int
    happened_at: datetime


def is_due(now: datetime) -> bool:
    """Whether WATCH_SECONDS have gone by since any worker looked."""
    return locks.is_free(WATCH, now=now)


def watch_due(_deadline: Deadline) -> bool:
    """Look at every integration once each WATCH_SECONDS; False when it is not time."""
    if not locks.taken_for(WATCH, seconds=WATCH_SECONDS):
        return False
    for integration in Integration.objects.select_related("organization").order_by("pk"):
        watch(integration)
    return True


def watch(integration: Integration) -> None:
    """Open, bring up to date and close the notices that follow from the integration's rows."""
    findings = [*_failed(integration), *_held(integration)]
    for found in findings:
        raise_notice(
            integration, found.kind, found.subject_key, found.message, found.hint,
            path=found.path, count=found.count, happened_at=found.happened_at,
        )  # fmt: skip
    there = {(found.kind.value, found.subject_key) for found in findings}
    open_ones = Notice.objects.filter(integration=integration, kind__in=WATCHED, closed_at=None)
    for kind, subject_key in open_ones.values_list("kind", "subject_key"):
        if (kind, subject_key) not in there:
            close_notices(integration, Kind(kind), subject_key)


def _failed(integration: Integration) -> Iterator[Finding]:
    failed = Record.objects.filter(integration=integration, flow__in=registry.flows(), status=RecordStatus.FAILED)
    groups = list(
        failed.exclude(error_code=HELD_BACK)
        .values("flow", "error_code")
        .annotate(count=Count("pk"), newest=Max("pk"), happened_at=Max("updated_at"))
        .order_by("-count")[:MOST_GROUPS]
    )
    samples = Record.objects.only("title", "key", "error_message", "error_hint").in_bulk(
        [group["newest"] for group in groups]
    )
    for group in groups:
        if sample := samples.get(group["newest"]):
            yield _group(integration, sample, **group)


def _group(
    integration: Integration,
    sample: Record,
    *,
    flow: str,
    error_code: str,
    count: int,
    newest: int,
    happened_at: datetime,
) -> Finding:
    decision = error_code == NEEDS_DECISION
    title, one = registry.get(flow).title.lower(), sample.title or sample.key
    deed = "a person has to decide" if decision else "failed, not tried again by itself"
    query = urlencode({"flow": flow, "status": RecordStatus.FAILED, "error_code": error_code})
    return Finding(
        kind=Kind.NEEDS_DECISION if decision else Kind.RECORDS_FAILED,
        subject_key=f"{flow}:{error_code}",
        message=f"{integration.name}, {count} × {title}: {deed}. {one}: {sample.error_message[:300]}",
        hint=sample.error_hint[:300],
        path=f"records/{newest}/" if count == 1 else f"integrations/{integration.pk}/records/?{query}",
        count=count,
        happened_at=happened_at,
    )


def _held(integration: Integration) -> Iterator[Finding]:
    states = FlowState.objects.filter(integration=integration, last_run__closings_held__gt=0).select_related("last_run")
    for state in states:
        run = state.last_run
        if run is not None:
            yield Finding(
                kind=Kind.CLOSINGS_HELD,
                subject_key=state.flow,
                message=(
                    f"{integration.name}, {registry.get(state.flow).title.lower()}: {run.closings_held} records are "
                    "gone from the source and wait for your yes before they are closed."
                ),
                hint="Look at the run and decide. If a backup was restored or a filter changed, mend that first.",
                path=f"runs/{run.pk}/",
                count=run.closings_held,
                happened_at=run.finished_at or timezone.now(),
            )
