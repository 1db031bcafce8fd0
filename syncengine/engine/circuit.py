"""Patience that all workers share: a connection that is down or throttled is left alone until its time has come."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Max
from django.utils import timezone

from syncengine.connectors.outcomes import ConnectorError, Throttled, Unauthenticated, Unavailable
from syncengine.engine.pauses import pause
from syncengine.engine.retries import retry_at
from tenants.models import Connection, Integration

FAILURES_THAT_OPEN = 3


def closed_until(integration: Integration) -> datetime | None:
    """When the integration may call again; None when it may now."""
    until: datetime | None = Connection.objects.filter(
        integration=integration, retry_after__gt=timezone.now()
    ).aggregate(until=Max("retry_after"))["until"]
    return until


def note_failure(integration: Integration, system: str, error: ConnectorError) -> None:
    """A call failed: pause on a refused log-in, wait as told, or wait ever longer once it is down."""
    if isinstance(error, Unauthenticated) and error.login_refused:
        pause(integration, f"{error.message} {error.hint}".strip())
    elif isinstance(error, Throttled):
        row = Connection.objects.without_secrets().get(integration=integration, system=system)
        until = retry_at(error, row.failures_in_a_row + 1, timezone.now())
        Connection.objects.filter(pk=row.pk).update(retry_after=until)
    elif isinstance(error, (Unavailable, Unauthenticated)):
        _count_failure(integration, system, error)


def _count_failure(integration: Integration, system: str, error: ConnectorError) -> None:
    rows = Connection.objects.filter(integration=integration, system=system)
    rows.update(failures_in_a_row=F("failures_in_a_row") + 1)
    failures = rows.values_list("failures_in_a_row", flat=True).first() or 0
    if failures >= FAILURES_THAT_OPEN:
        rows.update(retry_after=retry_at(error, failures - FAILURES_THAT_OPEN + 1, timezone.now()))


def note_success(integration: Integration, system: str) -> None:
    """The system answers: the count starts anew."""
    Connection.objects.filter(integration=integration, system=system, failures_in_a_row__gt=0).update(
        failures_in_a_row=0, retry_after=None
    )
