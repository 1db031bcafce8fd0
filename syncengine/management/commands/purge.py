"""`purge --older-than DAYS` (interface.md): applies retention, in steps that others hardly feel."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from syncengine.audit.checks import KEYS
from syncengine.audit.retention import reduce_bodies, remove_deliveries, remove_events, remove_runs
from syncengine.audit.sealing import seal_open
from syncengine.audit.verification import BadPlace, name_of
from syncengine.engine.work import Deadline


class Command(BaseCommand):
    """One JSON line of what was reduced or removed; exit 1 when the audit trail is damaged."""

    requires_system_checks = (KEYS,)
    help = "Reduce call bodies to their hashes, remove finished runs, and audit events older than AUDIT_DAYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=int, required=True, metavar="DAYS",
            help="age of call bodies (CALL_BODY_DAYS when that is less) and of finished runs",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        days: int = options["older_than"]
        if days < 0:
            raise CommandError("DAYS must be 0 or more.")
        now = timezone.now()
        bodies = sum(reduce_bodies(now - timedelta(days=min(days, settings.CALL_BODY_DAYS))))
        deliveries = sum(remove_deliveries(now - timedelta(days=min(days, settings.CALL_BODY_DAYS))))
        runs = sum(remove_runs(now - timedelta(days=days)))
        seal_open(Deadline(math.inf))  # only what is sealed may go
        try:
            events = list(remove_events(now - timedelta(days=settings.AUDIT_DAYS), now))
        except BadPlace as bad:
            raise CommandError(f"{name_of(bad.organization_id)}: {bad.problem} Nothing of it was removed.") from bad
        counts = {
            "call_bodies": bodies,
            "hook_deliveries": deliveries,
            "runs": runs,
            "audit_events": sum(events),
            "audit_seals": len(events),
        }
        self.stdout.write(json.dumps(counts))
