"""What a piece of work carries with it: the run, the clients, the clock that says stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncengine.engine import stopping
from syncengine.engine.leases import Heartbeat
from syncengine.models import Run

if TYPE_CHECKING:
    from syncengine.engine.connections import Systems
    from syncengine.flows.company import FlowContext


LOOK_SECONDS = 0.25


class Deadline:
    """A worker's task has to end before the broker's time-out; `passed` says when to stop taking on more.

    It has passed, too, as soon as the worker is asked to stop.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._end or stopping.wished()

    @property
    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())


@dataclass
class RunWork:
    """One worker's hold on a run."""

    run: Run
    deadline: Deadline
    heartbeat: Heartbeat
    somebody_waits: Callable[[], bool]
    systems: Systems = field(init=False)
    context: FlowContext = field(init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _asked_at: float = field(default=float("-inf"), init=False)
    _over: bool = field(default=False, init=False)

    def must_stop(self) -> bool:
        """Whether to stop after the page in flight: out of time, asked to, or others wait. Raises LeaseLost."""
        self.heartbeat.check()
        return self.deadline.passed or self.cancelled() or self._others_wait()

    def is_over(self) -> bool:
        """`must_stop` before each of many documents, by many threads: what it said is theirs for a moment.

        Once it has said that they must stop, all of them do.
        """
        self.heartbeat.check()
        now = time.monotonic()
        if not self._over and now - self._asked_at >= LOOK_SECONDS:
            self._asked_at = now
            self._over = self.must_stop()
        return self._over or self.deadline.passed

    def _others_wait(self) -> bool:
        """Pages and documents may come faster than it is worth asking."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        return self.somebody_waits()

    def cancelled(self) -> bool:
        return Run.objects.filter(pk=self.run.pk, cancel_requested=True).exists()
