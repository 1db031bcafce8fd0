"""The month-end guard reads what reconciliation reads."""

from tests.engine.world import quick, running_sandboxes, sandboxes, world
from tests.reconciliation.conftest import books

__all__ = ["books", "quick", "running_sandboxes", "sandboxes", "world"]
