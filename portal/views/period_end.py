"""The month-end guard: may this posting period be closed? A list of checks with numbers, read on a button."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.forms.base import DayInput
from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connections import NotConfigured
from syncengine.models import PeriodEnd
from syncengine.period_end import service
from syncengine.period_end.core import remembered
from tenants.models import Integration
from tenants.permissions import Action
from tenants.scoping import Access

PERIODS_SHOWN = 24
MONTHS_OFFERED = 3
QUERIES = {"records": "?flow=invoices", "failed": "?flow=invoices&status=failed", "runs": "?flow=invoices"}


class CutoffForm(forms.Form):
    """The day on which the books of a period close; empty for the usual one."""

    cutoff = forms.DateField(required=False, label="Cut-off", widget=DayInput())


@organization_page("GET", "POST", act=Action.RUN)
def period_end(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """What was found last, and with POST what is found now; the reading takes some seconds and is remembered."""
    integration = integration_of(access, integration_id)
    rows = _rows(integration)
    if request.method != "POST":
        context = _shown(access, integration, rows, _chosen(rows, request.GET.get("first", "")))
        return page_of(request, access, "period_end/period_end.html", context, integration=integration)
    day = _day(request.POST.get("day", ""))
    try:
        row = service.read(integration, day, access.actor)
    except (ConnectorError, NotConfigured, service.NoSuchPeriod) as error:
        shown = _shown(access, integration, rows, _chosen(rows, f"{day}"))
        context = {**shown, "error": str(error), "hint": getattr(error, "hint", ""), "asked": f"{day}"}
        status = 502 if isinstance(error, ConnectorError) else 409
    else:
        context, status = _shown(access, integration, _rows(integration), row), 200
    if request.htmx:  # which shows nothing of an answer that is an error
        return part_of(request, access, "period_end/reading.html", context)
    if status == 200:
        return redirect(f"{_page(access, integration)}?first={context['asked']}")
    return page_of(request, access, "period_end/period_end.html", context, integration=integration, status=status)


@organization_page("POST", act=Action.CONFIGURE)
def cutoff(request: PageRequest, access: Access, integration_id: int, period_id: int) -> HttpResponseBase:
    """The organization's own choice for one period."""
    integration = integration_of(access, integration_id)
    row = get_object_or_404(PeriodEnd.objects.filter(integration=integration), pk=period_id)
    row.integration = integration
    form = CutoffForm(request.POST)
    if form.is_valid():
        service.choose_cutoff(row, form.cleaned_data["cutoff"], access.actor)
        messages.success(request, "The cut-off is saved.")
    else:
        messages.error(request, "The cut-off must be a day, or empty for the usual one.")
    return redirect(f"{_page(access, integration)}?first={row.first}")


def _page(access: Access, integration: Integration) -> str:
    return reverse("portal:period-end", args=[access.organization.slug, integration.pk])


def _rows(integration: Integration) -> list[PeriodEnd]:
    rows = PeriodEnd.objects.filter(integration=integration).exclude(read_at=None)
    return list(rows.defer("report").order_by("-first")[:PERIODS_SHOWN])


def _chosen(rows: list[PeriodEnd], first: str) -> PeriodEnd | None:
    """The one that is asked for, else the one that was read last."""
    asked = next((row for row in rows if first and str(row.first) == first), None)
    return asked or max(rows, key=lambda row: str(row.read_at), default=None)


def _day(text: str) -> date:
    """A day of the period that is wanted. 404 for what no form of ours sends."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Http404
    return day


def _shown(access: Access, integration: Integration, rows: list[PeriodEnd], row: PeriodEnd | None) -> dict[str, Any]:
    today = timezone.localdate(timezone=access.organization.zone)
    context: dict[str, Any] = {"integration": integration, "row": row, "known": rows, "offered": _offered(row, today)}
    if row is None or row.report is None:
        return {**context, "asked": _last_month(today).isoformat()}
    day, chosen = service.cutoff_of(row)
    checks = [{**one, "url": _link(access, integration, one["link"], row)} for one in row.report["checks"]]
    return {
        **context,
        "asked": row.first.isoformat(),
        "report": remembered(row.report),
        "checks": checks,
        "open_checks": sum(not one["ok"] for one in checks),
        "cutoff": day,
        "cutoff_chosen": chosen,
        "days_left": (day - today).days,
        "days_over": (today - day).days,
        "form": CutoffForm(initial={"cutoff": row.cutoff}),
    }


def _last_month(today: date) -> date:
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _offered(row: PeriodEnd | None, today: date) -> list[tuple[str, str]]:
    """Periods to choose from: SAP's own as far as they were read, else the last calendar months."""
    if row is not None and row.report is not None:
        known = [one for one in row.report["periods"] if one["first"] <= str(today)]
        names = {True: "%(period)s", False: _("%(period)s (locked)")}
        return [(one["first"], names[one["is_open"]] % {"period": one["name"]}) for one in reversed(known)]
    months = [today.replace(day=1)]
    while len(months) < MONTHS_OFFERED:
        months.append(_last_month(months[-1]))
    return [(f"{one}", date_format(one, "YEAR_MONTH_FORMAT")) for one in months]


def _link(access: Access, integration: Integration, name: str, row: PeriodEnd) -> str:
    """Where the number can be looked into; "" for what is seen in SAP alone."""
    if not name:
        return ""
    page = {"failed": "records"}.get(name, name)
    url = reverse(f"portal:{page}", args=[access.organization.slug, integration.pk])
    if name == "reconciliation":
        return f"{url}?first_day={row.first}&last_day={row.last}"
    return f"{url}{QUERIES[name]}"
