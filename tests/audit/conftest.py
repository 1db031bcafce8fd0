"""The trail is written by the real engine."""

from tests.engine.world import quick, running_sandboxes, sandboxes, world

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]
