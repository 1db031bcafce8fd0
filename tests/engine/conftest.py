"""Tests of the engine work between two real sandboxes."""

from tests.engine.world import quick, running_sandboxes, sandboxes, world

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]
