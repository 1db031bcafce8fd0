"""Making a backup and bringing one back, whichever the database is."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from portal.backups import postgres, sqlite
from portal.backups.manifest import BackupFailed, Manifest, digest
from portal.version import VERSION

ANCHORS = "audit-anchors.jsonl"
PARTIAL = ".partial"
PRIVATE = 0o077


def back_up(folder: Path, now: datetime) -> Path:
    """Make `ledgerbridge-…` in the folder, for our own eyes only. Secrets are in it as they are stored: encrypted.

    Until it is whole it is called `….partial`, so that what a crash leaves is never taken for a backup.
    """
    place = folder / f"ledgerbridge-{now:%Y%m%dT%H%M%SZ}"
    partial = place.with_name(place.name + PARTIAL)
    before = os.umask(PRIVATE)
    try:
        partial.mkdir(parents=True)
        files = [*_copied_anchors(partial)]
        rows = _tool().dump(partial)
        Manifest(
            version=VERSION,
            database=connection.vendor,
            made_at=now.isoformat(),
            files={name: digest(partial / name) for name in [_tool().FILE, *files]},
            rows=rows,
            migrations=sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()),
        ).write(partial)
        os.replace(partial, place)
    finally:
        os.umask(before)
        shutil.rmtree(partial, ignore_errors=True)
    return place


def _copied_anchors(partial: Path) -> list[str]:
    """First of all: each anchor's seal was committed before it, so that the database to come has them all."""
    if not Path(settings.AUDIT_ANCHOR).exists():
        return []
    shutil.copyfile(settings.AUDIT_ANCHOR, partial / ANCHORS)
    return [ANCHORS]


def restore(folder: Path) -> Manifest:
    """Bring it back into an empty database, and that up to this version. Raises BackupFailed."""
    manifest = Manifest.read(folder)
    manifest.check(folder)
    rows = _tool().load(folder)
    differing = sorted(name for name in manifest.rows.keys() | rows if manifest.rows.get(name) != rows.get(name))
    if differing:
        raise BackupFailed(f"Not everything came back: {differing[0]} has {rows.get(differing[0])} rows.")
    if ANCHORS in manifest.files and not Path(settings.AUDIT_ANCHOR).exists():
        Path(settings.AUDIT_ANCHOR).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / ANCHORS, settings.AUDIT_ANCHOR)
    call_command("migrate", verbosity=0)
    return manifest


def _tool() -> ModuleType:
    return postgres if connection.vendor == "postgresql" else sqlite
