"""SQLite: its own backup API copies one state of the database while others write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection

from portal.backups.manifest import BackupFailed

FILE = "database.sqlite3"


def dump(folder: Path) -> dict[str, int]:
    """The copy as one file; how many rows each table of it has."""
    with closing(sqlite3.connect(_place())) as source, closing(sqlite3.connect(folder / FILE)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # nothing beside the file itself
        (state,) = copy.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise BackupFailed(f"The database is damaged: {state}")
        return _rows(copy)


def load(folder: Path) -> dict[str, int]:
    """Put the copy where the database belongs, all of it at once; how many rows each table has."""
    place = _place()
    if place.exists():
        with closing(sqlite3.connect(place)) as present:
            if _tables(present):
                raise BackupFailed(f"{place} is not empty: restore into a new database only.")
    connection.close()
    place.parent.mkdir(parents=True, exist_ok=True)
    coming = place.with_name(f"{place.name}.restoring")
    coming.unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(coming)) as copy:
        source.backup(copy)
        found = _rows(copy)
    for beside in ("-wal", "-shm"):  # of an empty database that was here before
        place.with_name(place.name + beside).unlink(missing_ok=True)
    os.replace(coming, place)
    return found


def _place() -> Path:
    return Path(settings.DATABASES["default"]["NAME"])


def _rows(database: sqlite3.Connection) -> dict[str, int]:
    count = 'SELECT count(*) FROM "{}"'
    return {name: database.execute(count.format(name)).fetchone()[0] for name in _tables(database)}


def _tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(name for (name,) in found)
