"""`manage.py restore BACKUP [--verify]`: into an empty database, with the workers stopped."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.backups import BackupFailed, restore
from portal.backups.verification import verify_all


class Command(BaseCommand):
    """Prints one JSON line; with --verify exit 1 when something is not as it should be."""

    requires_system_checks = ()
    help = "Bring a backup back into an empty database, up to this version; --verify proves that it is whole and true."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path)
        parser.add_argument("--verify", action="store_true", help="open secrets, verify the audit trail, reconcile")
        parser.add_argument("--days", type=int, default=31, help="how far back to reconcile")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["backup"])
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        told: dict[str, Any] = {
            "restored": str(options["backup"]), "made_at": manifest.made_at, "rows": sum(manifest.rows.values())
        }  # fmt: skip
        made_on = datetime.fromisoformat(manifest.made_at).date()
        verdicts = list(verify_all(made_on, timezone.now().date(), options["days"])) if options["verify"] else []
        if options["verify"]:
            told["verified"] = [asdict(one) for one in verdicts]
        self.stdout.write(json.dumps(told, ensure_ascii=False))
        if any(one.ok is False for one in verdicts):
            sys.exit(1)
