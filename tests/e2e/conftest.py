"""One world per database for the whole session (xdist keeps a file of tests on one of its workers)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.world import World
from tests.postgres import create_database, postgres_url

__all__ = ["postgres_url"]


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('e2e') / 'e2e.sqlite3'}"
    return create_database(request.getfixturevalue("postgres_url"), "e2e")


@pytest.fixture(scope="session")
def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything runs and is connected; nothing has been sent yet."""
    world = World(tmp_path_factory.mktemp("world"), database_url)
    try:
        world.start()
        yield world
    finally:
        world.stop()
