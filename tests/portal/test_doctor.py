"""`manage.py doctor`: every failure it tells of, made for real, and its exit codes."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from portal.doctor import CHECKS, database, examine, here, network
from portal.doctor.checks import Check, Finding, State, ok
from portal.version import VERSION
from syncengine.engine.health import beat
from tenants.models import Connection
from tests import factories
from tests.engine.processes import manage
from tests.postgres import free_port

NOWHERE = "postgres://nobody:canary-password@127.0.0.1:1/nothing"


def states(look: Callable[[], Iterable[Finding]]) -> list[tuple[str, str]]:
    found = list(look())
    assert all(bool(one.hint) == (one.state is not State.OK) for one in found), found
    return [(one.check, str(one.state)) for one in found]


class TestThisMachine:
    """Settings, disk, cache, static files."""

    @pytest.mark.parametrize(
        ("debug", "site", "state"),
        [(False, "https://portal.example.com", "ok"), (True, "http://127.0.0.1:8000", "warn"),
         (True, "https://portal.example.com", "fail")],
    )  # fmt: skip
    def test_debug_is_for_this_machine_alone(self, settings, debug, site, state):
        settings.DEBUG, settings.SITE_URL = debug, site
        assert states(here.debug) == [("debug", state)]

    @pytest.mark.parametrize(
        ("site", "proxies", "state"),
        [("https://portal.example.com", 1, "ok"), ("https://portal.example.com", 0, "warn"),
         ("http://portal.example.com", 1, "fail"), ("http://localhost:8000", 0, "ok"), ("http://[::1]:8000", 0, "ok")],
    )  # fmt: skip
    def test_passwords_travel_encrypted_and_behind_a_known_proxy(self, settings, site, proxies, state):
        settings.SITE_URL, settings.TRUSTED_PROXIES = site, proxies
        assert states(here.scheme) == [("https", state)]

    def test_a_short_secret_key_is_told_and_never_shown(self, settings):
        settings.SECRET_KEY = "canary-key"
        assert states(here.secret_key) == [("secret_key", "warn")]
        assert "canary" not in str(list(here.secret_key()))
        settings.SECRET_KEY = "x" * 50
        assert states(here.secret_key) == [("secret_key", "ok")]

    def test_broker_settings_that_run_tasks_twice_fail_one_by_one(self, settings):
        assert states(here.broker_rules) == [("broker_rules", "ok")]
        settings.Q_CLUSTER = {**settings.Q_CLUSTER, "bulk": 5, "retry": 10}
        assert states(here.broker_rules) == [("broker_rules", "fail")] * 2

    def test_a_cache_that_is_away_fails_without_its_password(self, settings):
        assert states(here.shared_cache) == [("cache", "ok")]
        away = "redis://:canary-password@127.0.0.1:1/0"
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": away}}
        assert states(here.shared_cache) == [("cache", "fail")]
        assert "canary" not in str(list(here.shared_cache()))

    def test_a_cache_that_keeps_nothing_fails(self, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        assert states(here.shared_cache) == [("cache", "fail")]

    def test_a_full_disk_and_a_folder_that_cannot_be_written_are_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr(here, "_written", lambda: [tmp_path])
        monkeypatch.setattr(here, "LITTLE_FREE", 0)
        assert states(here.disk) == [("disk", "ok")]
        monkeypatch.setattr(here, "LITTLE_FREE", 2**60)
        assert states(here.disk) == [("disk", "warn")]
        monkeypatch.setattr(here, "LEAST_FREE", 2**60)
        assert states(here.disk) == [("disk", "fail")]
        file = tmp_path / "file"
        file.touch()
        monkeypatch.setattr(here, "_written", lambda: [file / "below" / "a-file"])
        assert "cannot be written" in str(list(here.disk()))

    def test_static_files_have_to_be_collected_and_stay(self, settings, tmp_path):
        settings.STATIC_ROOT = tmp_path
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "portal.static_files.HashedStaticFiles"}}
        assert states(here.static_files) == [("static_files", "fail")]
        hashed = tmp_path / "portal.0123.css"
        hashed.touch()
        manifest = {"version": "1.1", "hash": "", "paths": {"portal.css": hashed.name}}
        (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
        settings.STATIC_ROOT = str(tmp_path)  # as a start of the web reads it anew
        settings.STORAGES = {**settings.STORAGES}
        assert states(here.static_files) == [("static_files", "ok")]
        hashed.unlink()
        assert states(here.static_files) == [("static_files", "fail")]


class TestTheDatabase:
    """What it is, and what it says of the workers."""

    def test_one_that_is_as_it_should_be(self, db):
        beat("worker-1")
        for check in database.CHECKS:
            assert {state for _, state in states(check.look)} == {"ok"}, check.name

    def test_a_migration_that_is_missing_or_from_the_future_fails(self, db):
        recorder = MigrationRecorder(connection)
        (newest,) = MigrationLoader(connection).graph.leaf_nodes("syncengine")
        recorder.record_unapplied(*newest)
        assert states(database.migrations) == [("migrations", "fail")]
        recorder.record_applied(*newest)
        recorder.record_applied("syncengine", "9999_from_the_future")
        (found,) = database.migrations()
        assert found.state is State.FAIL
        assert "9999_from_the_future" in found.text

    @pytest.mark.django_db(transaction=True)
    def test_sqlite_without_its_write_ahead_log_fails(self):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL has no such mode")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=DELETE")
            try:
                assert states(database.engine) == [("wal", "fail")]
            finally:
                cursor.execute("PRAGMA journal_mode=WAL")
        assert states(database.engine) == [("wal", "ok")]

    @pytest.mark.parametrize(
        ("seconds", "state"), [(0.4, "ok"), (-5, "warn"), (5, "warn"), (-60, "fail"), (60, "fail")]
    )
    def test_clocks_that_differ_take_work_from_the_living(self, seconds, state):
        found = database.skew("clock", seconds, "the database")
        assert found.state == state
        assert state == "ok" or ("ahead of" in found.text) == (seconds > 0)

    def test_no_worker_fails_and_one_that_beats_is_well(self, db):
        assert states(database.workers) == [("workers", "fail")]
        beat("worker-1")
        assert states(database.workers) == [("workers", "ok")]

    @pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (30, "ok"), (300, "warn"), (3000, "fail")])
    def test_work_that_waits_too_long_is_told(self, seconds, state, integration):
        due = timezone.now() - timedelta(seconds=seconds) if seconds else None
        factories.RecordFactory(integration=integration, next_attempt_at=due)
        assert states(database.due_work) == [("due_work", state)]


class TestTheNetwork:
    """Mail, our own address, remote systems."""

    def test_mails_that_only_go_to_the_log_are_a_warning(self, settings):
        settings.EMAIL_BACKEND = "portal.console.EmailBackend"
        assert states(network.mail) == [("email", "warn")]

    def test_a_mail_server_that_is_away_fails_and_one_that_greets_is_well(self, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
        settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = free_port(), "canary-password"
        assert states(network.mail) == [("email", "fail")]
        assert "canary" not in str(list(network.mail()))
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = server.getsockname()[1], ""
            threading.Thread(target=greet, args=(server,), daemon=True).start()
            assert states(network.mail) == [("email", "ok")]

    def test_an_address_that_only_this_machine_can_open_is_a_warning(self, settings):
        settings.SITE_URL = "http://127.0.0.1:8000"
        assert states(network.site) == [("site_url", "warn")]

    @pytest.mark.parametrize(
        ("body", "state"), [({"version": VERSION}, "ok"), ({"version": "0.0.1"}, "warn"), ({"hello": 1}, "fail")]
    )
    def test_what_answers_at_our_address_must_be_us_in_this_version(
        self, settings, httpserver, monkeypatch, body, state
    ):
        monkeypatch.setattr(network, "is_local", lambda _: False)  # a name that means us, as others have it
        httpserver.expect_request("/healthz/").respond_with_json(body)
        settings.SITE_URL = httpserver.url_for("").rstrip("/")
        first, outside = states(network.site)
        assert first == ("site_url", state)
        assert outside == ("site_url", "warn")  # a loopback address is of no use to Basware

    def test_an_address_where_nobody_answers_fails(self, settings, monkeypatch):
        monkeypatch.setattr(network, "is_local", lambda _: False)
        settings.SITE_URL = f"http://127.0.0.1:{free_port()}"
        assert states(network.site) == [("site_url", "fail")]

    def test_outbound_rules_that_are_wide_or_unencrypted_are_warnings(self, settings):
        settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["sap.corp.example", "10.1.2.0/24"], False
        assert states(network.outbound) == [("outbound", "ok")]
        settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["10.0.0.0/8"], True
        assert states(network.outbound) == [("outbound", "warn")] * 2

    def test_nothing_connected_is_well(self, db):
        assert states(network.remote_systems) == [("remote", "ok")]

    @pytest.fixture
    def remote(self, integration, settings, httpserver):
        factories.connection(integration, "sap_b1")
        Connection.objects.update(settings={"base_url": httpserver.url_for("/b1s/v2")})
        settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.0/8"], True
        return httpserver

    @pytest.mark.parametrize(("seconds", "check", "state"), [(0, "remote", "ok"), (300, "remote_clock", "fail")])
    def test_the_clock_of_a_remote_system_is_read_from_its_answer(self, remote, monkeypatch, seconds, check, state):
        remote.expect_request("/").respond_with_data("", status=404)
        now = timezone.now() + timedelta(seconds=seconds)  # the answer has the time of the machine
        monkeypatch.setattr(network.timezone, "now", lambda: now)
        assert states(network.remote_systems) == [(check, state)]

    def test_a_remote_system_that_the_rules_forbid_or_that_is_away_fails(self, remote, settings):
        Connection.objects.update(settings={"base_url": f"http://127.0.0.1:{free_port()}"})
        assert states(network.remote_systems) == [("remote", "fail")]
        settings.OUTBOUND_ALLOW = []
        (found,) = network.remote_systems()
        assert found.state is State.FAIL
        assert "OUTBOUND_ALLOW" in found.text + found.hint


def greet(server: socket.socket) -> None:
    """As much SMTP as a log-in without a password takes."""
    client, _ = server.accept()
    with client:
        client.sendall(b"220 here\r\n")
        while line := client.recv(1000):
            client.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 here\r\n")


class TestHowItRuns:
    """Deadlines, lines, exit codes."""

    def test_a_check_that_hangs_is_told_and_holds_up_no_other(self):
        def hang():
            time.sleep(5)
            yield ok("slow", "never")

        began = time.monotonic()
        checks = [Check("slow", hang), Check("quick", lambda: [ok("quick", "yes")])]
        assert [(one.check, str(one.state)) for one in examine(checks, 0.3)] == [("slow", "fail"), ("quick", "ok")]
        assert time.monotonic() - began < 4

    def test_a_check_that_breaks_is_a_finding_without_the_error_s_text(self):
        def broken():
            raise ValueError("canary-password")

        (found,) = examine([Check("broken", broken)], 5)
        assert found.state is State.FAIL
        assert "ValueError" in found.text
        assert "canary" not in str(found)

    @pytest.mark.parametrize(("worst", "code"), [(State.OK, 0), (State.WARN, 1), (State.FAIL, 2)])
    def test_the_exit_code_is_that_of_the_worst(self, monkeypatch, worst, code):
        lines = [ok("one", "well"), Finding("two", worst, "so", "do")]
        monkeypatch.setattr("portal.management.commands.doctor.CHECKS", [Check("all", lambda: lines)])
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", stdout=io.StringIO())
        assert ended.value.code == code

    def test_every_check_has_a_line_on_the_terminal_and_every_problem_a_hint(self, monkeypatch):
        lines = [ok("one", "well"), Finding("two", State.FAIL, "broken", "mend it")]
        monkeypatch.setattr("portal.management.commands.doctor.CHECKS", [Check("all", lambda: lines)])
        shown = io.StringIO()
        with pytest.raises(SystemExit):
            call_command("doctor", stdout=shown)
        assert [line.split() for line in shown.getvalue().splitlines()] == [
            ["ok", "one", "well"], ["fail", "two", "broken"], ["→", "mend", "it"],
        ]  # fmt: skip


class TestForReal:
    """The command in a process of its own, in deployments that are broken."""

    def doctor(self, **environment: str) -> tuple[int, dict[str, set[str]], str]:
        with manage("doctor", "--json", "--timeout", "20", **environment) as process:
            shown, _ = process.communicate(timeout=120)
        found: dict[str, set[str]] = {}
        for one in json.loads(shown)["findings"]:
            found.setdefault(one["check"], set()).add(one["state"])
        return process.returncode, found, shown

    def test_without_a_database_everything_else_is_still_told(self):
        code, found, shown = self.doctor(DATABASE_URL=NOWHERE)
        assert code == 2
        assert found["database"] == found["migrations"] == found["keys"] == found["workers"] == {"fail"}
        assert found["broker_rules"] == {"ok"}
        assert {check.name for check in CHECKS} <= found.keys()
        assert "canary" not in shown

    @pytest.mark.django_db(transaction=True)
    def test_wrong_keys_a_broker_a_mail_server_and_a_site_that_are_away(self):
        code, found, shown = self.doctor(
            FERNET_KEYS="another-key", REDIS_URL="redis://:canary-password@127.0.0.1:1/0", SITE_URL="http://nowhere.invalid",
            EMAIL_URL="smtp://canary-user:canary-password@127.0.0.1:1", DEBUG="true", SECRET_KEY="canary-short",
        )  # fmt: skip
        assert code == 2
        failing = {name for name, seen in found.items() if "fail" in seen}
        assert failing >= {"keys", "cache", "broker", "email", "site_url", "debug", "https", "workers"}
        assert found["secret_key"] == {"warn"}
        assert found["database"] == found["migrations"] == {"ok"}
        assert "canary" not in shown
