"""One line of the ping page: what was tried of a remote system, how it went, and what to do if it did not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from syncengine.connectors.outcomes import ConnectorError


@dataclass(frozen=True)
class Check:
    """A check as interface.md shows it; `detail` and `hint` are sentences for people."""

    name: str
    ok: bool
    latency_ms: int
    detail: str
    hint: str = ""


def run_check(name: str, attempt: Callable[[], str], *, hint: str = "") -> Check:
    """Try something; its answer is the detail, a ConnectorError the failure with its own sentence and hint.

    `hint` is what a person should know although the check is well.
    """
    started = time.monotonic()
    try:
        detail, ok = attempt(), True
    except ConnectorError as fault:
        detail, ok, hint = fault.message, False, fault.hint
    return Check(name, ok, round((time.monotonic() - started) * 1000), detail, hint)
