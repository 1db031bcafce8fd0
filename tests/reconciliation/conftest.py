"""Reconciliation needs both sandboxes."""

from __future__ import annotations

import pytest

from tests.engine.world import World, quick, running_sandboxes, sandboxes, world
from tests.reconciliation.books import Books, make_books

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]


@pytest.fixture
def books(world: World) -> Books:  # the fixture of that name
    return make_books(world)
