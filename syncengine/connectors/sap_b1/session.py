"""A Service Layer session and where it is kept between calls and workers (contracts: SAP §2)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from syncengine.connectors.calls import Response

_DEFAULT_MINUTES = 30
_MARGIN_MINUTES = 2
# Also found when a proxy has folded the two header lines into one.
_COOKIE = re.compile(r"(?:^|[;,])\s*(B1SESSION|ROUTEID)=([^;,\s]+)")


@dataclass(frozen=True)
class SapSession:
    """The two cookie values and when they were last used; the idle time-out is in minutes.

    `route_id` is empty on a single node: then no ROUTEID is sent, none is invented. `bearer` is the OAuth token that
    opened it, if one did: it goes with every call, since whether the cookie alone is enough is unconfirmed.
    """

    b1session: str = field(repr=False)
    route_id: str = field(repr=False)
    timeout_minutes: int
    last_used: datetime
    bearer: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What shows a call to be of this session."""
        bearer = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        return {"Cookie": self.cookie_header, **bearer}

    @property
    def cookie_header(self) -> str:
        """What goes into the Cookie header, by hand: cookie jars lose these two."""
        route = f"; ROUTEID={self.route_id}" if self.route_id else ""
        return f"B1SESSION={self.b1session}{route}"

    def expired(self, now: datetime) -> bool:
        """Idle for `timeout - 2` minutes: SAP counts from the last use and so do we, a little earlier."""
        minutes = max(self.timeout_minutes - _MARGIN_MINUTES, self.timeout_minutes / 2)
        return now - self.last_used >= timedelta(minutes=minutes)

    def used_at(self, now: datetime) -> SapSession:
        return replace(self, last_used=now)

    def to_dict(self) -> dict[str, Any]:
        """For a store; holds the secret cookie, so encrypt it at rest."""
        return {
            "b1session": self.b1session,
            "route_id": self.route_id,
            "timeout_minutes": self.timeout_minutes,
            "last_used": self.last_used.isoformat(),
            "bearer": self.bearer,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> SapSession:
        return cls(
            b1session=stored["b1session"],
            route_id=stored["route_id"],
            timeout_minutes=stored["timeout_minutes"],
            last_used=datetime.fromisoformat(stored["last_used"]),
            bearer=stored.get("bearer", ""),
        )


class SessionStore(Protocol):
    """Where the workers of one connection share a session; `lock` lets one of them log in at a time."""

    def load(self) -> SapSession | None: ...

    def save(self, session: SapSession | None) -> None: ...

    def lock(self) -> AbstractContextManager[Any]: ...


class MemorySessionStore:
    """A store for one process. `lock` may be borrowed from another store, so that logins still go one by one."""

    def __init__(self, lock_of: SessionStore | None = None) -> None:
        self._session: SapSession | None = None
        self._own_lock = threading.RLock()
        self._lock_of = lock_of

    def load(self) -> SapSession | None:
        return self._session

    def save(self, session: SapSession | None) -> None:
        self._session = session

    def lock(self) -> AbstractContextManager[Any]:
        return self._lock_of.lock() if self._lock_of else self._own_lock


def session_of(response: Response, body: Mapping[str, Any], now: datetime) -> SapSession | None:
    """The session that a Login answer opens, from the raw Set-Cookie lines or SessionId; None when it has neither."""
    cookies: dict[str, str] = {}
    for line in response.header_lines("set-cookie"):
        cookies.update(_COOKIE.findall(line))
    b1session = cookies.get("B1SESSION") or body.get("SessionId")
    if not isinstance(b1session, str) or not b1session:
        return None
    return SapSession(
        b1session=b1session,
        route_id=cookies.get("ROUTEID", ""),
        timeout_minutes=_minutes(body.get("SessionTimeout")),
        last_used=now,
    )


def _minutes(value: Any) -> int:
    """Whole minutes, also written as text or with decimals; SAP's default when it is no such number."""
    try:
        minutes = int(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return _DEFAULT_MINUTES
    return minutes if minutes > 0 else _DEFAULT_MINUTES
