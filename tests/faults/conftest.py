"""Tests that break things: real processes, real sockets, delays shortened; the matrix prints its table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import factories
from tests.engine.world import connect, no_sweep, quick, running_sandboxes, sandboxes
from tests.faults.databases import Database, database
from tests.faults.nursery import Nursery
from tests.faults.world import FaultWorld
from tests.summaries import CELL, NOTE

__all__ = ["CELL", "NOTE", "database", "quick", "running_sandboxes", "sandboxes"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long part of the matrix is left out unless marks are chosen (`-m soak`): six minutes for all the rest."""
    if config.option.markexpr:
        return
    long_ones = [item for item in items if "faults" in item.path.parts and item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=long_ones)
    items[:] = [item for item in items if item not in long_ones]


@pytest.fixture
def town(database: Database, transactional_db: None, quick: Any, sandboxes: Any) -> FaultWorld:
    """A connected integration; SAP and Basware are given up on after 0.4 s, posts repeated after 1.5 s."""
    quick.READ_TIMEOUT = quick.POST_TIMEOUT = 0.4
    quick.LOOKUP_DELAYS = [0.1, 0.3]
    quick.REPOST_AFTER = 1.5
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    integration = factories.IntegrationFactory(organization=organization, name="Finland")
    connect(integration, sandboxes)
    no_sweep()
    return FaultWorld(integration, sandboxes)


@pytest.fixture(scope="module")
def nursery(database: Database) -> Iterator[Nursery]:
    """Its children work on the module's database."""
    with Nursery() as ready:
        yield ready
