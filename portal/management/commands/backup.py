"""`manage.py backup FOLDER`: everything that has to survive, in a folder of its own; it may run while others work."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.backups import BackupFailed, Manifest, back_up


class Command(BaseCommand):
    """Prints one JSON line. FERNET_KEYS is not in it: keep it elsewhere, or nobody opens the secrets again."""

    requires_system_checks = ()
    help = "Back the database and the audit anchors up into a new folder below FOLDER."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            place = back_up(options["folder"], timezone.now())
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        size = sum(path.stat().st_size for path in place.iterdir())
        rows = sum(Manifest.read(place).rows.values())
        self.stdout.write(json.dumps({"backup": str(place), "bytes": size, "rows": rows}))
