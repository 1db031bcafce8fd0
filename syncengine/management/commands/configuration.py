"""`manage.py configuration INTEGRATION_ID [FILE] [--apply]`: an integration's configuration as a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncengine.engine import configuration
from tenants.errors import Refused
from tenants.models import Integration


class Command(BaseCommand):
    """Without a file, prints the configuration; with one, one JSON line for each thing that it would change."""

    requires_system_checks = ()  # they would load all pages and the API
    help = "Print an integration's configuration, or compare it with a file; --apply changes what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("integration", type=int, metavar="INTEGRATION_ID")
        parser.add_argument("file", type=Path, nargs="?", metavar="FILE")
        parser.add_argument("--apply", action="store_true", help="change what differs, all of it or nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        integration = Integration.objects.filter(pk=options["integration"]).first()
        if integration is None:
            raise CommandError(f"There is no integration {options['integration']}.")
        if options["file"] is None:
            self.stdout.write(json.dumps(configuration.export(integration), indent=2, ensure_ascii=False))
            return
        for change in self._changes(integration, self._read(options["file"]), apply=options["apply"]):
            self.stdout.write(json.dumps(asdict(change), ensure_ascii=False))

    def _read(self, file: Path) -> Any:
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error

    def _changes(self, integration: Integration, file: Any, *, apply: bool) -> list[configuration.Change]:
        try:
            if apply:
                return configuration.apply(integration, file, "command")
            return configuration.difference(integration, file)
        except Refused as refused:
            found = "\n".join(f"{error.field}: {error.message}" for error in refused.errors)
            raise CommandError(f"Nothing was changed.\n{found}") from refused
