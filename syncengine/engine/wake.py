"""Waking a worker: a message that may be lost, repeated or late without harm."""

from __future__ import annotations

from time import monotonic

import structlog
from django.conf import settings
from django.db import transaction
from django_q.brokers import get_broker
from django_q.tasks import async_task

log = structlog.get_logger(__name__)

WORK = "syncengine.tasks.work"
ENOUGH_SECONDS = 0.05


class _Bell:
    """Remembers for a moment that enough wake-ups wait, so that a flood of notifications does not ask for each."""

    def __init__(self) -> None:
        self._enough_until = 0.0

    def ring(self) -> None:
        now = monotonic()
        if now < self._enough_until:
            return
        if get_broker().queue_size() < settings.WORKERS:
            async_task(WORK)
        else:
            self._enough_until = now + ENOUGH_SECONDS

    def forget(self) -> None:
        self._enough_until = 0.0


_bell = _Bell()


def send_wake_up() -> None:
    """Put a wake-up into the broker, unless as many wait as there are workers: each finds all that is due by then.

    When the broker is down, or all were taken within that moment, the worker's own look at due work does instead.
    """
    try:
        _bell.ring()
    except Exception as error:  # noqa: BLE001  # whatever the broker raises, the rows are already there
        log.warning("wake_up_not_sent", error=type(error).__name__)


def forget() -> None:
    """Nothing is known of the broker: for tests, each of which has its own."""
    _bell.forget()


def wake() -> None:
    """Wake a worker as soon as the present transaction is committed."""
    transaction.on_commit(send_wake_up)
