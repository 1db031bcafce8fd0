"""Locks by name across all workers and machines, as leased rows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from syncengine.engine.leases import Heartbeat, new_owner
from syncengine.models import NamedLock

POLL_SECONDS = 0.05

_TAKE = """
INSERT INTO syncengine_namedlock (name, owner, expires_at) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, expires_at = EXCLUDED.expires_at
WHERE syncengine_namedlock.expires_at <= %s
"""
"""One statement: of two that come at once the database lets one in."""
_GIVE_BACK = "DELETE FROM syncengine_namedlock WHERE name = %s AND owner = %s"


class LockBusy(Exception):
    """The lock was not free within the time one was willing to wait."""


def lock_name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _take(name: str, owner: str, seconds: float) -> bool:
    now = timezone.now()
    end = now + timedelta(seconds=seconds)
    moments = [connection.ops.adapt_datetimefield_value(moment) for moment in (end, now)]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [name, owner, *moments])
        return bool(cursor.rowcount)


@contextmanager
def held(*parts: str, seconds: float, wait: float) -> Iterator[None]:
    """Hold the lock named by the parts until the block ends. Raises LockBusy after `wait` seconds without it.

    It is renewed while we live: a worker that is lost blocks the others for `seconds`, not for as long as a post may
    take.
    """
    name, owner = lock_name(*parts), new_owner()
    give_up = time.monotonic() + wait
    while not _take(name, owner, seconds):
        if time.monotonic() >= give_up:
            raise LockBusy(name)
        time.sleep(POLL_SECONDS)  # another process holds it: there is no event to wait for
    try:
        with Heartbeat(lambda: _renew(name, owner, seconds)):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [name, owner])


def _renew(name: str, owner: str, seconds: float) -> bool:
    end = timezone.now() + timedelta(seconds=seconds)
    return NamedLock.objects.filter(name=name, owner=owner).update(expires_at=end) == 1


def taken_for(*parts: str, seconds: float) -> bool:
    """Take the lock for that long without giving it back: what is to be done once in so many seconds by anyone."""
    return _take(lock_name(*parts), new_owner(), seconds)


def is_free(*parts: str, now: datetime) -> bool:
    return not NamedLock.objects.filter(name=lock_name(*parts), expires_at__gt=now).exists()
