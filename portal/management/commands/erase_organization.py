"""`manage.py erase_organization SLUG --name NAME`: what its owner can do in the portal, for one who has left."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from syncengine.audit import record_event
from syncengine.engine.erasing import delete_organization
from tenants.models import Organization


class Command(BaseCommand):
    """It is gone for everybody at once; workers erase its rows. The audit trail stays for AUDIT_DAYS."""

    requires_system_checks = ()
    help = "Delete an organization with all it owns; NAME has to be typed as it is written. Export it first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True, help="the organization's name, so that no other is meant")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        found = Organization.objects.select_for_update().filter(slug=options["slug"], deleted_at=None).first()
        if found is None:
            raise CommandError(f"There is no organization {options['slug']!r}.")
        if found.name != options["name"]:
            raise CommandError(f"The organization {found.slug!r} has another name. Nothing was deleted.")
        record_event(found, "command", "organization.deleted", found.name)
        delete_organization(found)
        self.stdout.write(json.dumps({"deleted": options["slug"]}))
