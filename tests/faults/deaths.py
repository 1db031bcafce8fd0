"""Where a worker process can be made to die, or to stand still: a signal from within, before or after a named deed."""

from __future__ import annotations

import importlib
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any


@dataclass(frozen=True)
class Death:
    """`deed` is `module:name` or `module:Class.name`; `word`, a regular expression, is found in its arguments."""

    deed: str
    moment: str
    word: str = ""
    by: int = signal.SIGKILL


ANNOUNCED = "syncengine.engine.desk:DbDesk.announce"
WRITTEN_DOWN = "syncengine.engine.desk:DbIntent.done"
ON_THE_WIRE = "syncengine.connectors.wire:Wire.exchange"
STEP = "syncengine.engine.documents:apply_step"
IMPORT_ANNOUNCED = "syncengine.engine.sending:Sender._announce"


def arm(death: Death) -> None:
    """From now on this process ends at that point, and nothing of it is cleaned up."""
    module, _, path = death.deed.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    setattr(owner, name, _deadly(getattr(owner, name), death))


def _deadly(deed: Callable[..., Any], death: Death) -> Callable[..., Any]:
    @wraps(deed)
    def done(*arguments: Any, **named: Any) -> Any:
        hit = re.search(death.word, " ".join(_words(one) for one in arguments)) is not None
        if hit and death.moment == "before":
            _strike(death.by)
        result = deed(*arguments, **named)
        if hit and death.moment == "after":
            _strike(death.by)
        return result

    return done


def _strike(by: int) -> None:
    """At this very thread: sent to the process, another thread may take it while this one goes on for a moment."""
    signal.pthread_kill(threading.get_ident(), by)


def _words(argument: Any) -> str:
    """What can be told of an argument: an intent's kind, a request's line, a step's kind and stage, a text."""
    if attempt := getattr(argument, "_attempt", None):
        return str(attempt.kind)
    if url := getattr(argument, "url", None):
        return f"{argument.method} {url}"
    if hasattr(argument, "cleared_flags"):
        return f"{type(argument).__name__} {argument.stage or ''}"
    return argument if isinstance(argument, str) else ""
