"""The first page of an integration: the two systems, what flows between them, and what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from portal.views.access import integration_of, organization_page, page_of, part_of
from portal.views.flow_rows import flow_rows
from portal.views.plots import outcomes_plot, posting_plot, share
from syncengine.engine.statistics import StageSum, attention, statistics_of
from syncengine.engine.webhook_watch import troubles_of
from syncengine.models import Run
from tenants.models import Connection, Integration, System
from tenants.scoping import Access

GROUPS_SHOWN = 8
RUNS_SHOWN = 6


@organization_page("GET")
def dashboard(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    integration = integration_of(access, integration_id)
    context = {**_live(integration), **_figures(integration)}
    return page_of(request, access, "dashboard/dashboard.html", context, integration=integration)


@organization_page("GET")
def live(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The part of the dashboard that keeps itself up to date."""
    integration = integration_of(access, integration_id)
    return part_of(request, access, "dashboard/live.html", {**_live(integration), "integration": integration})


@organization_page("GET")
def figures(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The plots, which change once a minute."""
    integration = integration_of(access, integration_id)
    return part_of(request, access, "dashboard/figures.html", {**_figures(integration), "integration": integration})


def _live(integration: Integration) -> dict[str, Any]:
    rows = flow_rows(integration)
    connections = {row.system: row for row in Connection.objects.without_secrets().filter(integration=integration)}
    runs = Run.objects.filter(integration=integration).defer("result", "cursor")
    return {
        "rows": rows,
        "sap": connections.get(System.SAP_B1),
        "basware": connections.get(System.BASWARE),
        "held": [row.run for row in rows if row.run and row.run.closings_held],
        "attention": attention(integration, GROUPS_SHOWN),
        "webhook_troubles": troubles_of(integration, timezone.now()),
        "recent_runs": runs.order_by("-pk")[:RUNS_SHOWN],
    }


def _figures(integration: Integration) -> dict[str, Any]:
    statistics = statistics_of(integration, timezone.localdate(timezone=integration.organization.zone))
    return {
        "plots": [outcomes_plot(statistics.days), posting_plot(statistics.days)],
        "stages": _stage_bars(statistics.stages),
        "counted_at": statistics.counted_at,
    }


def _stage_bars(stages: Sequence[StageSum]) -> list[tuple[StageSum, int]]:
    """Each stage with the length of its bar; nothing at all while there is no invoice."""
    most = max(stage.count for stage in stages)
    return [(stage, share(stage.count, most)) for stage in stages] if most else []
