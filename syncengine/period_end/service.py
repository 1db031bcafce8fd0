"""Reading both systems for the end of a period, and remembering what was found with its time.

Calls are bounded: SAP's periods are one call a fiscal year, and the rest is one reconciliation of the period. It is
read when somebody asks for it, never when a page is merely opened.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine.connections import systems
from syncengine.engine.context import flow_context
from syncengine.engine.gate import Caller
from syncengine.engine.integrations import settings_of
from syncengine.flows import registry
from syncengine.flows.invoicing.case import facts_of
from syncengine.mapping.functions import calendar_day
from syncengine.models import OPEN_STATUSES, PeriodEnd, Record, RecordStatus, Run, RunMode, RunStatus
from syncengine.period_end.core import (
    USUAL_CUTOFF_DAYS,
    FinancePeriod,
    OpenInvoice,
    Surroundings,
    as_document,
    holding,
    periods_of,
    usual_cutoff,
)
from syncengine.reconciliation.service import FLOW, reconcile
from tenants.models import Integration

MOST_OPEN = 5000


class NoSuchPeriod(Exception):
    """SAP has no posting period for that day; the text is a sentence for people."""


def read(integration: Integration, day: date, actor: str) -> PeriodEnd:
    """Read the period that holds the day. Raises NoSuchPeriod, NotConfigured and ConnectorError."""
    periods, next_open_day, company = _periods(integration)
    period = holding(periods, day)
    if period is None:
        raise NoSuchPeriod(f"SAP has no posting period for {day:%-d %B %Y}. Create it in SAP, then read again.")
    report = reconcile(integration, period.first, period.last)
    found = as_document(
        period,
        _near(periods, period),
        company,
        report,
        open_invoices(integration),
        surroundings(integration, timezone.now()),
        next_open_day=next_open_day,
    )
    row, _ = PeriodEnd.objects.update_or_create(
        integration=integration,
        first=period.first,
        last=period.last,
        defaults={"report": found, "read_at": report.read_at, "read_by": actor},
    )
    verdict = "complete" if found["green"] else "not complete"
    record_event(
        integration.organization, actor, "period.read", f"{period.name}: {verdict}", integration=integration,
        checks={one["name"]: one["ok"] for one in found["checks"]},
    )  # fmt: skip
    return row


def _periods(integration: Integration) -> tuple[list[FinancePeriod], bool, str]:
    """SAP's periods, whether a locked one moves the posting date, and what the company is called in both systems."""
    flow = registry.get(FLOW)
    with systems(integration, Caller.PERSON) as both:
        ctx = flow_context(integration, flow, both)
        company = f"{both.sap.settings.company_db} · {ctx.company}"
        return periods_of(facts_of(ctx, both.sap).periods()), ctx.settings.locked_period == "next_open_day", company


def _near(periods: list[FinancePeriod], period: FinancePeriod) -> list[FinancePeriod]:
    """A year around the period: what was kept is read again with every page."""
    at = periods.index(period)
    return periods[max(at - 12, 0) : at + 13]


def open_invoices(integration: Integration) -> list[OpenInvoice]:
    """What has not come to its end here, under way or failed: the oldest, no more than a person can deal with."""
    rows = Record.objects.filter(
        integration=integration, flow=FLOW, status__in=[*OPEN_STATUSES, RecordStatus.FAILED]
    ).only("stage", "status", "currency", "amount", "source")
    today = settings_of(integration).today(timezone.now())
    return [
        OpenInvoice(
            row.stage, row.status == RecordStatus.FAILED, row.currency, row.amount or Decimal(0), _day(row, today)
        )
        for row in rows.order_by("pk")[:MOST_OPEN].iterator(chunk_size=500)
    ]


def _day(record: Record, today: date) -> date:
    """default-mapping.md: DocDate is the voucher date, else today."""
    day = calendar_day((record.source or {}).get("voucherDate"))
    return date.fromisoformat(day) if day else today


def surroundings(integration: Integration, now: datetime) -> Surroundings:
    """How our own side stands."""
    good = (
        Run.objects.filter(integration=integration, flow=FLOW, status__in=[RunStatus.SUCCEEDED, RunStatus.PARTIAL])
        .exclude(mode=RunMode.DRY_RUN)
        .exclude(mode=RunMode.APPLY)
    )
    began = good.order_by("-finished_at").values_list("started_at", flat=True).first()
    looked_at = began.astimezone(integration.organization.zone) if began else None
    return Surroundings(now, looked_at, integration.enabled and not integration.paused)


def cutoff_of(row: PeriodEnd) -> tuple[date, bool]:
    """The day on which the period's books close, and whether it was chosen for this very period.

    Where it was not, it lies as long after the period's end as the one that was chosen last.
    """
    if row.cutoff is not None:
        return row.cutoff, True
    chosen = PeriodEnd.objects.filter(integration=row.integration_id).exclude(cutoff=None).order_by("-first").first()
    days = (chosen.cutoff - chosen.last).days if chosen and chosen.cutoff else USUAL_CUTOFF_DAYS
    return usual_cutoff(row.last, days), False


def choose_cutoff(row: PeriodEnd, day: date | None, actor: str) -> None:
    """None goes back to the usual one."""
    before, row.cutoff = row.cutoff, day
    row.save(update_fields=["cutoff"])
    record_event(
        row.integration.organization, actor, "period.cutoff_chosen", str(row.first), integration=row.integration,
        before=str(before or ""), after=str(day or ""),
    )  # fmt: skip
