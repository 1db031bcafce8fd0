"""Checks of the database and of what it says about the workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from portal.doctor.checks import Check, Finding, fail, ok, warn
from syncengine.audit.checks import KEYS
from syncengine.engine.health import broker_answers, oldest_due_age, workers_alive
from tenants.row_security import ROLE

SKEW_NOTED, SKEW_TOO_MUCH = 2.0, 10.0
# So many times the worker's own patience: by then it has started its cluster anew more than once.
LATE = 10
OURS = ("tenants", "syncengine")


def answers() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        yield fail("database", f"The database does not answer: {type(error).__name__}.",
                   "See whether it is up and DATABASE_URL names its host, name, user and password.")  # fmt: skip
        return
    version = ".".join(str(part) for part in connection.get_database_version())
    yield ok("database", f"{connection.display_name} {version} answers.")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    ahead = sorted(key for key in set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
                   if key[0] in OURS)  # fmt: skip
    if missing:
        yield fail("migrations", f"{len(missing)} migrations are not applied, e.g. {missing[0][0]}.",
                   "Run manage.py migrate.")  # fmt: skip
    elif ahead:
        yield fail("migrations", f"The database is ahead of this version: it has {'.'.join(ahead[0])}.",
                   "Run the version that migrated it, or restore the backup that was made before.")  # fmt: skip
    else:
        yield ok("migrations", "All migrations are applied.")


def keys() -> Iterator[Finding]:
    connection.ensure_connection()  # without a database the system check has nothing to say
    wrong = run_checks(tags=[KEYS])
    yield from (fail("keys", str(one.msg), str(one.hint)) for one in wrong)
    if not wrong:
        yield ok("keys", "FERNET_KEYS fits the database.")


def engine() -> Iterator[Finding]:
    """SQLite without its write-ahead log locks readers out; PostgreSQL without the role has one line less."""
    if connection.vendor == "sqlite":
        mode = _ask("PRAGMA journal_mode")
        if mode == "wal":
            yield ok("wal", "SQLite writes ahead (WAL).")
        else:
            yield fail("wal", f"SQLite's journal mode is {mode}: the web waits for every write.",
                       "Keep the database on a local disk: network drives cannot do it.")  # fmt: skip
    elif _ask("SELECT count(*) FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, 'MEMBER')", ROLE):
        yield ok("row_security", f"PostgreSQL holds organizations apart (role {ROLE}).")
    else:
        yield warn("row_security", f"The role {ROLE} is missing: organizations are held apart by queries alone.",
                   f"As superuser: CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO the user of DATABASE_URL.")  # fmt: skip


def _ask(question: str, *values: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchone()[0]


def clock() -> Iterator[Finding]:
    """Leases are compared with the clock of whoever looks: clocks that differ take work from the living."""
    if connection.vendor != "postgresql":
        yield ok("clock", "The database is a file: it has the clock of this machine.")
        return
    theirs = _ask("SELECT clock_timestamp()")
    assert isinstance(theirs, datetime)  # what PostgreSQL gives for it
    yield skew("clock", (timezone.now() - theirs).total_seconds(), "the database")


def skew(name: str, seconds: float, whose: str) -> Finding:
    """How far our clock is from another's."""
    text = f"The clock here is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} that of {whose}."
    hint = "Let both machines take their time from NTP (timedatectl status)."
    if abs(seconds) > SKEW_TOO_MUCH:
        return fail(name, text, hint)
    if abs(seconds) > SKEW_NOTED:
        return warn(name, text, hint)
    return ok(name, f"The clock agrees with that of {whose}.")


def broker() -> Iterator[Finding]:
    if broker_answers():
        yield ok("broker", "The broker answers.")
    else:
        yield fail("broker", "The broker does not answer.", "See whether Redis is up and REDIS_URL names it.")


def workers() -> Iterator[Finding]:
    alive = workers_alive(timezone.now())
    if alive:
        yield ok("workers", f"{alive} workers have shown themselves within half a minute.")
    else:
        yield fail("workers", "No worker has shown itself within half a minute.",
                   "Start manage.py worker; if it runs, look into its log.")  # fmt: skip


def due_work() -> Iterator[Finding]:
    age = oldest_due_age(timezone.now()) or 0
    text = f"The oldest due work has waited for {age:.0f} s."
    if age <= settings.WATCHDOG_SECONDS:
        yield ok("due_work", text if age else "Nothing is overdue.")
    elif age <= settings.WATCHDOG_SECONDS * LATE:
        yield warn("due_work", text, "Look again in some minutes; if it grows, more workers are needed.")
    else:
        yield fail("due_work", text, "See whether the workers run and what their log says.")


CHECKS = (
    Check("database", answers),
    Check("migrations", migrations),
    Check("keys", keys),
    Check("engine", engine),
    Check("clock", clock),
    Check("broker", broker),
    Check("workers", workers),
    Check("due_work", due_work),
)
