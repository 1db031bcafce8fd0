"""Which database is the demo's own, and so may be cleared by --fresh: never one that held something before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

MARKER = "demo-database"
SIDE_FILES = ("", "-wal", "-shm")


class DemoDatabase:
    """The SQLite file at `path`; the marker in `folder` names the file that a demo made."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._marker = path, folder / MARKER

    def claim(self) -> None:
        """To be called before anything is made in it: an empty database is the demo's from now on."""
        if self._is_empty():
            self._marker.parent.mkdir(parents=True, exist_ok=True)
            self._marker.write_text(str(self._path), encoding="utf-8")

    def forget(self, now: datetime) -> None:
        """Deletes the demo's own database; one that is not is moved aside under the moment's name."""
        for file in (Path(f"{self._path}{side}") for side in SIDE_FILES):
            if not file.exists():
                continue
            if self._is_ours():
                file.unlink()
            else:
                file.rename(file.with_name(f"{now:%Y%m%d-%H%M%S}-{file.name}"))

    def _is_ours(self) -> bool:
        return self._marker.exists() and self._marker.read_text(encoding="utf-8") == str(self._path)

    def _is_empty(self) -> bool:
        if not self._path.exists():
            return True
        with closing(sqlite3.connect(self._path)) as database:
            return not database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
