"""Patience that all workers share: a connection that is down or throttled is left alone until its time has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from syncengine.connectors.outcomes import ConnectorError, Throttled, Unauthenticated, Unavailable
from syncengine.engine.pauses import pause
from syncengine.engine.retries import retry_at
from tenants.models import Connection, Integration

FAILURES_THAT_OPEN = 3


class HeldBack(Throttled):
    """Not sent at all: the integration is paused, or the system is left alone for `after` seconds. No try was made."""


def closed_until(integration: Integration) -> datetime | None:
    """When the integration may call again; None when it may now."""
    until: datetime | None = Connection.objects.filter(
        integration=integration, retry_after__gt=timezone.now()
    ).aggregate(until=Max("retry_after"))["until"]
    return until


def note_failure(integration: Integration, system: str, error: ConnectorError) -> None:
    """A call failed: pause on a refused log-in, wait as told, or wait ever longer once it is down."""
    if isinstance(error, HeldBack):
        return
    if isinstance(error, Unauthenticated) and error.login_refused:
        _pause_if_still_refused(integration, system, error)
    elif isinstance(error, Throttled):
        row = Connection.objects.without_secrets().get(integration=integration, system=system)
        until = retry_at(error, row.failures_in_a_row + 1, timezone.now())
        Connection.objects.filter(pk=row.pk).update(retry_after=until)
    elif isinstance(error, (Unavailable, Unauthenticated)):
        _count_failure(integration, system, error)


@transaction.atomic
def _pause_if_still_refused(integration: Integration, system: str, error: Unauthenticated) -> None:
    """Not when somebody has entered other credentials since these were shown (the gate keeps what was refused)."""
    rows = Connection.objects.without_secrets().select_for_update(no_key=True).filter(integration=integration)
    if rows.filter(system=error.system or system, login_refused__isnull=False).first():
        pause(integration, f"{error.message} {error.hint}".strip())


def _count_failure(integration: Integration, system: str, error: ConnectorError) -> None:
    rows = Connection.objects.filter(integration=integration, system=system)
    rows.update(failures_in_a_row=F("failures_in_a_row") + 1)
    failures = rows.values_list("failures_in_a_row", flat=True).first() or 0
    if failures >= FAILURES_THAT_OPEN:
        rows.update(retry_after=retry_at(error, failures - FAILURES_THAT_OPEN + 1, timezone.now()))


def begin_trial(connection_id: int, since: datetime | None) -> bool:
    """Half-open: whoever moves the time on makes the one trial call; should he be lost, another follows."""
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    return Connection.objects.filter(pk=connection_id, retry_after=since).update(retry_after=until) == 1


def note_answer(connection_id: int) -> None:
    """The system answers: the count starts anew, the circuit is closed."""
    Connection.objects.filter(pk=connection_id, failures_in_a_row__gt=0).update(failures_in_a_row=0, retry_after=None)
