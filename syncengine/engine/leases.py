"""Leases: who works on what, for how long, and how the claim is kept alive or taken over.

A lease is `lease_owner` and `lease_expires_at` on a row. It is renewed at a third of LEASE_SECONDS by a thread of its
own, so that a slow remote call does not lose it; a worker that dies simply stops renewing.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from django.conf import settings
from django.db import connection

log = structlog.get_logger(__name__)


def owner_prefix() -> str:
    """What the names of this machine's workers begin with."""
    return f"{socket.gethostname()[:30]}:"


def new_owner() -> str:
    """A name no other worker has: host, process and a random part."""
    return f"{owner_prefix()}{os.getpid()}:{uuid.uuid4().hex[:12]}"


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)


class LeaseLost(Exception):
    """Somebody else has taken over: stop without writing anything more."""


class Heartbeat:
    """Calls `renew` every third of a lease, in its own thread, until the block ends.

    `renew` returns False when the lease is gone; `check()` then raises LeaseLost in the worker's own thread.
    """

    def __init__(self, renew: Callable[[], bool]) -> None:
        self._renew = renew
        self._stop = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._beat, name="lease-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        if self._lost:
            raise LeaseLost

    def _beat(self) -> None:
        try:
            while not self._stop.wait(settings.LEASE_SECONDS / 3):
                self._lost = not self._renewed()
                if self._lost:
                    return
        finally:
            connection.close()

    def _renewed(self) -> bool:
        try:
            return self._renew()
        except Exception:  # a database hiccup is no reason to give the lease up before it ends
            log.exception("lease_renewal_failed")
            return True
