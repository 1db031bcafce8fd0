"""What a backup says of itself: by it one knows that nothing of it was lost or altered, and whether it fits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

NAME = "manifest.json"
FORMAT = 1
OURS = ("tenants", "syncengine")


class BackupFailed(Exception):
    """Why a backup or a restore did not come about; the text is for the operator."""


@dataclass(frozen=True)
class Manifest:
    """`files` by name with their SHA-256, `rows` by table, `migrations` as "app.name"."""

    version: str
    database: str
    made_at: str
    files: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    migrations: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        try:
            found = cls(**json.loads((folder / NAME).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise BackupFailed(f"{folder} is no complete backup: it has no {NAME}.") from None
        except (ValueError, TypeError):
            raise BackupFailed(f"{folder / NAME} cannot be read, or a later version made it.") from None
        return found

    def check(self, folder: Path) -> None:
        """Raises BackupFailed unless the backup is whole and fits this version and database."""
        for name, expected in self.files.items():
            if not (folder / name).is_file() or digest(folder / name) != expected:
                raise BackupFailed(f"{folder / name} is missing or not what was backed up.")
        if self.database != connection.vendor:
            raise BackupFailed(f"This is a backup of {self.database}; DATABASE_URL names {connection.vendor}.")
        known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
        ahead = sorted(one for one in self.migrations if one.split(".")[0] in OURS and one not in known)
        if ahead:
            raise BackupFailed(f"Version {self.version} made it, which is newer than this: it has {ahead[0]}.")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
