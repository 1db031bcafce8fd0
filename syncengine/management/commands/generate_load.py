"""`generate_load`: fill a database of its own with organizations, records and events, to try capacity."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from syncengine import load
from tenants.models import Organization

NEEDS_A_YES = (
    "This fills the database with organizations that nobody has. Run it on one of its own, with --into-this-database."
)


class Command(BaseCommand):
    """Prints what was made, and where the largest integration is looked at."""

    help = "Fill a PostgreSQL database with a plausible load, to try its capacity. Never in production."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = load.Size()
        parser.add_argument("--records", type=int, default=usual.records)
        parser.add_argument("--events-per-record", type=int, default=usual.events_per_record)
        parser.add_argument("--organizations", type=int, default=usual.organizations)
        parser.add_argument("--owner", default="load@example.com", help="who owns the organizations; made when missing")
        parser.add_argument("--into-this-database", action="store_true", help="needed unless DEBUG is on")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("The load is made by PostgreSQL itself; this is another database.")
        if not (settings.DEBUG or options["into_this_database"]):
            raise CommandError(NEEDS_A_YES)
        if Organization.objects.exists():
            raise CommandError("There are organizations already. The load wants a database of its own.")
        size = load.Size(options["organizations"], options["records"], options["events_per_record"])
        if size.organizations < 1 or size.records < 1 or size.events_per_record < 1:
            raise CommandError("There must be at least one of each.")
        largest = load.make(size, options["owner"], self.stdout.write)
        self.stdout.write(f"/o/{largest.organization.slug}/integrations/{largest.pk}/")
