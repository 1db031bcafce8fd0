"""Working on runs: claim one by lease, let its flow do its work, put down how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.outcomes import ConnectorError, Rejected, Unauthenticated
from syncengine.engine import circuit, document_runs, inbox, master_data, pending, tallies, turns
from syncengine.engine.circuit import HeldBack
from syncengine.engine.connections import NotConfigured, systems
from syncengine.engine.context import flow_context
from syncengine.engine.gate import Caller
from syncengine.engine.leases import Heartbeat, LeaseLost, lease_end, new_owner
from syncengine.engine.observing import calls_for
from syncengine.engine.pauses import say_why_runs_wait
from syncengine.engine.records import internal_error
from syncengine.engine.retries import retry_at
from syncengine.engine.runs import compute_status
from syncengine.engine.work import Deadline, RunWork
from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from syncengine.models import (
    FINAL_STATUSES,
    OPEN_RUN_STATUSES,
    OPEN_STATUSES,
    FlowState,
    InboxNotification,
    Record,
    RecordStatus,
    Run,
    RunStatus,
    RunTrigger,
)
from tenants.row_security import unbound

log = structlog.get_logger(__name__)

HANDED_OVER_SECONDS = 0.5
PATIENCE = timedelta(seconds=1)

BY_ITSELF = (RunTrigger.SCHEDULE, RunTrigger.WEBHOOK)


@dataclass(frozen=True)
class Obstacle:
    """Why a run cannot be worked on at all."""

    code: str
    message: str
    hint: str = field(default="")


def due_runs(now: datetime) -> Q:
    """Runs that somebody may claim: not leased, not waiting for their time or for the run before them."""
    its_turn = Q(after=None) | Q(after__status__in=FINAL_STATUSES)
    return free_runs(now) & its_turn


def free_runs(now: datetime) -> Q:
    """The part of it that stands in the row itself: what a claim's UPDATE asks again when it had to wait for another.

    A condition on another table becomes a subquery, which PostgreSQL does not ask again: two would claim the run.
    """
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    its_time = Q(not_before=None) | Q(not_before__lte=now)
    return Q(status__in=OPEN_RUN_STATUSES) & free & its_time


def execute_due(deadline: Deadline) -> bool:
    """Claim and work on one due run; False when there is none."""
    now = timezone.now()
    due = Run.objects.filter(due_runs(now))
    for integration in turns.line(due):
        oldest = due.filter(integration=integration).order_by("id").values_list("pk", flat=True).first()
        run = claim(oldest) if oldest is not None else None
        if run is not None:
            turns.take(integration)
            execute(run, deadline)
            return True
    return False


def claim(pk: int) -> Run | None:
    """Take the lease of a due run; None when somebody else was quicker."""
    now, owner = timezone.now(), new_owner()
    with transaction.atomic():
        before = Run.objects.select_for_update(no_key=True).filter(free_runs(now), pk=pk).only("lease_owner").first()
        if before is None:
            return None
        Run.objects.filter(pk=pk).update(
            lease_owner=owner, lease_expires_at=lease_end(now), not_before=None, status=RunStatus.RUNNING
        )
        Run.objects.filter(pk=pk, started_at=None).update(started_at=now)
        run = Run.objects.select_related("integration__organization").get(pk=pk)
        if before.lease_owner:  # who stops in good order gives the lease back
            _note_take_over(run)
    return run


def _note_take_over(run: Run) -> None:
    place = _place(run)
    run.resumes += 1
    run.cursor = {**run.cursor, "resumed": place}
    run.save(update_fields=["resumes", "cursor"])
    tallies.count_take_overs("run")
    record_event(
        run.integration.organization,
        "system",
        "run.resumed",
        f"The worker before was lost; {place}.",
        integration=run.integration,
        run=run,
    )


def _place(run: Run) -> str:
    """From where a run is gone on with: what was complete before the worker was lost is not read again."""
    if run.cursor.get("found_all"):
        left = Record.objects.filter(run=run, status__spelled_in=OPEN_STATUSES).count()
        return f"resumed after the last page, with {left} of {run.read} documents still open"
    after = run.cursor.get("after")
    return f"resumed after {after}" if after else "resumed from the start"


def obstacle(run: Run) -> Obstacle | None:
    """What forbids this run before any remote call."""
    integration = run.integration
    if not integration.enabled:
        return Obstacle("integration_disabled", "The integration is switched off.", "Switch it on, then run again.")
    if integration.paused:  # whoever asks: one more log-in with refused credentials could lock SAP's user
        return Obstacle("integration_paused", f"Paused: {integration.paused_reason}", "Mend the connection and ping.")
    state = FlowState.objects.filter(integration=integration, flow=run.flow).first()
    if state is not None and not state.enabled:
        return Obstacle("flow_disabled", f"The flow {run.flow} is switched off.", "Switch it on, then run again.")
    return None


def execute(run: Run, deadline: Deadline) -> None:
    """Work on a claimed run until it is all sent, the deadline has come, or something stands in the way."""
    found = obstacle(run)
    if found is not None:
        end(run, found)
        return
    until = circuit.closed_until(run.integration) if run.trigger in BY_ITSELF else None
    if until is not None:  # what nobody waits for waits too; a person's run is a trial call
        postpone(run, until)
        return
    with Heartbeat(lambda: _renew(run)) as heartbeat:
        try:
            work = RunWork(run, deadline, heartbeat, lambda: _somebody_waits(run))
            _work_on(work)
        except NotConfigured as error:
            end(run, Obstacle("not_configured", str(error), "Enter the connection, ping it, then run again."))
        except ConnectorError as error:
            _after_failure(run, error)
        except LeaseLost:
            log.warning("run_lease_lost", run=run.pk)
        except DatabaseError:
            raise  # the lease runs out, and another goes on from the checkpoint
        except Exception as error:
            # A fault of our own comes again at every try: the run says so instead of going round for ever.
            log.exception("run_crashed", run=run.pk)
            trouble = internal_error(error)
            end(run, Obstacle(trouble.code, trouble.message, trouble.hint))


def _somebody_waits(run: Run) -> bool:
    """Whether something has been due for so long that no idle worker is there to take it.

    Of its own integration only what people and notifications brought: its other runs come when this one is done.
    """
    since = timezone.now() - PATIENCE
    others = Run.objects.exclude(integration=run.integration_id)
    with unbound():  # they wait in other organizations too
        return (
            Record.objects.filter(pending.due_records(since)).filter(pending.may_call(since)).exists()
            or InboxNotification.objects.filter(inbox.due_notifications(since)).exists()
            or others.filter(due_runs(since), created_at__lte=since).exists()
        )


def postpone(run: Run, until: datetime) -> None:
    """Give the run back until then."""
    Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner).update(
        lease_owner="", lease_expires_at=None, not_before=until
    )


def _work_on(work: RunWork) -> None:
    run = work.run
    flow = registry.get(run.flow)
    caller = Caller.WORK if run.trigger in BY_ITSELF else Caller.PERSON
    with systems(run.integration, caller) as both, calls_for(run_id=run.pk):
        log.info("run_begun", flow=run.flow, mode=run.mode, integration=run.integration_id, resumes=run.resumes)
        work.systems = both
        work.context = flow_context(run.integration, flow, both)
        if isinstance(flow, MasterDataFlow):
            finished = master_data.synchronise(flow, work)
        else:
            finished = document_runs.synchronise(flow, work)
    if finished:
        end(run, None)
    else:
        hand_over(run)


def _renew(run: Run) -> bool:
    end_of_lease = lease_end(timezone.now())
    Record.objects.filter(status=RecordStatus.IN_PROGRESS, lease_owner=run.lease_owner).update(
        lease_expires_at=end_of_lease
    )
    rows = Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner)
    return rows.update(lease_expires_at=end_of_lease) == 1


@transaction.atomic
def end(run: Run, why: Obstacle | None) -> None:
    """Nothing more will be read or sent in this run; its status follows from its records."""
    run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    run.all_sent = True
    run.lease_owner, run.lease_expires_at = "", None
    if why is not None:
        run.error_code, run.error_message, run.error_hint = why.code, why.message, why.hint
    elif run.error_code == "retrying":
        run.error_code = run.error_message = run.error_hint = ""
    run.save(update_fields=["all_sent", "lease_owner", "lease_expires_at", "error_code", "error_message", "error_hint"])
    compute_status(run)
    if run.integration.paused:
        say_why_runs_wait(run.integration)


def hand_over(run: Run) -> None:
    """The deadline came first, others wait, or they hold every permit: a later wake-up goes on from the checkpoint."""
    postpone(run, timezone.now() + timedelta(seconds=HANDED_OVER_SECONDS))


def _after_failure(run: Run, error: ConnectorError) -> None:
    """Try again later as RETRY_DELAYS say; end the run when that is used up or cannot help."""
    circuit.note_failure(run.integration, error.system or registry.get(run.flow).source, error)
    final = isinstance(error, Rejected) or (isinstance(error, Unauthenticated) and error.login_refused)
    tries = int(run.cursor.get("tries", 0)) + (0 if isinstance(error, HeldBack) else 1)
    if final or tries > len(settings.RETRY_DELAYS):
        end(run, Obstacle(error.code, error.message, error.hint))
        return
    at = max(retry_at(error, tries, timezone.now()), timezone.now() + timedelta(milliseconds=10))
    fresh = Run.objects.only("cursor").get(pk=run.pk)
    Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner).update(
        lease_owner="",
        lease_expires_at=None,
        not_before=at,
        cursor={**fresh.cursor, "tries": tries},
        error_code="retrying",
        error_message=f"{error.message} Next try at {at:%H:%M:%S} UTC.",
        error_hint=error.hint,
    )
