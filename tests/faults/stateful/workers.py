"""Workers of the living town: one that does what is due now, and one that is really killed on its way.

Neither waits for anything: the clock is the test's, so what is due later is due when the test says so.
"""

from __future__ import annotations

import os
import signal
import traceback

from django.db import connections

from syncengine.engine import due, permits
from syncengine.engine.work import Deadline
from tests.faults.deaths import Death, arm

PATIENCE = 30
KILLED = -signal.SIGKILL


def work_off() -> None:
    """Everything that is due at this moment, as a worker does it between two looks at the clock."""
    deadline = Deadline(PATIENCE)
    while any(unit(deadline) for unit in due.UNITS):
        assert not deadline.passed, "work without an end"


def die_at(death: Death) -> bool:
    """A worker process that is killed at that point with SIGKILL; False when it never came there.

    It is a child of this process, so that it lives by the same clock; its database connections are its own.
    """
    permits.forget()  # its keeper is a thread with a connection: neither outlives a fork
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        _live(death)
    _, status = os.waitpid(pid, 0)
    end = os.waitstatus_to_exitcode(status)
    assert end in (0, KILLED), f"a worker ended with {end}"
    return end == KILLED


def _live(death: Death) -> None:
    """The child's whole life; nothing of the test's own comes after it."""
    signal.alarm(PATIENCE)
    code = 1
    try:
        arm(death)
        work_off()
        code = 0
    except BaseException:  # noqa: BLE001  # whatever it is, the parent's stack must not be unwound in the child
        traceback.print_exc()
    finally:
        os._exit(code)
