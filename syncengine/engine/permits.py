"""Permits: no more calls of a connection at a time than CALLS_IN_FLIGHT, over all workers and machines together.

The life of a permit. A row of `CallSlot` is one permit of its connection. A process leases one, in one statement, when
a call is to be made and none of those it has is idle; it keeps it for the next call, so that a busy worker writes
nothing for each call, and gives it back when the work is over. Its keeper, one thread of each process, renews what is
leased at a third of LEASE_SECONDS, gives back what nobody used for IDLE_SECONDS, and, when a process without any permit
asks for one, gives one of ours back as soon as its call is over. A process that is killed renews nothing: its permits
are free when their lease ends.

A permit is held around the one send in the gate and nowhere else. Whoever holds one waits for nothing but the remote
system, so permits cannot dead-lock with each other or with the lock of a log-in, and no send is made within another.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from syncengine.engine import locks
from syncengine.engine.leases import lease_end, new_owner
from syncengine.models import CallSlot, NamedLock
from tenants.models import Connection, Integration

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
ASK_AGAIN_SECONDS = 0.1
"""How often a process asks for a permit that others hold, at most: it is only told by the row."""
WISH_SECONDS = 3.0

_LEASE = """
UPDATE syncengine_callslot SET owner = %s, expires_at = %s
WHERE id = (
    SELECT id FROM syncengine_callslot
    WHERE connection_id = %s AND number < %s AND (expires_at IS NULL OR expires_at <= %s)
    ORDER BY number LIMIT 1 {skip}
) AND (expires_at IS NULL OR expires_at <= %s)
RETURNING id
"""


class NoPermit(Exception):
    """All permits were in use for as long as one was willing to wait."""


class Holder:
    """The permits of one connection that one process has. May be used by many threads."""

    def __init__(self, connection_id: int) -> None:
        self._connection = connection_id
        self.owner = new_owner()
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._idle: dict[int, float] = {}
        self._busy: set[int] = set()
        self._returning: set[int] = set()
        self._owes_one = False
        self._sure_until = 0.0
        self._renew_at = 0.0
        self._ask_again_at = 0.0
        self._wish_again_at = 0.0
        rows = [CallSlot(connection_id=connection_id, number=number) for number in range(settings.CALLS_IN_FLIGHT)]
        CallSlot.objects.bulk_create(rows, ignore_conflicts=True)

    @property
    def count(self) -> int:
        with self._changed:
            return len(self._idle) + len(self._busy) + len(self._returning)

    def take(self, seconds: float) -> int:
        """A permit of our own for one call, waited for at most so long. Raises NoPermit."""
        give_up = time.monotonic() + seconds
        wished = False
        while (permit := self._take_idle()) is None and (permit := self._lease()) is None:
            left = give_up - time.monotonic()
            if left <= 0:
                raise NoPermit
            if self.count == 0:
                wished = True
                self._wish_for_one()
            with self._changed:
                if not self._idle or self._unsure:
                    self._changed.wait(min(left, ASK_AGAIN_SECONDS))
        if wished:
            _wish(self._connection).delete()
        return permit

    def give_back(self, permit: int) -> None:
        """The call is over. Nothing is written here: that must not change how the call ended."""
        with self._changed:
            if permit not in self._busy:  # lost while the call went on
                return
            self._busy.remove(permit)
            if self._owes_one:
                self._owes_one = False
                self._returning.add(permit)
            else:
                self._idle[permit] = time.monotonic()
                self._changed.notify()

    def reach(self) -> bool:
        """Whether a call could be made now: we have a permit, or have leased one just now."""
        if self.count or (permit := self._lease()) is None:
            return self.count > 0
        self.give_back(permit)
        return True

    @property
    def _unsure(self) -> bool:
        """The process stood still for a lease: others may have what it holds, until the keeper has renewed it."""
        return self.count > 0 and self._sure_until <= time.monotonic()

    def _wish_for_one(self) -> None:
        if time.monotonic() >= self._wish_again_at:
            self._wish_again_at = time.monotonic() + WISH_SECONDS / 3
            locks.taken_for("permit", str(self._connection), seconds=WISH_SECONDS)

    def _take_idle(self) -> int | None:
        with self._changed:
            if not self._idle or self._unsure:
                return None
            permit, _ = self._idle.popitem()
            self._busy.add(permit)
            return permit

    def _lease(self) -> int | None:
        """One more permit of the database; one thread asks at a time, the others profit by what it is given."""
        if self.count >= settings.CALLS_IN_FLIGHT or time.monotonic() < self._ask_again_at or self._unsure:
            return None
        if not self._asking.acquire(blocking=False):
            return None
        try:
            return self._lease_row()
        finally:
            self._asking.release()

    def _lease_row(self) -> int | None:
        asked, now = time.monotonic(), timezone.now()
        moment, end = (connection.ops.adapt_datetimefield_value(one) for one in (now, lease_end(now)))
        skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
        values = [self.owner, end, self._connection, settings.CALLS_IN_FLIGHT, moment, moment]
        with connection.cursor() as cursor:
            cursor.execute(_LEASE.format(skip=skip), values)
            row = cursor.fetchone()
        if row is None:
            self._ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
            return None
        with self._changed:
            if not self._idle and not self._busy:
                self._sure_until, self._renew_at = asked + settings.LEASE_SECONDS, asked + settings.LEASE_SECONDS / 3
            self._busy.add(row[0])
        _keeper.wake()
        return int(row[0])

    def let_go(self) -> None:
        """What is idle goes back at once."""
        self._return(self._not_needed(idle_for=0))

    def keep(self) -> None:
        """What the keeper does for us each time: give back, renew."""
        self._return(self._not_needed(idle_for=IDLE_SECONDS))
        if self.count:
            self._owes_one = _wish(self._connection).filter(expires_at__gt=timezone.now()).exists()
        if self.count and time.monotonic() >= self._renew_at:
            self._renew()

    def _not_needed(self, idle_for: float) -> set[int]:
        with self._changed:
            idle = {permit for permit, since in self._idle.items() if since <= time.monotonic() - idle_for}
            for permit in idle:
                del self._idle[permit]
            if self._returning:
                self._ask_again_at = time.monotonic() + 5 * ASK_AGAIN_SECONDS  # others first
            self._returning |= idle
            return set(self._returning)

    def _return(self, permits: set[int]) -> None:
        if permits:
            CallSlot.objects.filter(pk__in=permits, owner=self.owner).update(owner="", expires_at=None)
            with self._changed:
                self._returning -= permits

    def _renew(self) -> None:
        """One statement for all we have; those that somebody else was given meanwhile are ours no more."""
        asked, now = time.monotonic(), timezone.now()
        with self._changed:
            held = {*self._idle, *self._busy, *self._returning}
        rows = CallSlot.objects.filter(pk__in=held, owner=self.owner)
        renewed = rows.update(expires_at=lease_end(now))
        lost = held.difference(rows.values_list("pk", flat=True)) if renewed != len(held) else set()
        with self._changed:
            self._renew_at, self._sure_until = asked + settings.LEASE_SECONDS / 3, asked + settings.LEASE_SECONDS
            self._idle = {permit: since for permit, since in self._idle.items() if permit not in lost}
            self._busy -= lost
            self._returning -= lost
            self._changed.notify_all()


class _Keeper:
    """The holders of this process, and the thread that renews and gives back while any of them has a permit."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """As in a new process: a forked child has none of its parent's permits, nor its thread."""
        self._guard = threading.Lock()
        self._holders: dict[int, Holder] = {}
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def holder(self, connection_id: int) -> Holder:
        with self._guard:
            if connection_id not in self._holders:
                self._holders[connection_id] = Holder(connection_id)
            return self._holders[connection_id]

    def wake(self) -> None:
        with self._guard:
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(target=self._keep, args=[self._stop], name="permit-keeper", daemon=True)
                self._thread.start()

    def let_go(self, connection_id: int) -> None:
        with self._guard:
            holder = self._holders.get(connection_id)
        if holder is not None and holder.count:
            try:
                holder.let_go()
            except DatabaseError as error:  # they are free when their lease ends
                log.warning("permits_not_given_back", error=type(error).__name__)

    def forget(self) -> None:
        thread = self._thread
        self._stop.set()
        self.begin_anew()
        if thread is not None:
            thread.join(IDLE_SECONDS)

    def _keep(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(min(IDLE_SECONDS, settings.LEASE_SECONDS / 3) / 2):
                with self._guard:
                    held = [holder for holder in self._holders.values() if holder.count]
                    if not held:
                        self._thread = None
                        return
                for holder in held:
                    self._keep_one(holder)
        finally:
            connection.close()

    def _keep_one(self, holder: Holder) -> None:
        try:
            holder.keep()
        except Exception:  # a database hiccup: the lease itself says how long we may go on
            log.exception("permits_not_kept")


_keeper = _Keeper()


def _wish(connection_id: int) -> QuerySet[NamedLock]:
    return NamedLock.objects.filter(name=locks.lock_name("permit", str(connection_id)))


@contextmanager
def held(connection_id: int, seconds: float) -> Iterator[None]:
    """Hold a permit of the connection for one call. Raises NoPermit after that many seconds without one."""
    holder = _keeper.holder(connection_id)
    permit = holder.take(seconds)
    try:
        yield
    finally:
        holder.give_back(permit)


def within_reach(integration: Integration, system: str) -> bool:
    """Whether work that calls this system may begin here; else another's turn comes, and this is tried again later."""
    found = Connection.objects.filter(integration=integration, system=system).values_list("pk", flat=True).first()
    return found is None or _keeper.holder(found).reach()  # what is not there is told of by whoever opens it


def let_go(*connections: int) -> None:
    """The work on these connections is over for now: others need not wait until we have been idle for a while."""
    for connection_id in connections:
        _keeper.let_go(connection_id)


def forget() -> None:
    """Nothing is held any more, as far as this process knows: for tests, each of which has its own rows."""
    _keeper.forget()


os.register_at_fork(after_in_child=_keeper.begin_anew)
