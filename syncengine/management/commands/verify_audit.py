"""`verify_audit [--organization SLUG]` (interface.md): proves the audit trail, or names the first bad place."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncengine.audit.checks import KEYS
from syncengine.audit.keys import AuditKeyMissing
from syncengine.audit.verification import BadPlace, Verified, close, name_of, verify
from tenants.models import Organization


class Command(BaseCommand):
    """One JSON line on standard output; exit 1 if anything was altered, removed or inserted."""

    requires_system_checks = (KEYS,)
    help = "Recompute the audit trail and compare it with its anchors; seal and anchor what is still open."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only the trail of this organization")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verified = verify(_organization(options["organization"]))
        except BadPlace as bad:
            self._tell(bad)
            sys.exit(1)
        except AuditKeyMissing as missing:
            raise CommandError(str(missing)) from missing
        except OSError as error:
            raise CommandError(f"The anchors cannot be read: {error}") from error
        self._warn(verified)
        try:
            sealed = close(verified)
        except OSError as error:
            raise CommandError(f"The anchors cannot be written: {error}") from error
        counts = {"organizations": len(verified.ends), "events": verified.events, "seals": verified.seals + sealed}
        self.stdout.write(json.dumps({"ok": True, **counts}))

    def _tell(self, bad: BadPlace) -> None:
        name = name_of(bad.organization_id)
        place = {"organization": name, "event": bad.event, "seal": bad.seal, "problem": bad.problem}
        self.stdout.write(json.dumps({"ok": False, **place}))
        self.stderr.write(f"{name}: {bad.problem}")

    def _warn(self, verified: Verified) -> None:
        for line in verified.unreadable_anchors:
            self.stderr.write(f"Line {line} of {settings.AUDIT_ANCHOR} is no anchor.")
        for one in verified.without_anchors:
            self.stderr.write(f"{settings.AUDIT_ANCHOR} has no anchor of {name_of(one)}: what its end was is unproven.")


def _organization(slug: str | None) -> int | None:
    if slug is None:
        return None
    found = Organization.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no organization {slug!r}.")
    return found.pk
