"""Backup and restore with real processes on both databases: nothing lost, nothing readable, nothing half done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
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
from tests.engine.world import World, connect, no_sweep, quick, running_sandboxes, sandboxes
from tests.portal.books_of_both import (
    clear_shelf,
    counts,
    in_basware,
    known,
    offer,
    pay,
    posted,
    told,
    working_at,
)
from tests.portal.installations import Site, any_site, database, newest
from tests.postgres import moved_to, postgres_url

__all__ = ["any_site", "database", "postgres_url", "quick", "running_sandboxes", "sandboxes"]

ROWS = 40
TO_SANDBOXES = {"OUTBOUND_ALLOW_HTTP": "true"}


@pytest.fixture
def other(any_site) -> Site:
    """Where a backup is brought back to."""
    return any_site()


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


class TestOlderThanWhatWasPosted:
    """The most dangerous hour: both systems go on from where they are, only our own database goes back in time."""

    BEFORE, SINCE = ("OLD-1", "OLD-2"), ("NEW-1", "NEW-2", "NEW-3", "NEW-4")

    @pytest.fixture
    def world(self, site, quick, sandboxes) -> World:
        """An integration with two posted invoices, one of them paid."""
        integration = factories.IntegrationFactory()
        connect(integration, sandboxes)
        no_sweep()
        world = World(integration, sandboxes)
        clear_shelf(world)
        offer(world, self.BEFORE)
        world.run("invoices")
        pay(world, "OLD-1")
        return world

    def verified(self, site: Site, backup: Path, world: World) -> dict[str, Any]:
        """What `restore --verify` says of it: its verdicts by their first word."""
        shown = json.loads(site.manage("restore", str(backup), "--verify", "--days", "36500", **TO_SANDBOXES))
        mine = [
            one
            for one in shown["verified"]
            if one["what"].split()[-1] in ("secrets", "audit", str(world.integration.pk))
        ]
        return {one["what"].split()[0]: one for one in mine}

    def test_nothing_is_posted_or_told_twice(self, any_site, site, world, sandboxes, tmp_path):
        site.manage("backup", str(tmp_path))
        backup, same, older = newest(tmp_path), any_site(), any_site()
        found = self.verified(same, backup, world)
        assert {what: one["ok"] for what, one in found.items()} == {
            "secrets": True, "audit": True, "reconcile": True, "known": True,
        }  # fmt: skip

        offer(world, self.SINCE)
        world.run("invoices")
        pay(world, "NEW-1")
        pay(world, "OLD-2")
        everything = dict.fromkeys((*self.BEFORE, *self.SINCE), 1)
        assert counts(world) == everything
        assert sorted(told(world).values()) == [1, 1, 1]

        found = self.verified(older, backup, world)
        assert found["reconcile"]["ok"] is found["audit"]["ok"] is True
        assert found["known"]["ok"] is None  # nothing to mend, and something to know
        assert "OLD" not in found["known"]["text"]
        for number in self.SINCE:
            assert f"{number} (SAP {posted(world)[number][0]['DocNum']})" in found["known"]["text"]

        # Of one Basware was never told: it is offered again.
        lost = in_basware(world, "NEW-4")["invoiceId"]
        world.tell("/basware/unconfirm", invoiceId=lost)
        world.tell("/basware/move", invoiceId=lost, status="WaitingForTransfer")
        world.quiet()
        older.manage("sync", str(world.integration.pk), "invoices", "payments", **TO_SANDBOXES)
        with working_at(older, world.integration, sandboxes) as restored:
            restored.run("payments", "full")
            assert known(restored) == {*self.BEFORE, *self.SINCE}
            assert restored.statuses("invoices") == restored.statuses("payments") == {"done"}
            pay(restored, "NEW-2")  # of an invoice that the backup did not know
        assert not [call for call in world.calls("sap_b1", "POST") if "PurchaseInvoices" in call["path"]]
        assert counts(world) == everything
        assert {in_basware(world, number)["processingStatus"] for number in everything} <= {"Transferred", "Paid"}
        assert sorted(told(world).values()) == [1, 1, 1, 1]
        period = ("--from", "2000-01-01", "--to", "2100-01-01")
        older.manage("reconcile", str(world.integration.pk), *period, **TO_SANDBOXES)


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
