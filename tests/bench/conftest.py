"""Both databases, each for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.house import Database, Postgres, Sqlite
from tests.postgres import running_server, skip_without_binaries


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path_factory.mktemp("bench"))
        return
    skip_without_binaries()
    with running_server() as server:
        yield Postgres(server)
