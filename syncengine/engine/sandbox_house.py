"""Runs the sandbox servers that integrations ask for: one pair each, on the loopback of this machine.

The worker's supervisor keeps one such process (`manage.py sandboxes`). Several workers may: whoever holds the lock runs
the servers, so that two do not open the same sandbox.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from pathlib import Path

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.db.utils import Error as DatabaseError

from syncengine.engine import locks
from syncengine.engine.connecting import save_connection
from syncengine.engine.connections import NotConfigured, connection_of
from syncengine.models import Sandbox
from syncengine.sandbox.launch import Options, Sandboxes
from tenants.errors import Refused
from tenants.models import System

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
LOCK = ("sandboxes",)


class House:
    """`look` opens what is asked for and closes what is not wanted any more; `run` does so until `stop`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(settings.SANDBOX_DIR)
        self._open: dict[int, Sandboxes] = {}
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Until `stop`. Another process may run the servers; then this one waits to take over."""
        while not self._stop.is_set():
            try:
                close_old_connections()
                with locks.held(*LOCK, seconds=settings.LEASE_SECONDS, wait=TICK_SECONDS):
                    self._run_alone()
            except locks.LockBusy:
                self._stop.wait(TICK_SECONDS)
            except DatabaseError as error:
                log.warning("database_away", error=type(error).__name__)
                self._stop.wait(TICK_SECONDS)

    def _run_alone(self) -> None:
        try:
            while not self._stop.is_set():
                close_old_connections()
                self.look()
                self._stop.wait(TICK_SECONDS)
        finally:
            self.close()

    def look(self) -> None:
        wanted = {row.integration_id: row for row in Sandbox.objects.select_related("integration__organization")}
        for key in [key for key in self._open if key not in wanted]:
            self._open.pop(key).stop()
            shutil.rmtree(self._state(key), ignore_errors=True)
        for key, row in wanted.items():
            if key not in self._open:
                self._start(row)

    def close(self) -> None:
        """Stop all of them; their state stays for the next time."""
        while self._open:
            self._open.popitem()[1].stop()

    def _start(self, row: Sandbox) -> None:
        """On the ports of before, and with the state of before; a port that is taken by now is given up for another."""
        password, client_secret = _secret(row, System.SAP_B1, "password"), _secret(row, System.BASWARE, "client_secret")
        folder = self._state(row.integration_id)
        if not row.is_ready:
            shutil.rmtree(folder, ignore_errors=True)  # left over from an integration of the same number
        folder.mkdir(parents=True, exist_ok=True)
        options = Options(state=folder, sap_password=password, client_secret=client_secret)
        usual = Options(
            sap_port=row.sap_port or 0,
            basware_port=row.basware_port or 0,
            storage_port=row.storage_port or 0,
            state=folder,
            sap_password=password,
            client_secret=client_secret,
        )
        try:
            opened = Sandboxes(usual).start()
        except OSError:
            opened = Sandboxes(options).start()
        self._open[row.integration_id] = opened
        log.info("sandbox_started", integration=row.integration_id)
        self._connect(row, opened)

    def _connect(self, row: Sandbox, opened: Sandboxes) -> None:
        """The ports first: the guard asks for them. What is entered already stays as it is."""
        ports = (opened.sap.port, opened.basware.port, opened.basware.storage.port)
        if ports == (row.sap_port, row.basware_port, row.storage_port):
            return
        row.sap_port, row.basware_port, row.storage_port = ports
        Sandbox.objects.filter(pk=row.pk).update(**dict(zip(Sandbox.PORTS, ports, strict=True)), problem="")
        try:
            for system in System:
                save_connection(row.integration, system, opened.addresses[system], row.requested_by)
        except Refused as refused:  # the operator has switched sandboxes off, or somebody was faster
            Sandbox.objects.filter(pk=row.pk).update(problem=refused.errors[0].message[:300])

    def _state(self, key: int) -> Path:
        return self._folder / str(key)


def _secret(row: Sandbox, system: System, name: str) -> str:
    """The one that was made at the first start; it is kept where all secrets are, encrypted in the connection."""
    try:
        return str(connection_of(row.integration, system).secrets[name])
    except NotConfigured:
        return secrets.token_urlsafe(18)
