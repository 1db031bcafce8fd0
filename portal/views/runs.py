"""Runs: the list, one run with live progress, stopping it, saying yes to held closings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from portal.forms.filters import RunFilterForm
from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of, run_of
from portal.views.keyset import keyset_page
from portal.views.plan_summary import kinds_of
from portal.views.run_progress import linked_counts, progress_of
from syncengine.engine import runs as run_engine
from syncengine.engine.closings import absent_records
from syncengine.engine.runs import ActionRefused
from syncengine.models import OPEN_RUN_STATUSES, Plan, Record, Run, RunMode
from tenants.permissions import Action
from tenants.scoping import Access

RECORDS_SHOWN = 25
CLOSINGS_SHOWN = 50
LIST_COLUMNS = ("flow", "key", "title", "status", "stage", "amount", "currency", "error_message", "updated_at")


@organization_page("GET")
def runs(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    integration = integration_of(access, integration_id)
    filters = RunFilterForm(request.GET)
    rows = filters.narrow(Run.objects.filter(integration=integration).defer("result", "cursor"))
    page = keyset_page(rows, request.GET)
    context = {
        "page": page,
        "filters": filters,
        "integration": integration,
        "busy": any(not run.is_final for run in page.rows),
    }
    if request.htmx:
        return part_of(request, access, "runs/table.html", context)
    return page_of(request, access, "runs/list.html", context, integration=integration)


@organization_page("GET")
def run(request: HttpRequest, access: Access, run_id: int) -> HttpResponseBase:
    found = run_of(access, run_id)
    return page_of(request, access, "runs/run.html", _context(found), integration=found.integration)


@organization_page("GET")
def progress(request: HttpRequest, access: Access, run_id: int) -> HttpResponseBase:
    """The part that asks again each second until the run is final."""
    return part_of(request, access, "runs/progress.html", _context(run_of(access, run_id)))


def _context(run: Run) -> dict[str, Any]:
    records = Record.objects.filter(run=run).only(*LIST_COLUMNS).order_by("-pk")
    absent = absent_records(run).only(*LIST_COLUMNS).order_by("pk")
    return {
        "run": run,
        "progress": progress_of(run, timezone.now()),
        "counts": linked_counts(run),
        "would_close": list(absent[:CLOSINGS_SHOWN]) if run.closings_held else [],
        "most_closings": CLOSINGS_SHOWN,
        "kinds": kinds_of(run.result) if run.mode == RunMode.DRY_RUN else [],
        "plan_of": _plan_of(run),
        "can_cancel": run.status in OPEN_RUN_STATUSES and not run.cancel_requested,
        "records": list(records[:RECORDS_SHOWN]),
        "more_records": RECORDS_SHOWN,
    }


def _plan_of(run: Run) -> int | None:
    """The dry run whose plan the run sends."""
    plans = Plan.objects.filter(applied_in=run) if run.mode == RunMode.APPLY else Plan.objects.none()
    return plans.values_list("run_id", flat=True).first()


@organization_page("POST", act=Action.RUN)
def cancel(request: HttpRequest, access: Access, run_id: int) -> HttpResponseBase:
    return _act(request, access, run_id, run_engine.cancel, "The run stops after the page that is in flight.")


@organization_page("POST", act=Action.RUN)
def confirm_closings(request: HttpRequest, access: Access, run_id: int) -> HttpResponseBase:
    return _act(request, access, run_id, run_engine.confirm_closings, "The records that are gone will be closed.")


def _act(
    request: HttpRequest, access: Access, run_id: int, action: Callable[[Run, str], Run], success: str
) -> HttpResponseBase:
    """Do it and go to the run that it concerns: a yes to closings starts a new one."""
    found = run_of(access, run_id)
    try:
        found = action(found, access.actor)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, success)
    return redirect("portal:run", access.organization.slug, found.pk)
