"""Backup and restore with real processes on both databases: nothing lost, nothing readable, nothing half done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import override_settings

from portal.backups.manifest import NAME
from syncengine.audit import record_event, sealing
from syncengine.audit.keys import audit_key
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, Record
from tenants.models import Connection
from tests import factories
from tests.engine.processes import wait_until
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

ROWS = 40


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


@pytest.fixture
def other(any_site) -> Site:
    """Where a backup is brought back to."""
    return any_site()


def owned(url: str) -> str:
    """The server as a user sees it who is no superuser: the policies bind him, and he may make databases."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as own:
        if not own.execute("SELECT 1 FROM pg_roles WHERE rolname = 'keeper'").fetchone():
            own.execute("CREATE ROLE keeper LOGIN CREATEDB CREATEROLE")
    return url.replace("postgres@", "keeper@")


@pytest.fixture(scope="module")
def site(any_site, django_db_blocker) -> Iterator[Site]:
    """One with an organization, its connections, records and a sealed trail; shared, since making it takes long."""
    found = any_site()
    with override_settings(AUDIT_ANCHOR=found.anchors), django_db_blocker.unblock(), moved_to(found.url):
        audit_key.cache_clear()
        integration = factories.IntegrationFactory()
        factories.connect(integration)
        away = {**factories.SAP, "base_url": "https://127.0.0.1:1/b1s/v2", "password": ""}
        Connection.objects.filter(system="sap_b1").update(settings=away)
        for _ in range(ROWS):
            record = factories.RecordFactory(integration=integration, flow="invoices")
            record_event(integration.organization, "system", "record.done", record=record, integration=integration)
        sealing.seal_open(Deadline(60))
        yield found
    audit_key.cache_clear()


@pytest.fixture(scope="module")
def backup(site, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("backups")
    site.manage("backup", str(folder))
    return newest(folder)


@pytest.fixture
def copied(backup, tmp_path) -> Path:
    """A backup that a test may damage."""
    return Path(shutil.copytree(backup, tmp_path / "copied"))


def newest(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


@contextmanager
def somebody_writes() -> Iterator[None]:
    """Records and events keep coming while the block lasts, as workers make them."""
    stop = threading.Event()

    def write() -> None:
        integration = Record.objects.select_related("integration__organization").first().integration
        while not stop.is_set():
            record = factories.RecordFactory(integration=integration)
            record_event(integration.organization, "system", "record.done", record=record, integration=integration)
            sealing.seal_open(Deadline(60))
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_what_is_backed_up_while_others_write_comes_back_whole_and_true(site, other, tmp_path):
    with somebody_writes():
        made = json.loads(site.manage("backup", str(tmp_path / "backups")))
    place = Path(made["backup"])
    assert place == newest(tmp_path / "backups")
    told = json.loads(other.manage("restore", str(place), "--verify"))
    assert told["rows"] == made["rows"]
    found = {one["what"]: one for one in told["verified"]}
    assert found["secrets"]["ok"] is True
    assert found["audit"]["ok"] is True
    (reconciled,) = [one for what, one in found.items() if what.startswith("reconcile")]
    assert reconciled["ok"] is None  # its systems are not there: it says so, and why
    assert "could not be compared" in reconciled["text"]
    assert other.anchors.read_text().startswith(site.anchors.read_text().splitlines()[0])


def test_secrets_stay_encrypted_and_only_we_may_read_the_files(backup):
    held = b"".join(path.read_bytes() for path in backup.iterdir())
    assert factories.BASWARE_SECRET.encode() not in held
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir()} == {0o600}


def test_with_other_keys_the_restore_says_that_nobody_opens_the_secrets(backup, other):
    shown = other.manage("restore", str(backup), "--verify", code=1, FERNET_KEYS="another-key")
    found = {one["what"]: one["ok"] for one in json.loads(shown)["verified"]}
    assert found == {"secrets": False, "audit": None}


def test_it_restores_into_an_empty_database_only(site, backup):
    assert "not empty" in site.manage("restore", str(backup), code=1)
    assert Record.objects.count() >= ROWS


def test_a_backup_that_was_altered_is_refused(copied, other):
    (file,) = copied.glob("database.*")
    with file.open("r+b") as opened:
        opened.seek(2000)
        opened.write(b"x")
    assert "not what was backed up" in other.manage("restore", str(copied), code=1)
    assert other.tables() == 0


def test_a_backup_of_a_newer_version_is_refused(copied, other):
    known = json.loads((copied / NAME).read_text())
    (copied / NAME).write_text(json.dumps({**known, "migrations": [*known["migrations"], "syncengine.9999_future"]}))
    assert "newer than this" in other.manage("restore", str(copied), code=1)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
class TestKilled:
    """SIGKILL at the worst moment, by programs that stop there."""

    def killed(self, site: Site, program: str, folder: Path, *arguments: str) -> None:
        """The command, killed while that program of PostgreSQL's works for it."""
        real, marker = shutil.which(program), folder / "reached"
        folder.mkdir()
        (folder / program).write_text(f'#!/bin/sh\ntouch {marker}\n{real} "$@" &\nsleep 60\n')
        (folder / program).chmod(0o755)
        path = f"{folder}:{os.environ['PATH']}"
        environment = site.environment(PATH=path)
        with subprocess.Popen(site.command(*arguments), env=environment, start_new_session=True) as process:
            wait_until(marker.exists, 60)
            os.killpg(process.pid, signal.SIGKILL)

    def test_a_backup_that_was_killed_is_not_taken_for_one(self, site, other, tmp_path):
        self.killed(site, "pg_dump", tmp_path / "bin", "backup", str(tmp_path / "backups"))
        left = newest(tmp_path / "backups")
        assert left.name.endswith(".partial")
        assert "no complete backup" in other.manage("restore", str(left), code=1)

    def test_a_restore_that_was_killed_leaves_an_empty_database_for_the_next(self, backup, other, tmp_path):
        self.killed(other, "pg_restore", tmp_path / "bin", "restore", str(backup))
        wait_until(lambda: other.tables() == 0, 20)
        assert json.loads(other.manage("restore", str(backup)))["rows"] > ROWS

    def test_without_the_client_programs_it_says_what_to_install(self, site, tmp_path):
        shown = site.manage("backup", str(tmp_path / "backups"), code=1, PATH=str(tmp_path))
        assert "postgresql-client" in shown
        assert not list((tmp_path / "backups").iterdir())


def test_an_altered_trail_is_found_after_the_restore(site, other, tmp_path):
    """The last one, for it alters the site that all share."""
    event = AuditEvent.objects.order_by("pk").first()
    with connection.cursor() as cursor:
        on = " ON syncengine_audit_event" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER syncengine_audit_event_no_update{on}")
        cursor.execute("UPDATE syncengine_audit_event SET actor = 'nobody' WHERE id = %s", [event.pk])
    site.manage("backup", str(tmp_path / "backups"))
    shown = json.loads(other.manage("restore", str(newest(tmp_path / "backups")), "--verify", code=1))
    (audit,) = [one for one in shown["verified"] if one["what"] == "audit"]
    assert audit["ok"] is False


def test_what_is_no_backup_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no complete backup"):
        call_command("restore", str(tmp_path))
