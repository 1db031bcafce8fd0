"""The flows' way through the engine needs both sandboxes."""

from tests.engine.world import quick, running_sandboxes, sandboxes, world

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]
