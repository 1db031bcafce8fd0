"""Noticing what stands in the rows: records that were given up, decisions, closings that were held, silence.

They are read from the state, not told by who causes them, so that no crash and no new way to fail leaves one out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from django.db.models import Count, Max, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from syncengine.engine import locks
from syncengine.engine.webhook_watch import silence, silent_webhooks
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.models import FlowState, Hook, Notice, Record, RecordStatus
from syncengine.notices.kinds import Kind
from syncengine.notices.raising import close_notices, raise_notice
from tenants.models import Integration

WATCH = "notices"
WATCH_SECONDS = 30
WATCHED = (Kind.RECORDS_FAILED, Kind.NEEDS_DECISION, Kind.CLOSINGS_HELD, Kind.WEBHOOK_SILENT, Kind.HOOK_STOPPED)
NEEDS_DECISION = "needs_decision"
# It names a record that failed for a reason of its own, and that one is told of.
HELD_BACK = "dependency_failed"
MOST_GROUPS = 100
AT_ONCE = 200


@dataclass(frozen=True)
class Finding:
    """A subject that a notice is open for, of the integration with that key; told anew when it happened again."""

    integration: int
    kind: Kind
    subject_key: str
    message: str
    hint: str
    path: str
    count: int
    happened_at: datetime | None = None

    def is_told_by(self, notice: Notice) -> bool:
        """Whether the notice already says just this."""
        told = (notice.message, notice.hint, notice.path, notice.count)
        return told == (self.message, self.hint, self.path, self.count) and not (
            self.happened_at and self.happened_at > notice.told_at
        )


def is_due(now: datetime) -> bool:
    """Whether WATCH_SECONDS have gone by since any worker looked."""
    return locks.is_free(WATCH, now=now)


def watch_due(_deadline: Deadline) -> bool:
    """Look at every integration once each WATCH_SECONDS; False when it is not time."""
    if not locks.taken_for(WATCH, seconds=WATCH_SECONDS):
        return False
    last = 0
    while some := _after(last):
        watch(some)
        last = some[-1].pk
    return True


def _after(last: int) -> list[Integration]:
    return list(Integration.objects.select_related("organization").filter(pk__gt=last).order_by("pk")[:AT_ONCE])


def watch(integrations: Sequence[Integration]) -> None:
    """Open, bring up to date and close the notices that follow from the rows of these integrations.

    Six questions for all of them together; what is told already costs nothing more.
    """
    by_key = {one.pk: one for one in integrations}
    told = {
        (notice.integration_id, notice.kind, notice.subject_key): notice
        for notice in Notice.objects.filter(integration__in=by_key, kind__in=WATCHED, closed_at=None)
    }
    for found in _findings(by_key):
        notice = told.pop((found.integration, found.kind.value, found.subject_key), None)
        if notice is None or not found.is_told_by(notice):
            raise_notice(
                by_key[found.integration], found.kind, found.subject_key, found.message, found.hint,
                path=found.path, count=found.count, happened_at=found.happened_at,
            )  # fmt: skip
    for key, kind, subject_key in told:
        close_notices(by_key[key], Kind(kind), subject_key)


def _findings(by_key: dict[int, Integration]) -> Iterator[Finding]:
    yield from _failed(by_key)
    yield from _held(by_key)
    yield from _silent(by_key)
    yield from _stopped(by_key)


def _failed(by_key: dict[int, Integration]) -> Iterator[Finding]:
    failed = Record.objects.filter(integration__in=by_key, flow__in=registry.known(), status=RecordStatus.FAILED)
    rows = (
        failed.exclude(error_code=HELD_BACK)
        .values("integration", "flow", "error_code")
        .annotate(count=Count("pk"), newest=Max("pk"), happened_at=Max("updated_at"))
        .order_by("integration", "-count")
    )
    groups = [
        group
        for _, of_one in groupby(rows, key=lambda row: row["integration"])
        for group in islice(of_one, MOST_GROUPS)
    ]
    samples = Record.objects.only("title", "key", "error_message", "error_hint").in_bulk(
        [group["newest"] for group in groups]
    )
    for group in groups:
        if sample := samples.get(group["newest"]):
            yield _group(by_key[group["integration"]], sample, group)


def _group(integration: Integration, sample: Record, group: Mapping[str, Any]) -> Finding:
    flow, error_code, count = group["flow"], group["error_code"], group["count"]
    decision = error_code == NEEDS_DECISION
    title, one = registry.get(flow).title.lower(), sample.title or sample.key
    deed = "a person has to decide" if decision else "failed, not tried again by itself"
    return Finding(
        integration=integration.pk,
        kind=Kind.NEEDS_DECISION if decision else Kind.RECORDS_FAILED,
        subject_key=f"{flow}:{error_code}",
        message=f"{integration.name}, {count} × {title}: {deed}. {one}: {sample.error_message[:300]}",
        hint=sample.error_hint[:300],
        path=f"records/{group['newest']}/" if count == 1 else f"integrations/{integration.pk}/repairs/",
        count=count,
        happened_at=group["happened_at"],
    )


def _held(by_key: dict[int, Integration]) -> Iterator[Finding]:
    states = FlowState.objects.filter(integration__in=by_key, last_run__closings_held__gt=0)
    for state in states.select_related("last_run"):
        run = state.last_run
        if run is not None:
            yield Finding(
                integration=state.integration_id,
                kind=Kind.CLOSINGS_HELD,
                subject_key=state.flow,
                message=(
                    f"{by_key[state.integration_id].name}, {registry.get(state.flow).title.lower()}: "
                    f"{run.closings_held} records are gone from the source and wait "
                    "for your yes before they are closed."
                ),
                hint="Look at the run and decide. If a backup was restored or a filter changed, mend that first.",
                path=f"runs/{run.pk}/",
                count=run.closings_held,
                happened_at=run.finished_at or timezone.now(),
            )


def _silent(by_key: dict[int, Integration]) -> Iterator[Finding]:
    for key, missed in silent_webhooks(timezone.now(), by_key).items():
        trouble = silence(missed)
        yield Finding(
            integration=key,
            kind=Kind.WEBHOOK_SILENT,
            subject_key="webhook",
            message=f"{by_key[key].name}: {trouble.message}",
            hint=trouble.hint,
            path=f"integrations/{key}/webhook/",
            count=trouble.count,
        )


def _stopped(by_key: dict[int, Integration]) -> Iterator[Finding]:
    """A hook of the whole organization is told of at its first integration: every notice belongs to one."""
    home = Coalesce("integration", Min("organization__integrations"))
    for hook in Hook.objects.exclude(stopped_at=None).defer("secret").annotate(home=home).filter(home__in=by_key):
        yield Finding(
            integration=hook.home,
            kind=Kind.HOOK_STOPPED,
            subject_key=f"hook:{hook.pk}",
            message=f"The webhook {hook.name} was stopped: {hook.stopped_for}",
            hint="Mend the address, then switch it on again: what waits is sent, what came meanwhile was not kept.",
            path=f"hooks/{hook.pk}/",
            count=1,
            happened_at=hook.stopped_at,
        )
