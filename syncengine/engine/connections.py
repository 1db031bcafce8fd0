"""Clients of both systems for one integration: settings and secrets from the database, one shared log-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from syncengine.connectors.basware import Basware, BaswareSettings, Token
from syncengine.connectors.client_credentials import Grant
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport, Limits, Transport
from syncengine.connectors.outcomes import Unavailable
from syncengine.connectors.rest_erp import RestErp, RestErpSettings
from syncengine.connectors.sap_b1 import SapB1, SapSession, SapSettings
from syncengine.engine import locks, permits
from syncengine.engine.gate import Caller, Gate
from syncengine.engine.observing import CallLog
from syncengine.engine.sandboxes import endpoints_of
from tenants.models import Connection, Integration, System
from tenants.row_security import bound_to

LOGIN_WAIT_SECONDS = 120


class NotConfigured(Exception):
    """A connection has not been entered yet."""

    def __init__(self, system: str) -> None:
        super().__init__(f"The connection to {System(system).label} is not set up yet.")
        self.system = system


class _Store:
    """The shared session or token of a connection: encrypted in its row, one log-in at a time over all workers."""

    def __init__(self, connection: Connection, kind: Any) -> None:
        self._pk = connection.pk
        self._kind = kind

    def load(self) -> Any:
        stored = Connection.objects.values_list("session", flat=True).get(pk=self._pk)
        return None if stored is None else self._kind.from_dict(stored)

    def save(self, session: Any) -> None:
        Connection.objects.filter(pk=self._pk).update(session=None if session is None else session.to_dict())

    @contextmanager
    def lock(self) -> Iterator[None]:
        try:
            with locks.held("login", str(self._pk), seconds=settings.LEASE_SECONDS, wait=LOGIN_WAIT_SECONDS):
                yield
        except locks.LockBusy:
            hint = "It is tried again by itself."
            raise Unavailable(
                "Another worker has been logging in for too long.", code="login_busy", hint=hint
            ) from None


@dataclass(frozen=True)
class Systems:
    """Both clients, and the log of what they call."""

    sap: ErpClient
    basware: Basware
    calls: CallLog


def outbound_policy(integration_id: int | None = None) -> OutboundPolicy:
    """What may be called: by an integration in the sandbox also the servers that were started for it, and no others."""
    return OutboundPolicy(
        allow=tuple(settings.OUTBOUND_ALLOW),
        allow_http=settings.OUTBOUND_ALLOW_HTTP,
        endpoints=frozenset() if integration_id is None else endpoints_of(integration_id),
    )


def limits() -> Limits:
    return Limits(
        connect_timeout=settings.CONNECT_TIMEOUT,
        read_timeout=settings.READ_TIMEOUT,
        body_timeout=settings.BODY_TIMEOUT,
    )


def connection_of(integration: Integration, system: str) -> Connection:
    """The connection with its secrets. Raises NotConfigured."""
    found = Connection.objects.filter(integration=integration, system=system).first()
    if found is None or not found.secrets:
        raise NotConfigured(system)
    return found


def _transport(connection: Connection, calls: CallLog, logins: set[str], caller: Caller) -> Transport:
    inner = HttpTransport(
        connection.system,
        policy=outbound_policy(connection.integration_id),
        limits=limits(),
        ca_certificate=connection.settings.get("ca_certificate", ""),
        observer=calls.observe,
        secrets=tuple(value for value in connection.secrets.values() if value),
        clock=timezone.now,
    )
    return Gate(inner, connection, frozenset(logins), caller)


def erp_client(connection: Connection, calls: CallLog, caller: Caller = Caller.WORK) -> SapB1 | RestErp:
    """The client of the ERP that the connection leads to; SAP unless it says otherwise."""
    return (rest_client if is_rest(connection) else sap_client)(connection, calls, caller)


def is_rest(connection: Connection) -> bool:
    """Whether the ERP is one with a REST API in SAP's place."""
    return bool(connection.settings.get("erp") == "rest")


def rest_client(connection: Connection, calls: CallLog, caller: Caller = Caller.WORK) -> RestErp:
    stored = connection.settings
    chosen = RestErpSettings(
        stored["base_url"], stored["company"], connection.secrets["api_key"], post_timeout=settings.POST_TIMEOUT
    )
    return RestErp(chosen, _transport(connection, calls, {f"{chosen.root}/company"}, caller))


def sap_client(connection: Connection, calls: CallLog, caller: Caller = Caller.WORK) -> SapB1:
    stored = connection.settings
    sap = SapSettings(
        base_url=stored["base_url"],
        company_db=stored["company_db"],
        username=stored.get("username", ""),
        password=connection.secrets.get("password", ""),
        oauth=_grant(connection),
        user_defined_id_field=stored.get("user_defined_id_field") or "",
        tax_field=stored.get("tax_field") or "auto",
        cost_center_dimension=int(stored.get("cost_center_dimension") or 1),
        post_timeout=settings.POST_TIMEOUT,
    )
    store = _Store(connection, SapSession)
    logins = {f"{sap.root}/Login"} | ({sap.oauth.token_url} if sap.oauth else set())
    transport = _transport(connection, calls, logins, caller)
    return SapB1(sap, transport, store, clock=timezone.now, sleep=time.sleep)


def _grant(connection: Connection) -> Grant | None:
    """The OAuth client of a connection that logs in by token."""
    stored = connection.settings
    if stored.get("auth") != "oauth":
        return None
    scopes = tuple(stored.get("scopes") or ())
    return Grant(stored["token_url"], stored["client_id"], connection.secrets["client_secret"], scopes)


def basware_client(connection: Connection, calls: CallLog, caller: Caller = Caller.WORK) -> Basware:
    stored = connection.settings
    options: dict[str, Any] = {"scopes": tuple(stored["scopes"])} if stored.get("scopes") else {}
    basware = BaswareSettings(
        base_url=stored["base_url"],
        client_id=stored["client_id"],
        client_secret=connection.secrets["client_secret"],
        company_code=stored["company_code"],
        token_url=stored.get("token_url") or "",
        storage_hosts=tuple(settings.BASWARE_STORAGE_HOSTS),
        outbound=outbound_policy(connection.integration_id),
        **options,
    )
    store = _Store(connection, Token)
    transport = _transport(connection, calls, {basware.token_endpoint}, caller)
    return Basware(basware, transport, store, clock=timezone.now)


@contextmanager
def systems(integration: Integration, caller: Caller = Caller.WORK) -> Iterator[Systems]:
    """Clients for the length of the block, in which the database shows this organization's rows only.

    The call log is stored at its end. Raises NotConfigured.
    """
    calls = CallLog(integration)
    sap = connection_of(integration, System.SAP_B1)
    basware = connection_of(integration, System.BASWARE)
    try:
        with bound_to(integration.organization_id):
            yield Systems(erp_client(sap, calls, caller), basware_client(basware, calls, caller), calls)
    finally:
        permits.let_go(sap.pk, basware.pk)
        calls.flush()
