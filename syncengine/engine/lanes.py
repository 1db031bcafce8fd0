"""Several pieces of work at once, those of one lane strictly one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TypeVar

from django.db import connection

Piece = TypeVar("Piece")


def work_through(
    lanes: Iterable[Sequence[Piece]], threads: int, do: Callable[[Piece], None], stopped: Callable[[], bool]
) -> None:
    """Do every piece, `threads` at once, until all are done or it is `stopped`; raises what `do` raised first.

    A thread keeps its connection to the database for all of its lanes: opening one costs more than many a lane.
    """
    waiting: SimpleQueue[Sequence[Piece]] = SimpleQueue()
    for lane in lanes:
        waiting.put(lane)

    def work() -> None:
        try:
            while True:
                for piece in waiting.get_nowait():
                    if stopped():
                        return
                    do(piece)
        except Empty:
            return
        finally:
            connection.close()

    number = max(1, min(threads, waiting.qsize()))
    with ThreadPoolExecutor(number, thread_name_prefix="advance") as pool:
        futures = [pool.submit(copy_context().run, work) for _ in range(number)]
        for future in futures:
            future.result()
