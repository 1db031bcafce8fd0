"""What the pages show of each flow: its schedule, its last run, and how well it is, by colour and by word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from syncengine.engine import flow_states, troubles
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.models import FlowState, Run, RunMode, RunStatus
from tenants.models import Integration

LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Health:
    """`tone` is the colour (ok, warn, bad, info, quiet), `word` what it means; `busy` lets the dot breathe."""

    tone: str
    word: str
    busy: bool = False


OFF = Health("quiet", "Switched off")
NEVER = Health("quiet", "Never run")
LATE = Health("warn", "Late")
UP_TO_DATE = Health("ok", "Up to date")
ATTENTION = Health("warn", "Needs attention")
OF_LAST_RUN = {
    RunStatus.QUEUED: Health("info", "Waiting to run", busy=True),
    RunStatus.RUNNING: Health("info", "Running", busy=True),
    RunStatus.SETTLING: Health("info", "Waiting for answers", busy=True),
    RunStatus.SUCCEEDED: UP_TO_DATE,
    RunStatus.PARTIAL: ATTENTION,
    RunStatus.FAILED: Health("bad", "Failing"),
    RunStatus.CANCELLED: Health("quiet", "Cancelled"),
}


@dataclass(frozen=True)
class FlowRow:
    """One flow of one integration."""

    flow: Flow
    state: FlowState
    run: Run | None
    failed: int
    now: datetime
    fresh_as_of: datetime | None = None
    """When the target was last known to have everything: the end of the last run that read to the end."""

    @property
    def next_run(self) -> datetime | None:
        due = [when for when in (self.state.next_due_at, self.state.next_full_due_at) if when]
        return min(due, default=None) if self.state.enabled else None

    @property
    def health(self) -> Health:
        if not self.state.enabled:
            return OFF
        if self.run is None:
            return NEVER
        found = OF_LAST_RUN[RunStatus(self.run.status)]
        if found is ATTENTION and not self.run.error_code:
            found = UP_TO_DATE  # what failed then was mended since, unless `failed` says otherwise
        if found.tone == "ok" and self.failed:
            return ATTENTION
        if found.tone == "ok" and self.next_run and self.next_run < self.now - LATE_AFTER:
            return LATE
        return found


def failed_counts(integration: Integration) -> Mapping[str, int]:
    """How many records of each flow need a person."""
    return {row["flow"]: row["count"] for row in troubles.answer(integration, "failed").rows}


def flow_rows(integration: Integration) -> list[FlowRow]:
    """Every flow in the order of dependencies, with a constant number of queries."""
    stored = FlowState.objects.filter(integration=integration).annotate(fresh_as_of=Subquery(_end_of_good_run()))
    rows = stored.select_related("last_run").defer("last_run__result", "last_run__cursor")
    states = flow_states.with_defaults(integration, rows)
    failed, now = failed_counts(integration), timezone.now()
    return [
        FlowRow(
            flow,
            states[name],
            states[name].last_run,
            failed.get(name, 0),
            now,
            getattr(states[name], "fresh_as_of", None),  # a state that is not stored yet has none
        )
        for name, flow in registry.of(integration.settings).items()
    ]


def _end_of_good_run() -> QuerySet[Run, Any]:
    """Of the state's flow, the newest: one step into the index `run_good`."""
    good = (
        Run.objects.filter(
            integration=OuterRef("integration"),
            flow=OuterRef("flow"),
            status__in=(RunStatus.SUCCEEDED, RunStatus.PARTIAL),
            finished_at__isnull=False,
        )
        .exclude(mode=RunMode.DRY_RUN)
        .exclude(mode=RunMode.APPLY)
    )
    return good.order_by("-finished_at").values("finished_at")[:1]
