"""Waking a worker: a message that may be lost, repeated or late without harm."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import transaction
from django_q.brokers import get_broker
from django_q.tasks import async_task

log = structlog.get_logger(__name__)

WORK = "syncengine.tasks.work"


def send_wake_up() -> None:
    """Put a wake-up into the broker, unless as many wait as there are workers: each finds all that is due by then.

    When the broker is down the worker's own look at due work does instead.
    """
    try:
        if get_broker().queue_size() < settings.WORKERS:
            async_task(WORK)
    except Exception as error:  # noqa: BLE001  # whatever the broker raises, the rows are already there
        log.warning("wake_up_not_sent", error=type(error).__name__)


def wake() -> None:
    """Wake a worker as soon as the present transaction is committed."""
    transaction.on_commit(send_wake_up)
