"""Keeping one session for all workers of a connection: log in once, notice idleness, leave a broken node."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from syncengine.connectors.sap_b1.session import SapSession, SessionStore

_STRIKES = 2  # 5xx answers in a row until a session is taken to sit on a broken node (contracts: SAP §2)
_SAVE_EVERY = timedelta(minutes=1)  # the last use is stored this often: a call must not cost a write


class SessionKeeper:
    """`log_in` opens a session at SAP; everything else here decides when it must and when it need not."""

    def __init__(self, store: SessionStore, log_in: Callable[[], SapSession], clock: Callable[[], datetime]) -> None:
        self.store = store
        self._log_in = log_in
        self._clock = clock
        self._mine: SapSession | None = None
        self._saved_at: datetime | None = None
        self._strikes = 0
        self._guard = threading.Lock()

    def current(self) -> SapSession:
        """A session believed to be alive: ours, else the store's, else a new one."""
        mine = self._mine
        if mine and not mine.expired(self._clock()):
            return mine
        return self._obtain(refused="")

    def renew(self, used: SapSession) -> SapSession:
        """Another session than `used`: what a colleague has opened meanwhile, else a new one (contracts: SAP §3.2)."""
        return self._obtain(refused=used.b1session)

    def fresh(self) -> SapSession:
        """Log in whatever there is."""
        with self.store.lock():
            return self._open()

    def drop(self, used: SapSession) -> None:
        """Forget a session, so that the next call opens another, on another node."""
        with self.store.lock():
            stored = self.store.load()
            if stored and stored.b1session == used.b1session:
                self.store.save(None)
        self._mine = None

    def answered(self, used: SapSession) -> None:
        """SAP has answered on this session: it lives, and its idle time starts anew."""
        now = self._clock()
        with self._guard:
            self._strikes = 0
            if self._mine and self._mine.b1session == used.b1session:
                self._mine = used.used_at(now)
            due = self._saved_at is None or now - self._saved_at >= _SAVE_EVERY
            if due:
                self._saved_at = now
        if due:
            self._save_use(used.used_at(now))

    def broken_node(self) -> bool:
        """Note a 5xx; whether there were enough of them in a row to blame the session's node."""
        with self._guard:
            self._strikes += 1
            return self._strikes >= _STRIKES

    def _obtain(self, refused: str) -> SapSession:
        """Without the lock where there is a good session already: most clients find one."""
        found = self._stored(refused)
        if found is None:
            with self.store.lock():
                found = self._stored(refused) or self._open()
        return found

    def _stored(self, refused: str) -> SapSession | None:
        stored = self.store.load()
        if stored is None or stored.b1session == refused or stored.expired(self._clock()):
            return None
        self._mine, self._saved_at = stored, stored.last_used
        return stored

    def _open(self) -> SapSession:
        self.store.save(None)
        session = self._log_in()
        self.store.save(session)
        self._mine, self._saved_at, self._strikes = session, session.last_used, 0
        return session

    def _save_use(self, used: SapSession) -> None:
        """Only over the same session: a colleague may have opened a newer one."""
        with self.store.lock():
            stored = self.store.load()
            if stored and stored.b1session == used.b1session:
                self.store.save(used)
