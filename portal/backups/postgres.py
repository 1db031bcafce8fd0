"""PostgreSQL: pg_dump in its custom format of one exported snapshot, and pg_restore in one transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from portal.backups.manifest import BackupFailed
from tenants import row_security

FILE = "database.dump"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
# How libpq calls what a DATABASE_URL may say beside host, port, user, password and name.
_OPTIONS = {name: f"PG{name.upper()}" for name in ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout")}


def dump(folder: Path) -> dict[str, int]:
    """Everything but owners and rights, which belong to the server; how many rows each table has."""
    with psycopg.connect(**_arguments()) as own:
        own.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        own.read_only = True
        snapshot = _value(own, "SELECT pg_export_snapshot()")
        # The policies let the owner of the tables see all rows; asking to pass them by is for superusers alone.
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--enable-row-security",
             f"--snapshot={snapshot}", f"--file={folder / FILE}")  # fmt: skip
        return _rows(own)


def load(folder: Path) -> dict[str, int]:
    """All of it or nothing, into an empty database; how many rows each table has."""
    with psycopg.connect(**_arguments()) as own:
        if own.execute(_TABLES).fetchall():
            raise BackupFailed(f"The database {own.info.dbname} is not empty: restore into a new one only.")
    _run("pg_restore", "--no-owner", "--no-privileges", "--enable-row-security", "--exit-on-error",
         "--single-transaction", f"--dbname={settings.DATABASES['default']['NAME']}", str(folder / FILE))  # fmt: skip
    row_security.create_role(connection)
    with psycopg.connect(**_arguments()) as own:
        return _rows(own)


def _rows(own: psycopg.Connection[Any]) -> dict[str, int]:
    count = sql.SQL("SELECT count(*) FROM {}")
    tables = [name for (name,) in own.execute(_TABLES)]
    return {name: _value(own, count.format(sql.Identifier(name))) for name in tables}


def _value(own: psycopg.Connection[Any], question: Any) -> Any:
    row = own.execute(question).fetchone()
    assert row is not None  # each of these questions has one row for an answer
    return row[0]


def _arguments() -> dict[str, Any]:
    known = settings.DATABASES["default"]
    given = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    options = {name: value for name, value in known.get("OPTIONS", {}).items() if name in _OPTIONS}
    return {"dbname": known["NAME"], **{name: value for name, value in given.items() if value}, **options}


def _run(program: str, *arguments: str) -> None:
    """The password goes by the environment: arguments are seen by everybody on the machine."""
    known = settings.DATABASES["default"]
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {libpq: str(known[ours]) for libpq, ours in names.items() if known[ours]}
    environment |= {_OPTIONS[name]: str(value) for name, value in known.get("OPTIONS", {}).items() if name in _OPTIONS}
    place = shutil.which(program)
    if place is None:
        raise BackupFailed(f"{program} is not installed: add PostgreSQL's client (Debian: postgresql-client).")
    done = subprocess.run(  # noqa: S603  # our own command line
        [place, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupFailed(f"{program} failed: {done.stderr.strip()[-1000:]}")
