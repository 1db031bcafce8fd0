"""`manage.py sandboxes`: the sandbox servers of the integrations that ask for them; the worker starts it."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from syncengine.engine.sandbox_house import House


class Command(BaseCommand):
    help = "Run the built-in sandboxes of integrations; Ctrl-C or SIGTERM ends it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until-eof", action="store_true", help="end when standard input ends: a child of ours")

    def handle(self, *args: Any, **options: Any) -> None:
        house = House()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: house.stop())
        if options["until_eof"]:
            threading.Thread(target=_when_alone, args=(house,), daemon=True).start()
        house.run()


def _when_alone(house: House) -> None:
    """Standard input ends with whoever started us, however that came about."""
    sys.stdin.read()
    house.stop()
