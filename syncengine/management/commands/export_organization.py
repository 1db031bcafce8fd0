"""`manage.py export_organization SLUG FILE`: all that an organization owns, without its secrets."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncengine.engine.exporting import export_organization
from tenants.models import Organization

PRIVATE = 0o077


class Command(BaseCommand):
    """Prints one JSON line: how many rows of each table were written."""

    requires_system_checks = ()
    help = "Write all that an organization owns into a new zip file of JSON lines, a file for each table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(slug=options["slug"], deleted_at=None).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['slug']!r}.")
        os.umask(PRIVATE)
        try:
            rows = export_organization(organization, options["file"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error}") from error
        self.stdout.write(json.dumps({"file": str(options["file"]), "rows": rows}))
