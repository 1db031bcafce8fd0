"""The databases that faults are tried on, and how each of them goes away while a worker needs it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from django.db import connection

from tests.postgres import Server, create_database, moved_to, running_server, skip_without_binaries


class Database(Protocol):
    """`name` and `fault` are words of the table; `fault` says what `away` does."""

    name: str
    fault: str

    def away(self) -> AbstractContextManager[None]:
        """When the block begins no statement of another process succeeds; when it has ended all is well again."""


class Sqlite:
    """A file has no server to restart: nearest to it is a file that nobody else may write to for a while."""

    name = "SQLite"
    fault = "database locked"

    @contextmanager
    def away(self) -> Iterator[None]:
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield


@dataclass
class Postgresql:
    """`server` is None where the whole test session is on a server that is not ours to restart."""

    server: Server | None
    name = "PostgreSQL"
    fault = "database restarted"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Every connection to it ends at once; when the block begins the server is back."""
        if self.server is None:
            pytest.skip("this server is not ours; test_matrix_postgresql.py restarts one of its own")
        self.server.stop()
        connection.close()
        self.server.start()
        yield


@pytest.fixture(scope="module")
def database(django_db_setup: None) -> Database:
    """That of the test session; a module that imports `own_postgresql` has another."""
    return Sqlite() if connection.vendor == "sqlite" else Postgresql(None)


@pytest.fixture(scope="module", name="database")
def own_postgresql(django_db_setup: None, django_db_blocker: Any) -> Iterator[Database]:
    """A server for this module alone, which all of its tests and their children work on."""
    skip_without_binaries()
    with running_server() as server, django_db_blocker.unblock(), moved_to(create_database(server.url, "faults")):
        yield Postgresql(server)
