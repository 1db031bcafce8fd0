"""What a check is and how it is run: in a thread of its own, so that one that hangs holds up nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, Queue
from threading import Thread

from django.db import DatabaseError, connection


class State(StrEnum):
    """How a check ended; the worst of all is the command's exit code."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do when it is not well."""

    check: str
    state: State
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Check:
    """A named look at the deployment; it may yield several lines."""

    name: str
    look: Callable[[], Iterable[Finding]]


def ok(name: str, text: str) -> Finding:
    return Finding(name, State.OK, text)


def warn(name: str, text: str, hint: str) -> Finding:
    return Finding(name, State.WARN, text, hint)


def fail(name: str, text: str, hint: str) -> Finding:
    return Finding(name, State.FAIL, text, hint)


def examine(checks: Iterable[Check], seconds: float) -> Iterator[Finding]:
    """All of them at once, in their order; each has that many seconds."""
    give_up = time.monotonic() + seconds
    for check, answer in [(check, _begin(check)) for check in checks]:
        try:
            yield from answer.get(timeout=max(0.0, give_up - time.monotonic()))
        except Empty:
            yield fail(check.name, f"No answer within {seconds:g} s.", "See whether what it asks is up and reachable.")


def _begin(check: Check) -> Queue[list[Finding]]:
    answer: Queue[list[Finding]] = Queue()

    def look() -> None:
        try:
            found = list(check.look())
        except DatabaseError:
            found = [fail(check.name, "Not checked: it needs the database.", "Mend the database first.")]
        except Exception as error:  # noqa: BLE001  # a check that breaks is a finding; texts may hold passwords
            hint = "If the line before does not explain it, run it again with LOG_LEVEL=DEBUG."
            found = [fail(check.name, f"It could not be checked: {type(error).__name__}.", hint)]
        finally:
            connection.close()
        answer.put(found)

    Thread(target=copy_context().run, args=(look,), daemon=True).start()
    return answer
