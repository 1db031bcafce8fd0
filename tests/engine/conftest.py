"""Tests of the engine work between two real sandboxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncengine.connectors.basware import resources
from tests.engine.plan_world import small, synced
from tests.engine.world import quick, running_sandboxes, sandboxes, world

__all__ = ["quick", "running_sandboxes", "sandboxes", "small", "synced", "world"]


@pytest.fixture
def batches_of_four(monkeypatch):
    """Basware takes four projects at a time."""
    small = {**resources.RESOURCES, "projects": replace(resources.RESOURCES["projects"], batch=4)}
    monkeypatch.setattr("syncengine.flows.master.RESOURCES", small)
