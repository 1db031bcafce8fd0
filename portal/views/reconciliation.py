"""The exactly-once proof as a page: a period, what it adds up to, each invoice, and the whole as CSV and PDF."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from portal.forms.reconciliation import ATTENTION, WORDS, PeriodForm
from portal.views.access import integration_of, organization_page, page_of
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connections import NotConfigured
from syncengine.models import Record
from syncengine.reconciliation import service
from syncengine.reconciliation.core import Outcome, Row
from syncengine.reconciliation.export import write_csv
from syncengine.reconciliation.payments import PaymentOutcome, PaymentRow
from syncengine.reconciliation.pdf import subject_of, write_pdf
from syncengine.reconciliation.report import Report
from tenants.models import Integration
from tenants.scoping import Access

KEPT_SECONDS = 600
MOST_ROWS = 500
TONES = {Outcome.POSTED_ONCE: "ok", Outcome.MISSING: "bad", Outcome.DUPLICATE: "bad", Outcome.TOTALS_DIFFER: "bad"}
PAYMENTS = {
    PaymentOutcome.CONFIRMED: ("ok", "Confirmed"),
    PaymentOutcome.NOT_CONFIRMED: ("warn", "Not confirmed"),
    PaymentOutcome.TOO_MUCH_CONFIRMED: ("bad", "Too much confirmed"),
    PaymentOutcome.SETTLED_BY_RECONCILIATION: ("warn", "Settled without a payment"),
}


@organization_page("GET")
def reconciliation(request: HttpRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Both systems are read when a period is asked for, not when the page is merely opened."""
    integration = integration_of(access, integration_id)
    form = PeriodForm(request.GET if "first_day" in request.GET else None, initial=_this_month(access))
    context: dict[str, Any] = {"form": form}
    status = 200
    if form.is_bound and form.is_valid():
        first, last = form.cleaned_data["first_day"], form.cleaned_data["last_day"]
        try:
            report = _report(integration, first, last, again="again" in request.GET)
        except (ConnectorError, NotConfigured) as error:
            context |= {"error": str(error), "hint": getattr(error, "hint", "")}
            status = 409 if isinstance(error, NotConfigured) else 502
        else:
            if download := _download(report, request.GET.get("format", ""), integration, access.actor):
                return download
            context |= _shown(report, request.GET.get("outcome", ""), integration)
    return page_of(
        request, access, "reconciliation/reconciliation.html", context, integration=integration, status=status
    )


def _this_month(access: Access) -> dict[str, date]:
    today = timezone.localdate(timezone=access.organization.zone)
    return {"first_day": today.replace(day=1), "last_day": today}


def _report(integration: Integration, first: date, last: date, *, again: bool) -> Report:
    """Kept for some minutes, so that a filter or the CSV shows the very report that is on the screen."""
    key = f"reconciliation:{integration.pk}:{first}:{last}"
    report: Report | None = None if again else cache.get(key)
    if report is None:
        report = service.reconcile(integration, first, last)
        cache.set(key, report, KEPT_SECONDS)
    return report


def _download(report: Report, wanted: str, integration: Integration, actor: str) -> HttpResponse | None:
    """The report that is on the screen as a file; None when none is asked for."""
    if wanted == "csv":
        response = _file(report, "csv", "text/csv; charset=utf-8")
        write_csv(report, response)
        return response
    return pdf_of(report, integration, actor) if wanted == "pdf" else None


def pdf_of(report: Report, integration: Integration, actor: str) -> HttpResponse:
    """The auditor's PDF as a download, for the page and the API alike."""
    response = _file(report, "pdf", "application/pdf")
    response.write(write_pdf(report, subject_of(integration, actor, timezone.now())))
    return response


def _file(report: Report, extension: str, content_type: str) -> HttpResponse:
    name = f"reconciliation-{report.first}-{report.last}.{extension}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content_type=content_type, headers=headers)


def _shown(report: Report, chosen: str, integration: Integration) -> dict[str, Any]:
    """Without a choice what wants a look comes alone, and everything when there is no such row."""
    wanting = [row for row in report.rows if row.outcome is not Outcome.POSTED_ONCE]
    chosen = chosen or (ATTENTION if wanting else "")
    rows = wanting if chosen == ATTENTION else [row for row in report.rows if chosen in ("", "all", row.outcome)]
    return {
        "report": report,
        "chosen": chosen or "all",
        "wanting": len(wanting),
        "tallies": [
            {"name": one.outcome.value, "word": WORDS[one.outcome], "count": one.count, "amounts": one.amounts}
            for one in report.totals
            if isinstance(one.outcome, Outcome)
        ],
        "rows": _with_records(rows[:MOST_ROWS], integration),
        "left_out": max(len(rows) - MOST_ROWS, 0),
        "payments": [_payment(row) for row in _payments_first(report.payments)[:MOST_ROWS]],
        "payments_left_out": max(len(report.payments) - MOST_ROWS, 0),
    }


def _with_records(rows: Iterable[Row], integration: Integration) -> list[dict[str, Any]]:
    rows = list(rows)
    records = Record.objects.filter(integration=integration, flow="invoices", key__in=[row.invoice_id for row in rows])
    keys = dict(records.values_list("key", "pk"))
    return [
        {
            "row": row,
            "tone": TONES.get(row.outcome, "warn"),
            "word": WORDS[row.outcome],
            "record": keys.get(row.invoice_id),
        }
        for row in rows
    ]


def _payments_first(rows: list[PaymentRow]) -> list[PaymentRow]:
    """What wants a look on top; the rest in its order."""
    return sorted(rows, key=lambda row: row.outcome is PaymentOutcome.CONFIRMED)


def _payment(row: PaymentRow) -> dict[str, Any]:
    tone, word = PAYMENTS[row.outcome]
    return {"row": row, "tone": tone, "word": word}
