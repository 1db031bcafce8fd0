"""The gate in front of every call: shut while the integration is paused or the system is left alone.

It knows at no cost of a query per call: what the database says is looked at once a second, an answer is written down
only where failures were counted before. Half-open, when a system's time has come, one call goes first and the rest
follows when it was answered.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.db import DatabaseError
from django.utils import timezone

from syncengine.connectors.http import Judge, Request, Response, Transport
from syncengine.connectors.outcomes import ConnectorError, Rejected, Throttled, Unauthenticated, Unavailable
from syncengine.engine import circuit, permits
from syncengine.engine.circuit import FAILURES_THAT_OPEN, HeldBack
from tenants.models import Connection, System

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
"""How long a permit is waited for: a worker has other work, and those of a dead one are free at the end of a lease."""
PAUSED = "integration_paused"


class Caller(StrEnum):
    """Who calls: work that waits its turn, a person who waits for the answer, or a ping, which may always try."""

    WORK = "work"
    PERSON = "person"
    PING = "ping"


@dataclass(frozen=True)
class _State:
    """What the database says of a connection."""

    retry_after: datetime | None = None
    failures: int = 0
    paused_reason: str | None = None


class Gate:
    """A `Transport` that lets calls of one connection through, or raises HeldBack before anything is sent.

    `logins` are the addresses at which credentials are shown: refused ones are not shown again by anyone but a ping.
    May be used by many threads.
    """

    def __init__(self, inner: Transport, connection: Connection, logins: frozenset[str], caller: Caller) -> None:
        self._inner = inner
        self._pk = connection.pk
        self._version = connection.updated_at
        self._name = System(connection.system).label
        self._system = connection.system
        self._logins = logins
        self._caller = caller
        self._guard = threading.Lock()
        self._trial = threading.Lock()
        self._state = _State()
        self._looked_at = -LOOK_AGAIN_SECONDS
        self._own_wait: datetime | None = None

    def send(self, request: Request, judge: Judge) -> Response:
        """See `Transport.send`; raises HeldBack when nothing may be sent now."""
        if self._caller is Caller.PING:
            return self._pass(request, judge)
        state = self._look()
        self._check(state)
        if self._caller is Caller.PERSON or state.failures < FAILURES_THAT_OPEN or state.retry_after is None:
            return self._pass(request, judge)
        with self._trial:
            state = self._look(afresh=True)
            self._check(state)
            if state.failures >= FAILURES_THAT_OPEN and not circuit.begin_trial(self._pk, state.retry_after):
                raise self._held(self._look(afresh=True).retry_after)
            return self._pass(request, judge)

    def _pass(self, request: Request, judge: Judge) -> Response:
        is_login = request.url in self._logins
        if is_login and self._caller is not Caller.PING:
            self._check_refused()
        try:
            with permits.held(self._pk, PATIENCE_SECONDS):
                response = self._inner.send(request, judge)
        except permits.NoPermit:
            raise self._busy() from None
        except Unauthenticated as error:
            if error.login_refused:
                self._refused(error)
            raise
        except Throttled as error:
            self._own_wait = timezone.now() + timedelta(seconds=error.after or 0)
            raise
        except Rejected:
            self._answered()
            raise
        except ConnectorError:
            self._looked_at = -LOOK_AGAIN_SECONDS  # somebody counts it now: look before the next
            raise
        if not is_login:  # a system that lets us in and then fails is still failing
            self._answered()
        return response

    def _busy(self) -> HeldBack:
        return HeldBack(
            f"All calls to {self._name} that may be made at once are being made.",
            code="connection_busy",
            hint="Try again in a moment; work that waits is tried again by itself.",
            after=PATIENCE_SECONDS,
        )

    def _look(self, *, afresh: bool = False) -> _State:
        with self._guard:
            if afresh or time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
                self._state = self._read()
                self._looked_at = time.monotonic()
            return self._state

    def _read(self) -> _State:
        row = (
            Connection.objects.filter(pk=self._pk)
            .values_list("retry_after", "failures_in_a_row", "integration__paused_since", "integration__paused_reason")
            .first()
        )
        if row is None:
            return _State(paused_reason="The connection was removed.")
        retry_after, failures, paused_since, reason = row
        return _State(retry_after, failures, reason if paused_since else None)

    def _check(self, state: _State) -> None:
        if state.paused_reason is not None:
            raise HeldBack(
                f"Paused: {state.paused_reason}", code=PAUSED, hint="Mend the connection and ping.", after=None
            )
        now = timezone.now()
        if self._own_wait is not None and self._own_wait > now:
            raise self._held(self._own_wait)
        if self._caller is Caller.WORK and state.retry_after is not None and state.retry_after > now:
            raise self._held(state.retry_after)

    def _held(self, until: datetime | None) -> HeldBack:
        until = until or timezone.now()
        seconds = max(0.0, (until - timezone.now()).total_seconds())
        return HeldBack(
            f"{self._name} is left alone until {until:%H:%M:%S} UTC.",
            code="left_alone",
            hint="It did not answer, or asked for patience. It is tried again by itself.",
            after=seconds,
        )

    def _answered(self) -> None:
        if self._caller is Caller.PING or (not self._state.failures and self._looked_at > 0):
            return
        try:
            circuit.note_answer(self._pk)
            with self._guard:
                self._state = _State(paused_reason=self._state.paused_reason)
        except DatabaseError as error:  # the call has happened: this must not change how it ended
            log.warning("answer_not_noted", error=type(error).__name__)

    def _check_refused(self) -> None:
        refusal = Connection.objects.filter(pk=self._pk).values_list("login_refused", flat=True).first()
        if refusal:
            fault = Unauthenticated(
                refusal["message"], code=refusal["code"], hint=refusal["hint"], status=None, login_refused=True
            )
            fault.system = self._system
            raise fault

    def _refused(self, error: Unauthenticated) -> None:
        """Remember it for the credentials that were shown; those entered meanwhile deserve their own try."""
        refusal = {"message": error.message, "hint": error.hint, "code": error.code}
        rows = Connection.objects.filter(pk=self._pk, updated_at=self._version)
        if not rows.update(login_refused=refusal):
            raise Unavailable(
                "The credentials were changed while the old ones were tried.",
                code="credentials_changed",
                hint="It is tried again by itself with the new ones.",
            ) from None
