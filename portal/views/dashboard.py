"""The first page of an integration: the two systems, what flows between them, and what needs a person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from operator import add
from typing import Any

from django.db.models import Count, Max
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from portal.views.access import integration_of, organization_page, page_of, part_of
from portal.views.flow_rows import flow_rows
from syncengine.engine.webhook_watch import troubles_of
from syncengine.flows import registry
from syncengine.models import Record, RecordStatus, Run
from tenants.models import Connection, Integration, System
from tenants.scoping import Access

GROUPS_SHOWN = 8
RUNS_SHOWN = 8
PLOTTED_DAYS = 14
PLOTTED_RUNS = 1000


@dataclass(frozen=True)
class AttentionGroup:
    """Failed records of one flow with one cause; `sample` is the newest of them."""

    flow: str
    code: str
    count: int
    sample: Record


@organization_page("GET")
def dashboard(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    integration = integration_of(access, integration_id)
    context = {**_live(integration), "plot": _plot(integration)}
    return page_of(request, access, "dashboard/dashboard.html", context, integration=integration)


@organization_page("GET")
def live(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The part of the dashboard that keeps itself up to date."""
    integration = integration_of(access, integration_id)
    return part_of(request, access, "dashboard/live.html", {**_live(integration), "integration": integration})


def _live(integration: Integration) -> dict[str, Any]:
    rows = flow_rows(integration)
    connections = {row.system: row for row in Connection.objects.without_secrets().filter(integration=integration)}
    return {
        "rows": rows,
        "sap": connections.get(System.SAP_B1),
        "basware": connections.get(System.BASWARE),
        "held": [row.run for row in rows if row.run and row.run.closings_held],
        "attention": _attention(integration),
        "webhook_troubles": troubles_of(integration, timezone.now()),
        "recent_runs": Run.objects.filter(integration=integration).order_by("-pk")[:RUNS_SHOWN],
    }


def _attention(integration: Integration) -> list[AttentionGroup]:
    """Failed records by flow and cause, the largest groups first, each with its newest record as the example."""
    failed = Record.objects.filter(integration=integration, flow__in=registry.flows(), status=RecordStatus.FAILED)
    groups = list(
        failed.values("flow", "error_code")
        .annotate(count=Count("pk"), newest=Max("pk"))
        .order_by("-count")[:GROUPS_SHOWN]
    )
    samples = Record.objects.only("title", "key", "error_message", "error_hint").in_bulk(
        [group["newest"] for group in groups]
    )
    return [
        AttentionGroup(group["flow"], group["error_code"], group["count"], samples[group["newest"]])
        for group in groups
        if group["newest"] in samples
    ]


def _plot(integration: Integration) -> str:
    """Confirmed and failed records by day, from the last runs only: uPlot's columns as JSON, "" when there is none."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight.date() - timedelta(days=back) for back in reversed(range(PLOTTED_DAYS))]
    sums = {day: [0, 0] for day in days}
    newest = Run.objects.filter(integration=integration).exclude(finished_at=None).order_by("-pk")
    for finished_at, *counts in newest.values_list("finished_at", "confirmed", "failed")[:PLOTTED_RUNS]:
        found = sums.get(timezone.localtime(finished_at).date())
        if found:
            found[:] = map(add, found, counts)
    if not any(map(any, sums.values())):
        return ""
    noons = [int(datetime.combine(day, time(12), midnight.tzinfo).timestamp()) for day in days]
    confirmed, failed = zip(*sums.values(), strict=True)
    return json.dumps([noons, confirmed, failed])
