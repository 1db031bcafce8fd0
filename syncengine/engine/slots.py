"""Slots: how many calls may be in flight on a connection, over all workers and machines together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from syncengine.engine.leases import Heartbeat, lease_end, new_owner
from syncengine.models import CallSlot
from tenants.models import Connection, Integration


def _free_slots(integration: Integration, system: str) -> list[int]:
    connection = Connection.objects.without_secrets().get(integration=integration, system=system)
    wanted = [CallSlot(connection=connection, number=number) for number in range(settings.CALLS_IN_FLIGHT)]
    CallSlot.objects.bulk_create(wanted, ignore_conflicts=True)
    free = Q(expires_at=None) | Q(expires_at__lte=timezone.now())
    rows = CallSlot.objects.filter(free, connection=connection, number__lt=settings.CALLS_IN_FLIGHT)
    return list(rows.values_list("pk", flat=True))


def _claim(pk: int, owner: str) -> bool:
    now = timezone.now()
    free = Q(expires_at=None) | Q(expires_at__lte=now)
    return CallSlot.objects.filter(free, pk=pk).update(owner=owner, expires_at=lease_end(now)) == 1


@contextmanager
def held(integration: Integration, system: str, wanted: int | None = None) -> Iterator[int]:
    """Hold up to `wanted` slots (default: all that are free) and yield their number, which may be 0."""
    owner = new_owner()
    most = settings.CALLS_IN_FLIGHT if wanted is None else wanted
    mine: list[int] = []
    for pk in _free_slots(integration, system):
        if len(mine) < most and _claim(pk, owner):
            mine.append(pk)

    def renew() -> bool:
        rows = CallSlot.objects.filter(pk__in=mine, owner=owner)
        return rows.update(expires_at=lease_end(timezone.now())) == len(mine)

    try:
        with Heartbeat(renew):
            yield len(mine)
    finally:
        CallSlot.objects.filter(pk__in=mine, owner=owner).update(owner="", expires_at=None)
