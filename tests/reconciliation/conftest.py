"""Reconciliation needs both sandboxes; what was measured is told when all tests are done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.world import World, quick, running_sandboxes, sandboxes, world
from tests.reconciliation.books import Books, make_books

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]

MEASURED = "measured"


@pytest.fixture
def books(world: World) -> Books:  # the fixture of that name
    return make_books(world)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The lines come with the reports, so that they are whole under xdist too."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    lines = [line for one in reports for name, line in one.user_properties if name == MEASURED]
    if lines:
        terminalreporter.section("reconciliation, measured")
    for line in lines:
        terminalreporter.write_line(line)
