"""What if: the plan of a dry run, looked at and applied; of one flow, and of all flows side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Max, Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.filters import PlanFilterForm
from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of, run_of
from portal.views.keyset import keyset_page
from portal.views.plan_summary import CAUSES_SHOWN, Kind, causes_of, kinds_of
from portal.views.run_progress import progress_of
from syncengine.engine import applying
from syncengine.engine.plans import MOST_ITEMS
from syncengine.engine.runs import ActionRefused
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.models import OPEN_RUN_STATUSES, Plan, PlanItem, Run, RunMode, RunTrigger
from tenants.models import Integration
from tenants.permissions import Action
from tenants.scoping import Access

STATES = {
    "none": ("quiet", gettext_lazy("Not looked at yet")),
    "making": ("info", gettext_lazy("Being made")),
    "broken": ("bad", gettext_lazy("Did not come to an end")),
    "applied": ("ok", gettext_lazy("Applied")),
    "nothing": ("quiet", gettext_lazy("Nothing to send")),
    "old": ("warn", gettext_lazy("Too old")),
    "ready": ("ok", gettext_lazy("Ready to apply")),
}
"""The tone and the word for how the plan of a flow stands."""


@organization_page("GET")
def plan(request: PageRequest, access: Access, run_id: int) -> HttpResponseBase:
    """The plan of one dry run; HTMX asks for its living part alone while it is being made."""
    run = run_of(access, run_id)
    context = _context(request, run)
    if request.htmx:
        return part_of(request, access, "plans/live.html", context)
    return page_of(request, access, "plans/plan.html", context, integration=run.integration)


def _context(request: HttpRequest, run: Run) -> dict[str, Any]:
    found = Plan.objects.filter(run=run).select_related("applied_in").first()
    filters = PlanFilterForm(request.GET)
    items = PlanItem.objects.filter(plan=found) if found else PlanItem.objects.none()
    causes = causes_of(run.result)
    context: dict[str, Any] = {
        "run": run,
        "flow": registry.known().get(run.flow),
        "plan": found,
        "progress": progress_of(run, timezone.now()),
        "kinds": kinds_of(run.result),
        "causes": causes[:CAUSES_SHOWN],
        "more_causes": max(0, len(causes) - CAUSES_SHOWN),
        "filters": filters,
        "page": keyset_page(filters.narrow(items), request.GET),
        "most_items": MOST_ITEMS,
    }
    if found is not None and found.applied_in is None and run.is_final:
        found.run, found.integration = run, run.integration
        context["sendable"] = applying.sendable(found)
        context["refusal"] = applying.staleness(found, timezone.now())
    return context


@organization_page("POST", act=Action.RUN)
def apply(request: HttpRequest, access: Access, run_id: int) -> HttpResponseBase:
    """Send exactly this plan; who presses twice is shown the same run."""
    run = run_of(access, run_id)
    try:
        begun = applying.apply(run, access.actor, trigger=RunTrigger.PERSON)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("portal:plan", access.organization.slug, run.pk)
    messages.success(request, _("The plan is being applied."))
    return redirect("portal:run", access.organization.slug, begun.pk)


@dataclass(frozen=True)
class Row:
    """One flow: its newest dry run and what that found."""

    flow: Flow
    run: Run | None = None
    plan: Plan | None = None
    kinds: list[Kind] = field(default_factory=list)

    @property
    def sends(self) -> int:
        return sum(kind.count for kind in self.kinds if kind.is_sent)

    @property
    def state(self) -> str:
        run, found = self.run, self.plan
        if run is None:
            return "none"
        if not run.is_final:
            return "making"
        if found is not None and found.applied_in_id:
            return "applied"
        if found is None or run.error_code or run.status == "cancelled":
            return "broken"
        if not self.sends:
            return "nothing"
        too_old = found.created_at + timedelta(hours=settings.PLAN_HOURS) < timezone.now()
        return "old" if too_old else "ready"

    @property
    def tone_and_word(self) -> tuple[str, Any]:
        return STATES[self.state]


@organization_page("GET")
def what_if(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """What all flows would do, side by side."""
    integration = integration_of(access, integration_id)
    rows = _rows(integration)
    ready = [row for row in rows if row.state == "ready"]
    context = {
        "integration": integration,
        "rows": rows,
        "ready": ready,
        "sends": sum(row.sends for row in ready),
        "busy": any(row.state == "making" for row in rows),
        "looked": any(row.run for row in rows),
    }
    if request.htmx:
        return part_of(request, access, "plans/flows.html", context)
    return page_of(request, access, "plans/what_if.html", context, integration=integration)


def _rows(integration: Integration) -> list[Row]:
    plans = Plan.objects.filter(integration=integration)
    newest = {one["run__flow"]: one["last"] for one in plans.values("run__flow").annotate(last=Max("run_id"))}
    being_made = Q(mode=RunMode.DRY_RUN, status__in=OPEN_RUN_STATUSES)
    runs = Run.objects.filter(integration=integration).filter(Q(pk__in=newest.values()) | being_made)
    by_flow = {run.flow: run for run in runs.order_by("pk")}
    with_plan = {one.run_id: one for one in plans.filter(run__in=by_flow.values())}
    rows = []
    for name, flow in registry.of(integration.settings).items():
        run = by_flow.get(name)
        rows.append(Row(flow, run, with_plan.get(run.pk), kinds_of(run.result)) if run else Row(flow))
    return rows


@organization_page("POST", act=Action.RUN)
def apply_all(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Send the plans that were shown, one flow after another; all of them or none."""
    integration = integration_of(access, integration_id)
    chosen = [int(text) for text in request.POST.getlist("run") if text.isascii() and text.isdigit()][:50]
    order = list(registry.known())
    runs = Run.objects.filter(integration=integration, mode=RunMode.DRY_RUN, pk__in=[pk for pk in chosen if pk < 2**63])
    try:
        begun = applying.apply_all(
            sorted(runs, key=lambda run: order.index(run.flow)), access.actor, trigger=RunTrigger.PERSON
        )
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("%(number)s plans are being applied, one after another.") % {"number": len(begun)})
    return redirect("portal:what-if", access.organization.slug, integration.pk)
