"""`manage.py worker`: runs what is due, for ever, on any number of machines."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from syncengine.audit.checks import KEYS
from syncengine.checks import BROKER
from syncengine.engine.supervisor import Supervisor


class Command(BaseCommand):
    """Supervises django-q2's qcluster (stack.md)."""

    requires_system_checks = (BROKER, KEYS)  # the others would load all pages and the API
    help = "Work on runs, records and notifications as they become due; Ctrl-C or SIGTERM ends it."

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = Supervisor()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: supervisor.stop())
        supervisor.run()
