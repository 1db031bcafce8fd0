"""A long run tells what it saw while it goes, and once more at the end."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from tests.postgres import create_database, postgres_url
from tests.soak.town import Town

__all__ = ["postgres_url"]

LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints at once, past what captures output."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.write_line(text, flush=True)

    return line


@pytest.fixture
def summarize(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints when all tests are done."""
    return request.config.stash.setdefault(LINES, []).append


@pytest.fixture
def town(postgres_url: str, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Iterator[Town]:
    seed = int(os.environ.get("SOAK_SEED", "") or random.SystemRandom().randrange(10**6))
    say(f"\nsoak: SOAK_SEED={seed}")
    town = Town(tmp_path_factory.mktemp("soak"), create_database(postgres_url, "soak"), random.Random(seed))
    try:
        town.start()
        yield town
    finally:
        town.stop()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("soak")
    for line in lines:
        terminalreporter.write_line(line)
