"""Installations for backups: each has a database of its own, and `manage.py` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from tests.postgres import create_database


class Site:
    """One installation: a database with its anchors, and `manage.py` in a process of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.anchors = url, folder / "anchors.jsonl"
        folder.mkdir(parents=True, exist_ok=True)

    def environment(self, **more: str) -> dict[str, str]:
        quick = {"CONNECT_TIMEOUT": "1", "RETRY_DELAYS": "0", "LOG_LEVEL": "WARNING", "OUTBOUND_ALLOW": "127.0.0.0/8"}
        ours = {"DATABASE_URL": self.url, "AUDIT_ANCHOR": str(self.anchors), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return {**os.environ, **quick, **ours, **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments]

    def manage(self, *arguments: str, code: int = 0, **more: str) -> str:
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, done.stderr[-2000:]
        return done.stdout if code in (0, 1) and done.stdout else done.stderr

    def tables(self) -> int:
        if self.url.startswith("sqlite"):
            return int(Path(self.url.removeprefix("sqlite:///")).exists())
        with psycopg.connect(self.url) as own:
            return len(own.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall())


def newest(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def any_site(request, database, tmp_path_factory):
    """`any_site()`: an installation with a database of its own that is empty."""

    def make() -> Site:
        folder = tmp_path_factory.mktemp("site")
        if database == "sqlite":
            return Site(f"sqlite:///{folder / 'database.sqlite3'}", folder)
        return Site(create_database(owned(request.getfixturevalue("postgres_url")), folder.name), folder)

    return make


def owned(url: str) -> str:
    """The server as a user sees it who is no superuser: the policies bind him, and he may make databases."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as own:
        if not own.execute("SELECT 1 FROM pg_roles WHERE rolname = 'keeper'").fetchone():
            own.execute("CREATE ROLE keeper LOGIN CREATEDB CREATEROLE")
    return url.replace("postgres@", "keeper@")
