"""Applying the plan of a dry run: exactly what it lists is sent, and only what is still as the plan says.

A plan is applied once, by a run of its own. It is refused as a whole when it has gone stale: too old, another mapping
or connection, or some of it was sent since. An item of which something else would be sent now is left out and says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine import mappings, runs
from syncengine.engine.plans import connections_of
from syncengine.engine.runs import ActionRefused
from syncengine.engine.wake import wake
from syncengine.models import SENDING_ACTIONS, Attempt, ItemFate, Plan, PlanItem, Run, RunMode, RunStatus

PLAN_STALE = "plan_stale"
PLAN_CHANGED = "plan_changed"
LOOK_AGAIN = "Start another dry run, and look at what it finds."


@dataclass(frozen=True)
class Sendable:
    """What applying a plan would send: how many by action, and the money by currency."""

    counts: Mapping[str, int]
    sums: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return sum(self.counts.values())


def sendable(plan: Plan) -> Sendable:
    """One question over the plan's own items, of which there are `plans.MOST_ITEMS` at most."""
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    rows = to_do(plan).order_by().values("action", "currency").annotate(number=Count("pk"), total=Sum("amount"))
    for row in rows:
        counts[row["action"]] += row["number"]
        if row["currency"] and row["total"] is not None:
            sums[row["currency"]] += row["total"]
    return Sendable({action: counts[action] for action in SENDING_ACTIONS if counts[action]}, dict(sums))


def to_do(plan: Plan) -> QuerySet[PlanItem]:
    """The items that are to be sent and that nothing has been decided of, in the order in which they were found."""
    return PlanItem.objects.filter(plan=plan, action__in=SENDING_ACTIONS, fate=ItemFate.OPEN).order_by("pk")


def staleness(plan: Plan, now: datetime, applied_in: Run | None = None) -> str:
    """Why the plan may not be applied any more, as a sentence; "" while it may. `applied_in` is on its way with it."""
    run = plan.run
    if not run.is_final or run.status == RunStatus.CANCELLED or run.error_code:
        return "The dry run has not come to a good end, so its plan is not whole."
    if plan.created_at + timedelta(hours=settings.PLAN_HOURS) < now:
        return f"The plan is older than {settings.PLAN_HOURS} hours."
    if mappings.current(plan.integration, run.flow).version != plan.mapping_version:
        return "The field mapping was changed since the plan was made."
    if connections_of(plan.integration) != plan.connections:
        return "A connection was changed since the plan was made."
    if _sent_since(plan, applied_in):
        return "Some of what the plan would send has been sent since."
    return ""


def _sent_since(plan: Plan, applied_in: Run | None) -> bool:
    keys = to_do(plan).order_by().values("key")  # what this very run has sent may be sent again by whoever finds it
    since = Attempt.objects.filter(integration=plan.integration, flow=plan.run.flow, started_at__gte=plan.created_at)
    if applied_in is not None:
        since = since.exclude(run=applied_in)
    theirs = Q(record__key__in=keys) | Q(items__record__key__in=keys)
    return since.filter(theirs).exists()


def apply(run: Run, actor: str, *, trigger: str) -> Run:
    """A run that sends the dry run's plan; who asks again is answered with the same. Raises ActionRefused."""
    return apply_all([run], actor, trigger=trigger)[0]


@transaction.atomic
def apply_all(dry_runs: Sequence[Run], actor: str, *, trigger: str) -> list[Run]:
    """The plans of several flows, one after another; all of them or, with ActionRefused, none."""
    begun: list[Run] = []
    for run in dry_runs:
        begun.append(_apply(run, actor, trigger, begun[-1] if begun else None))
    wake()
    return begun


def _apply(run: Run, actor: str, trigger: str, after: Run | None) -> Run:
    plan = Plan.objects.select_for_update(no_key=True, of=("self",)).filter(run=run).first()
    if plan is None:
        raise ActionRefused("Only a dry run has a plan to apply.", code="no_plan")
    if plan.applied_in is not None:
        return plan.applied_in
    why = staleness(plan, timezone.now())
    if why:
        raise ActionRefused(f"{why} {LOOK_AGAIN}", code=PLAN_STALE)
    number = to_do(plan).count()
    if not number:
        raise ActionRefused("There is nothing in this plan to be sent.", code="nothing_to_apply")
    try:
        plan.applied_in = runs.begin_run(plan.integration, run.flow, RunMode.APPLY, trigger, actor, after)
    except IntegrityError as error:
        raise ActionRefused("A run of this flow is under way. Wait for its end.", code="run_open") from error
    plan.save(update_fields=["applied_in"])
    record_event(
        plan.integration.organization,
        actor,
        "plan.applied",
        f"{run.flow}: the plan of run {run.pk}, {number} items",
        integration=plan.integration,
        run=plan.applied_in,
        dry_run=run.pk,
        items=number,
    )
    return plan.applied_in


def plan_to_send(run: Run) -> Plan | None:
    """The plan that the run sends; None when it must not be sent any more, which the run then says."""
    plan = Plan.objects.filter(applied_in=run).select_related("run", "integration").first()
    why = staleness(plan, run.created_at, applied_in=run) if plan else "The plan is not there any more."
    if why:
        _say(run, PLAN_STALE, why, LOOK_AGAIN)
        return None
    return plan


def decide(items: Sequence[PlanItem], changed: Mapping[str, str]) -> None:
    """What became of these items: sent, but for those whose key is in `changed`, with the reason."""
    for item in items:
        item.remark = changed.get(item.key, "")
        item.fate = ItemFate.CHANGED if item.key in changed else ItemFate.SENT
    PlanItem.objects.bulk_update(items, ["fate", "remark"], batch_size=500)


def say_what_changed(run: Run, plan: Plan) -> None:
    """The run ends well only when all of the plan was sent."""
    changed = PlanItem.objects.filter(plan=plan, fate=ItemFate.CHANGED).count()
    if changed:
        of = PlanItem.objects.filter(plan=plan, action__in=SENDING_ACTIONS).count()
        message = f"{changed} of {of} items changed since the plan was made and were not sent."
        _say(run, PLAN_CHANGED, message, LOOK_AGAIN)


def _say(run: Run, code: str, message: str, hint: str) -> None:
    Run.objects.filter(pk=run.pk).update(error_code=code, error_message=message, error_hint=hint)
