"""Login, cookies and the idle timeout (contracts: SAP §2)."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.sap_b1.errors import LOGIN_REFUSED, ServiceLayerError, session_lost

VERSION = "1000280"


@dataclass
class Session:
    key: str
    node: str
    used: float


class Sessions:
    """Sessions live in memory only: a restart of the server drops them all, as in the real one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._logging_in = 0
        self._made = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def log_in(
        self, body: Any, credentials: dict[str, str], settings: dict[str, Any], *, by_token: bool = False
    ) -> Session:
        """Raises -304 or -306 for refused credentials and 299 when another login is under way and may not be."""
        with self._lock:
            self._logging_in += 1
            clash = self._logging_in > 1 and settings["overlapping_logins_clash"]
        try:
            time.sleep(settings["login_seconds"])
            if clash:
                raise ServiceLayerError(299, "SAML Login Failed", 500)
            return self._check(body, credentials, settings, by_token=by_token)
        finally:
            with self._lock:
                self._logging_in -= 1

    def _check(self, body: Any, credentials: dict[str, str], settings: dict[str, Any], *, by_token: bool) -> Session:
        given = body if isinstance(body, dict) else {}
        person = (given.get("UserName"), given.get("Password"))
        if not by_token and person != (credentials["username"], credentials["password"]):
            raise ServiceLayerError(-304, LOGIN_REFUSED, 401)
        if given.get("CompanyDB") != credentials["company_db"]:
            raise ServiceLayerError(-306, LOGIN_REFUSED, 401)
        with self._lock:
            self._made += 1
            node = f"node{(self._made - 1) % settings['nodes'] + 1}"
            session = Session(str(uuid.uuid4()), node, self._clock())
            self._sessions[session.key] = session
        return session

    def require(self, cookie: str, timeout_minutes: float) -> Session:
        """The session of the call, its idle time started anew. Raises 301 for none, an unknown or an idle one."""
        session = self._sessions.get(_cookie(cookie, "B1SESSION"))
        if session is None:
            raise session_lost()
        if self._clock() - session.used > timeout_minutes * 60:
            self.end(cookie)
            raise session_lost()
        session.used = self._clock()
        return session

    def end(self, cookie: str) -> None:
        with self._lock:
            self._sessions.pop(_cookie(cookie, "B1SESSION"), None)

    def end_all(self) -> None:
        with self._lock:
            self._sessions.clear()


def set_cookies(session: Session, settings: dict[str, Any]) -> list[tuple[str, str]]:
    """As a real server writes them: with a double semicolon, and Secure even over plain http."""
    secure = ";Secure;SameSite=None" if settings["secure_cookies"] else ""
    headers = [("Set-Cookie", f"B1SESSION={session.key};HttpOnly;{secure}")]
    if settings["route_id"]:
        headers.append(("Set-Cookie", f"ROUTEID=.{session.node}; path=/{secure}"))
    return headers


def _cookie(header: str, name: str) -> str:
    found = re.search(rf"(?:^|;\s*){name}=([^;]*)", header)
    return found.group(1).strip() if found else ""
