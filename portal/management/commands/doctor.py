"""`manage.py doctor`: is this deployment as it should be, and if not, what is to be done?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from portal.doctor import CHECKS, Finding, State, examine

EXIT = {State.OK: 0, State.WARN: 1, State.FAIL: 2}


class Command(BaseCommand):
    """One line per finding; exit 0 when all is well, 1 with warnings, 2 with failures. It changes nothing."""

    requires_system_checks = ()  # what is wrong is what it tells
    help = "Check the deployment: a line per check, with a hint where something is wrong; exit 0, 1 (warn), 2 (fail)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument("--timeout", type=float, default=20.0, metavar="SECONDS", help="for each check")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(examine(CHECKS, options["timeout"]))
        worst = max((EXIT[one.state] for one in found), default=0)
        if options["json"]:
            state = next(state for state, code in EXIT.items() if code == worst)
            self.stdout.write(json.dumps({"state": state, "findings": [asdict(one) for one in found]}))
        else:
            self._write(found)
        sys.exit(worst)

    def _write(self, found: list[Finding]) -> None:
        for one in found:
            self.stdout.write(f"{one.state:<5} {one.check:<13} {one.text}")
            if one.hint:
                self.stdout.write(f"{'':19} → {one.hint}")
