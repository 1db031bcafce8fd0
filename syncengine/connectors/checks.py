"""One line of the ping page: what was tried of a remote system, how it went, and what to do if it did not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from syncengine.connectors.outcomes import ConnectorError, Throttled, Unauthenticated

_PATIENCE = "Wait a minute and ping again; if it stays, too many requests are made with these credentials."


@dataclass(frozen=True)
class Check:
    """A check as interface.md shows it; `detail` and `hint` are sentences for people.

    `warning`: it is well, and yet a person should look. `code` is the machine's word for what is wrong. `fact` is what
    is compared from one ping to the next (a version, a certificate). `request` is a text to send to the administrator
    of the remote system. `login_refused`: the credentials are at fault, so nothing may be tried again by itself.
    """

    name: str
    ok: bool
    latency_ms: int
    detail: str
    hint: str = ""
    warning: bool = False
    code: str = ""
    fact: str = ""
    request: str = ""
    login_refused: bool = False

    @property
    def wants_a_look(self) -> bool:
        return self.warning or not self.ok


@dataclass(frozen=True)
class Finding:
    """What a check found that is more than a sentence; the fields are those of Check."""

    detail: str
    hint: str = ""
    warning: bool = False
    code: str = ""
    fact: str = ""


def run_check(name: str, attempt: Callable[[], str | Finding]) -> Check:
    """Try something; its answer is the detail, a ConnectorError the failure with its own sentence and hint."""
    started = time.monotonic()
    try:
        found = attempt()
    except ConnectorError as fault:
        refused = isinstance(fault, Unauthenticated) and fault.login_refused
        hint = fault.hint or (_PATIENCE if isinstance(fault, Throttled) else "")
        return Check(name, False, _since(started), fault.message, hint, code=fault.code, login_refused=refused)
    if isinstance(found, str):
        found = Finding(found)
    return Check(
        name, True, _since(started), found.detail, found.hint, warning=found.warning, code=found.code, fact=found.fact
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
