"""How the processes of a worker learn that it is to stop: they then finish the page or record in hand and give back.

django-q's own processes cannot be signalled one by one (see `supervisor`), so all of them have the reading end of a
pipe, and a byte in it is the wish. Nobody reads it out, so that it holds for each of them.
"""

from __future__ import annotations

import os
import select

VARIABLE = "LEDGERBRIDGE_STOP_FD"


class StopWish:
    """The supervisor's side."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def environment(self) -> dict[str, str]:
        """What a child is started with; it must be handed the descriptor `reading` too."""
        return {**os.environ, VARIABLE: str(self.reading)}

    def express(self) -> None:
        """May be called from a signal handler."""
        os.write(self._writing, b".")

    def close(self) -> None:
        os.close(self.reading)
        os.close(self._writing)


def wished() -> bool:
    """Whether the worker that this process belongs to is to stop; always False outside of one."""
    descriptor = os.environ.get(VARIABLE)
    if descriptor is None:
        return False
    poll = select.poll()
    poll.register(int(descriptor), select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(0))  # a supervisor that is gone is no wish
