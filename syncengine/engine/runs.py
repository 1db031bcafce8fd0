"""Asking for runs, and what a run's status is: computed from its records, never chosen."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from syncengine import notices
from syncengine.audit import record_event
from syncengine.engine import tallies
from syncengine.engine.pauses import WAITS_FOR_RESUME, forget_why_run_waits
from syncengine.engine.wake import wake
from syncengine.flows import registry
from syncengine.models import (
    FINAL_STATUSES,
    OPEN_RUN_STATUSES,
    OPEN_STATUSES,
    FlowState,
    Record,
    Run,
    RunMode,
    RunStatus,
)
from syncengine.notices import Kind
from tenants.errors import FieldError, Refused
from tenants.models import Integration

log = structlog.get_logger(__name__)

ALL = "all"
CLOSING_NEEDS_APPROVAL = "closing_needs_approval"
# Why a run did not begin: the pause has a notice of its own, and what was switched off was switched off by a person.
TOLD_ELSEWHERE = frozenset({"integration_paused", "integration_disabled", "flow_disabled"})


class ActionRefused(Exception):
    """What was asked for is not possible now; `field` names the part of the request that is wrong."""

    def __init__(self, message: str, field: str = "", code: str = "refused") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code


def request_runs(integration: Integration, flow: str, mode: str, *, trigger: str, actor: str) -> list[Run]:
    """One run of the flow, or of every enabled flow in dependency order for "all"; wakes the workers.

    Where a flow has an open run (queued or running) already, that one is returned instead.
    """
    runs: list[Run] = []
    with transaction.atomic():
        for name in _flow_names(integration, flow):
            after = runs[-1] if runs else None
            runs.append(_open_run(integration, name, mode, trigger, actor, after))
        wake()
    return runs


def _flow_names(integration: Integration, flow: str) -> list[str]:
    there_are = registry.of(integration.settings)
    if flow != ALL and registry.get(flow).name not in there_are:
        message = f"The flow {flow} is not switched on: name it in the setting optional_flows first."
        raise Refused([FieldError("flow", message, "unknown")])
    if flow != ALL:
        return [flow]
    off = set(FlowState.objects.filter(integration=integration, enabled=False).values_list("flow", flat=True))
    return [name for name in there_are if name not in off]


def _open_run(integration: Integration, flow: str, mode: str, trigger: str, actor: str, after: Run | None) -> Run:
    try:
        return begin_run(integration, flow, mode, trigger, actor, after)
    except IntegrityError:  # the database allows one open run per flow: whoever asks again is answered with it
        return Run.objects.get(integration=integration, flow=flow, status__in=OPEN_RUN_STATUSES)


@transaction.atomic
def begin_run(integration: Integration, flow: str, mode: str, trigger: str, actor: str, after: Run | None) -> Run:
    """A run that waits for a worker. Raises IntegrityError while another of the flow is open."""
    run = Run.objects.create(
        integration=integration, flow=flow, mode=mode, trigger=trigger, requested_by=actor, after=after
    )
    FlowState.objects.update_or_create(
        integration=integration,
        flow=flow,
        defaults={"last_run": run},
        create_defaults={"last_run": run, "resend_field": registry.get(flow).resend_field},
    )
    log.info("run_requested", run_id=run.pk, flow=flow, mode=mode, trigger=trigger, integration=integration.pk)
    record_event(integration.organization, actor, "run.requested", f"{flow}, {mode}", integration=integration, run=run)
    return run


@transaction.atomic
def cancel(run: Run, actor: str) -> Run:
    """Stop after the page in flight; what was sent is still settled. A queued run ends at once."""
    run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.is_final:
        raise ActionRefused("The run has ended already.", code="run_ended")
    run.cancel_requested = True
    if run.status == RunStatus.QUEUED:
        run.all_sent = True
    run.save(update_fields=["cancel_requested", "all_sent"])
    compute_status(run)
    record_event(run.integration.organization, actor, "run.cancelled", integration=run.integration, run=run)
    return run


@transaction.atomic
def confirm_closings(run: Run, actor: str) -> Run:
    """Say yes to closings that were held: a follow-up run closes what this run did not find."""
    if run.error_code != CLOSING_NEEDS_APPROVAL or not run.closings_held:
        raise ActionRefused("This run holds no closings.", code="nothing_held")
    Run.objects.filter(pk=run.pk).update(closings_held=0)
    follow_up = _open_run(run.integration, run.flow, "full", "person", actor, None)
    Run.objects.filter(pk=follow_up.pk).update(cursor={**follow_up.cursor, "closings_confirmed": True})
    record_event(
        run.integration.organization,
        actor,
        "run.closings_confirmed",
        f"{run.closings_held} records may be closed",
        integration=run.integration,
        run=run,
    )
    wake()
    return follow_up


def compute_status(run: Run) -> None:
    """Store the status that follows from the run's records; inside a transaction that holds the run's row."""
    status = _verdict(run)
    if status in FINAL_STATUSES and run.error_code == WAITS_FOR_RESUME:
        forget_why_run_waits(Run.objects.filter(pk=run.pk))
        run.refresh_from_db(fields=["error_code", "error_message", "error_hint"])
        status = _verdict(run)
    if status == run.status:
        return
    run.status = status
    if status in FINAL_STATUSES:
        run.finished_at = timezone.now()
        run.lease_owner, run.lease_expires_at = "", None
    run.save(update_fields=["status", "finished_at", "lease_owner", "lease_expires_at"])
    if status in FINAL_STATUSES:
        record_event(
            run.integration.organization,
            "system",
            f"run.{status}",
            run.error_message,
            integration=run.integration,
            run=run,
            counts=run.counts,
        )
        _tell(run)
        _tally(run)
        wake()


def _tally(run: Run) -> None:
    log.info("run_ended", run_id=run.pk, flow=run.flow, status=run.status, error=run.error_code, **run.counts)
    changes = tallies.Changes()
    changes.count(tallies.RUNS, run.flow, run.status)
    for what, number in run.counts.items():
        changes.count(tallies.RUN_RECORDS, run.flow, what, by=number)
    if run.started_at and run.finished_at:
        changes.observe(tallies.RUN_TIME, (run.finished_at - run.started_at).total_seconds(), run.flow)
    transaction.on_commit(changes.store)


def _tell(run: Run) -> None:
    """A run that came to nothing is told of until one of the same flow went better."""
    if run.status != RunStatus.FAILED:
        notices.close_notices(run.integration, Kind.RUN_FAILED, run.flow)
    elif run.error_code not in TOLD_ELSEWHERE and not run.integration.paused and run.error_message:
        notices.raise_notice(
            run.integration,
            Kind.RUN_FAILED,
            run.flow,
            f"{run.integration.name}: the run of {registry.get(run.flow).title.lower()} failed. {run.error_message}",
            run.error_hint,
            path=f"runs/{run.pk}/",
            happened_at=run.finished_at,
        )


def _verdict(run: Run) -> RunStatus:
    if not run.all_sent:
        return RunStatus.RUNNING if run.started_at else RunStatus.QUEUED
    if Record.objects.filter(run=run, status__spelled_in=OPEN_STATUSES).exists():  # as `record_open_of_run` has it
        return RunStatus.SETTLING
    if run.cancel_requested:
        return RunStatus.CANCELLED
    if not run.failed and not run.error_code:
        return RunStatus.SUCCEEDED
    some_went_well = run.confirmed or run.unchanged or run.error_code == CLOSING_NEEDS_APPROVAL
    some_went_well = some_went_well or (run.mode == RunMode.DRY_RUN and run.read > run.failed)
    return RunStatus.PARTIAL if some_went_well else RunStatus.FAILED
