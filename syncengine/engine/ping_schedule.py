"""The nightly ping: what drifts in either system is seen before the first invoice of the day fails because of it.

One log-in a night and connection, whatever happens: the plan is moved on before anything is asked, so that neither
two workers nor a restart ask twice.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import structlog
from django.db.models import Q
from django.utils import timezone

from syncengine.engine import circuit
from syncengine.engine.leases import new_owner
from syncengine.engine.ping import ping
from syncengine.engine.work import Deadline
from syncengine.models import PingPlan, PingTrigger
from tenants.models import Connection, Integration, System

log = structlog.get_logger(__name__)

# Between two and five in the organization's zone, spread so that not all are asked at once.
FIRST_HOUR, SPREAD_MINUTES = 2, 180
NOT_BEFORE = timedelta(hours=1)
# Less than the watchdog's patience: a worker that pings must not be taken for one that is stuck.
SECONDS = 40.0


def plan(integration: Integration) -> None:
    """Have the integration looked at by night from now on."""
    PingPlan.objects.get_or_create(
        integration=integration, defaults={"next_at": next_night(integration, timezone.now())}
    )


def next_night(integration: Integration, now: datetime) -> datetime:
    """The integration's own minute of the next night."""
    zone = integration.organization.zone
    minutes = FIRST_HOUR * 60 + integration.pk * 7 % SPREAD_MINUTES
    local = now.astimezone(zone)
    at = datetime.combine(local.date(), time(minutes // 60, minutes % 60), zone)
    return at if at - local >= NOT_BEFORE else at + timedelta(days=1)


def is_due(now: datetime) -> bool:
    return PingPlan.objects.filter(next_at__lte=now).exists()


def at_work(ours: Q) -> bool:
    """Whether a nightly ping is under way under one of these leases."""
    return PingPlan.objects.filter(ours).exists()


def start_due(_deadline: Deadline) -> bool:
    """Ping one integration whose time has come; False when there is none."""
    now = timezone.now()
    due = PingPlan.objects.filter(next_at__lte=now).select_related("integration__organization")
    for found in due.order_by("next_at")[:20]:
        if _claim(found, now):
            _ping(found)
            return True
    return False


def _claim(found: PingPlan, now: datetime) -> bool:
    """Move the plan on; only one worker's update finds it where it was."""
    lease = {"lease_owner": new_owner(), "lease_expires_at": now + timedelta(seconds=SECONDS)}
    next_at = next_night(found.integration, now)
    mine = PingPlan.objects.filter(pk=found.pk, next_at=found.next_at)
    return mine.update(next_at=next_at, **lease) == 1


def _ping(found: PingPlan) -> None:
    try:
        if _wanted(found.integration):
            for _ in ping(found.integration, SECONDS, trigger=PingTrigger.NIGHTLY):
                pass
    except Exception:  # one integration's trouble must not keep the others from being looked at
        log.exception("nightly_ping_broke", integration=found.integration_id)
    finally:
        PingPlan.objects.filter(pk=found.pk).update(lease_owner="", lease_expires_at=None)


def _wanted(integration: Integration) -> bool:
    """Not where calls are held back: paused or off, patience asked for, a log-in refused, or not set up."""
    if not integration.enabled or integration.paused or circuit.closed_until(integration):
        return False
    return Connection.objects.filter(integration=integration, login_refused__isnull=True).count() == len(System)
