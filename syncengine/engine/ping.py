"""Ping: is each system reachable, are the credentials good, may we read and write what the flows need?"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import structlog
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from syncengine import notices
from syncengine.audit import record_event
from syncengine.audit.events import SYSTEM
from syncengine.connectors.basware import ping as basware_ping
from syncengine.connectors.checks import Check
from syncengine.connectors.probe import Probe
from syncengine.connectors.rest_erp import ping as rest_ping
from syncengine.connectors.sap_b1 import ping as sap_ping
from syncengine.engine.connections import (
    NotConfigured,
    basware_client,
    connection_of,
    is_rest,
    limits,
    outbound_policy,
    rest_client,
    sap_client,
)
from syncengine.engine.gate import Caller
from syncengine.engine.observing import CallLog
from syncengine.engine.pauses import pause, resume
from syncengine.engine.ping_history import Change, entry_of, keep
from syncengine.engine.webhook_facts import webhook_facts
from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from syncengine.models import PingTrigger
from syncengine.notices import Kind
from tenants.models import Connection, Integration, System

log = structlog.get_logger(__name__)

# interface.md promises an answer within a minute in all, the way of the answer included.
DEADLINE_SECONDS = 58.0
# What document flows and look-ups read besides the entity sets that the master data flows name themselves.
_ALSO_READ = ("Currencies", "PurchaseDeliveryNotes", "PurchaseInvoices", "PurchaseCreditNotes", "VendorPayments")
_CERTIFICATE_ENDS = ("certificate_expires", "certificate_expired")
_WRITTEN = ("PurchaseInvoices", "PurchaseCreditNotes")

Line = tuple[str, Check]
Results = dict[str, list[Check]]


def ping(
    integration: Integration,
    deadline: float = DEADLINE_SECONDS,
    *,
    actor: str = SYSTEM,
    trigger: str = PingTrigger.PERSON,
) -> Iterator[Line]:
    """Each check of both systems as it completes, at most `deadline` seconds in all; the result is stored at the end.

    A system that is not set up has one failed check. When all is well a pause ends.
    """
    results: Results = {system: [] for system in System.values}
    for system, check in _lines(integration, deadline):
        results[system].append(check)
        yield system, check
    _store(integration, results, actor, trigger)


def ping_all(integration: Integration, deadline: float = DEADLINE_SECONDS, *, actor: str = SYSTEM) -> dict[str, Any]:
    """All of it at once, in the shape of interface.md."""
    return summary(ping(integration, deadline, actor=actor))


def summary(lines: Iterable[Line]) -> dict[str, Any]:
    """interface.md's answer: both systems are always listed."""
    results: Results = {system: [] for system in System.values}
    for system, check in lines:
        results[system].append(check)
    entries = [entry_of(system, checks) for system, checks in results.items()]
    systems = [{**entry, "checks": [_promised(check) for check in entry["checks"]]} for entry in entries]
    return {"ok": all(entry["ok"] for entry in systems), "systems": systems}


def _promised(check: dict[str, Any]) -> dict[str, Any]:
    return {name: check[name] for name in ("name", "ok", "latency_ms", "detail", "hint")}


def _lines(integration: Integration, deadline: float) -> Iterator[Line]:
    """Both systems at the same time, each in a thread; one that is late is given up, not waited for."""
    ends_at = time.monotonic() + deadline
    found: queue.Queue[tuple[str, Check | None]] = queue.Queue()
    running = set(System.values)
    for system in System.values:
        threading.Thread(target=_check, args=(integration, system, found), name=f"ping-{system}", daemon=True).start()
    while running:
        try:
            system, check = found.get(timeout=max(0.0, ends_at - time.monotonic()))
        except queue.Empty:
            yield from ((late, _too_late(deadline)) for late in sorted(running))
            return
        if check is None:
            running.discard(system)
        else:
            yield system, check


def _check(integration: Integration, system: str, found: queue.Queue[tuple[str, Check | None]]) -> None:
    calls = CallLog(integration)
    try:
        for check in _checks(integration, system, calls):
            found.put((system, check))
    except Exception:  # whatever breaks here, the person at the page must get a line
        log.exception("ping_broke", system=system)
        found.put((system, Check("internal", False, 0, "The check itself failed.", "The portal's log has the reason.")))
    finally:
        found.put((system, None))
        calls.flush()
        database.close()


def _checks(integration: Integration, system: str, calls: CallLog) -> Iterator[Check]:
    try:
        connection = connection_of(integration, system)
    except NotConfigured as missing:
        return iter([Check("reach", False, 0, str(missing), "Enter its address and credentials first.")])
    probe = _probe(connection)
    if is_rest(connection):
        return rest_ping.checks(rest_client(connection, calls, Caller.PING), probe, reads=sap_reads())
    if system == System.SAP_B1:
        return sap_ping.checks(sap_client(connection, calls, Caller.PING), probe, reads=sap_reads(), writes=_WRITTEN)
    return basware_ping.checks(
        basware_client(connection, calls, Caller.PING), probe, webhook=webhook_facts(integration)
    )


def _probe(connection: Connection) -> Probe:
    """The same policy, patience and trust as every call of this connection has."""
    stored = connection.settings
    policy = outbound_policy(connection.integration_id)
    return Probe(stored["base_url"], policy, limits(), stored.get("ca_certificate") or "", timezone.now)


def sap_reads() -> list[str]:
    """Every entity set that the flows read, each once."""
    named = [flow.entity_set for flow in registry.flows().values() if isinstance(flow, MasterDataFlow)]
    return list(dict.fromkeys([*named, *_ALSO_READ]))


def _too_late(deadline: float) -> Check:
    return Check(
        "deadline",
        False,
        round(deadline * 1000),
        f"No answer within {deadline:.0f} seconds.",
        "The system is too slow or swallows requests: ask its operator, and check the firewall in between.",
    )


def _store(integration: Integration, results: Results, actor: str, trigger: str) -> None:
    entries = [entry_of(system, checks) for system, checks in results.items()]
    ok = {entry["system"]: entry["ok"] for entry in entries}
    now = timezone.now()
    with transaction.atomic():
        changes = {entry["system"]: keep(integration, entry, trigger, now) for entry in entries}
        record_event(
            integration.organization, actor, "integration.pinged", integration=integration, ok=ok, trigger=trigger
        )
        _tell_drift(integration, changes)
        for system, checks in results.items():
            _tell_certificate(integration, system, checks)
        if all(ok.values()):
            resume(integration, actor)
    if trigger == PingTrigger.NIGHTLY:
        _stop_if_refused(integration, results)


def _tell_drift(integration: Integration, changes: dict[str, list[Change]]) -> None:
    for system, found in changes.items():
        drifted = [change for change in found if change.is_drift]
        if drifted:
            names = ", ".join(change.name for change in drifted)
            record_event(
                integration.organization, SYSTEM, "integration.drifted",
                f"{System(system).label} is not as it was: {names}.", integration=integration,
                system=system, changes=[asdict(change) for change in drifted],
            )  # fmt: skip


def _tell_certificate(integration: Integration, system: str, checks: Iterable[Check]) -> None:
    """A notice from thirty days before the end until the certificate is renewed."""
    tls = next((check for check in checks if check.name == "tls"), None)
    if tls is None:
        return
    if tls.code not in _CERTIFICATE_ENDS:
        notices.close_notices(integration, Kind.CERTIFICATE, system)
        return
    path = f"integrations/{integration.pk}/connections/"
    message = f"{integration.name}, {System(system).label}: {tls.detail}"
    notices.raise_notice(integration, Kind.CERTIFICATE, system, message, tls.hint, path=path)


def _stop_if_refused(integration: Integration, results: Results) -> None:
    """Nobody looks at the page by night: a refused log-in pauses, as that of a run does, and is not tried again."""
    for check in (check for checks in results.values() for check in checks):
        if check.login_refused:
            pause(integration, f"{check.detail} {check.hint}".strip())
            return
