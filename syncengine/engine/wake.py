"""Waking a worker: a message that may be lost, repeated or late without harm."""

from __future__ import annotations

import structlog
from django.db import transaction
from django_q.tasks import async_task

log = structlog.get_logger(__name__)

WORK = "syncengine.tasks.work"


def send_wake_up() -> None:
    """Put one wake-up into the broker; when the broker is down the worker's own look at due work does instead."""
    try:
        async_task(WORK)
    except Exception as error:  # noqa: BLE001  # whatever the broker raises, the rows are already there
        log.warning("wake_up_not_sent", error=type(error).__name__)


def wake() -> None:
    """Wake a worker as soon as the present transaction is committed."""
    transaction.on_commit(send_wake_up)
