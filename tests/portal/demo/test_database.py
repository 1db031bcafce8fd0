"""--fresh clears what a demo made, and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.demo.database import DemoDatabase

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledgerbridge.sqlite3"


@pytest.fixture
def database(path: Path, tmp_path: Path) -> DemoDatabase:
    return DemoDatabase(path, tmp_path / "var")


def fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE somebodys (work TEXT)")


def test_a_database_that_the_demo_made_is_cleared_with_its_side_files(database: DemoDatabase, path: Path) -> None:
    database.claim()
    fill(path)
    Path(f"{path}-wal").touch()
    database.forget(NOW)
    assert list(path.parent.glob("*sqlite3*")) == []


def test_a_database_that_was_there_before_is_moved_aside(database: DemoDatabase, path: Path) -> None:
    fill(path)
    database.claim()
    database.forget(NOW)
    assert [file.name for file in path.parent.glob("*sqlite3*")] == ["20260504-083000-ledgerbridge.sqlite3"]


def test_the_marker_of_another_database_does_not_count(database: DemoDatabase, path: Path, tmp_path: Path) -> None:
    DemoDatabase(tmp_path / "other.sqlite3", tmp_path / "var").claim()
    fill(path)
    database.forget(NOW)
    assert not path.exists()
    assert (tmp_path / "20260504-083000-ledgerbridge.sqlite3").exists()


def test_the_demo_goes_on_in_its_own_database(database: DemoDatabase, path: Path) -> None:
    database.claim()
    fill(path)
    database.claim()
    database.forget(NOW)
    assert not path.exists()


def test_nothing_to_forget_is_no_trouble(database: DemoDatabase, path: Path) -> None:
    database.forget(NOW)
    assert not path.exists()
