"""What is measured: the sandboxes in a process of their own, a database, and both sides of a comparison."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import Any, Protocol

import psycopg

from portal.demo.jsonclient import JsonClient
from syncengine.engine.supervisor import FEW_ARENAS
from syncengine.sandbox.dataset import Dataset
from tests.bench.processes import CHECKOUT, Cost, child, cpu_of_tree
from tests.postgres import Server

OWNER = "portal"
SERVICES = 30
"""The first invoices of the data set: bookable, and of no order."""


class Database(Protocol):
    """Where the product keeps its state; a copy of it starts each measured run alike."""

    name: str

    def make(self, name: str, template: str = "") -> str:
        """A new database, empty or like another; its URL."""
        ...

    def cpu(self) -> float:
        """CPU seconds of its own processes so far; those of SQLite are in the worker's."""
        ...


class Sqlite:
    """Files of a folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, name: str, template: str = "") -> str:
        for suffix in ("", "-wal", "-shm"):
            (self._folder / f"{name}.sqlite3{suffix}").unlink(missing_ok=True)
            source = self._folder / f"{template}.sqlite3{suffix}"
            if template and source.exists():
                shutil.copy(source, self._folder / f"{name}.sqlite3{suffix}")
        return f"sqlite:///{self._folder / name}.sqlite3"

    def cpu(self) -> float:
        return 0.0


class Postgres:
    """A server of the tests; the owner is no superuser, as in production, so row security binds it."""

    name = "postgresql"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._urls: dict[str, str] = {}
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP ROLE IF EXISTS {OWNER}")
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB")

    def make(self, name: str, template: str = "") -> str:
        url = self._server.url.replace("postgres@", f"{OWNER}@")
        with psycopg.connect(f"{self._server.url}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            if template:
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER {OWNER}')
                return f"{url}/{name}"
            connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}')
        return f"{url}/{name}"

    def cpu(self) -> float:
        return cpu_of_tree(self._server.pid)


class House:
    """Sandboxes with `vendors` more suppliers, and what is run against them."""

    def __init__(self, folder: Path, database: Database, vendors: int, latency: float) -> None:
        self.folder, self.database, self._vendors, self._latency = folder, database, vendors, latency
        folder.mkdir(parents=True, exist_ok=True)
        self.addresses_file = folder / "addresses.json"

    @contextmanager
    def open(self) -> Iterator[House]:
        command = [sys.executable, "-m", "syncengine.sandbox", "--scale", str(self._vendors)]
        ports = [text for name in ("sap", "basware", "control") for text in (f"--{name}-port", "0")]
        process = subprocess.Popen([*command, *ports], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None  # a pipe, as ordered above
            self.addresses: dict[str, dict[str, Any]] = json.loads(process.stdout.readline())
            self.addresses_file.write_text(json.dumps(self.addresses), encoding="utf-8")
            self.control = JsonClient(self.addresses["control"]["url"])
            self.slow_down()
            yield self
        finally:
            process.kill()
            process.wait()

    def slow_down(self) -> None:
        """From now on every answer takes the latency longer."""
        for system in ("sap_b1", "basware"):
            self.control.post("/faults", {"system": system, "kind": "latency", "seconds": self._latency, "count": 0})

    def begin_anew(self) -> None:
        """Both systems as at the start: what was sent before would be read again beside what is sent now."""
        self.control.post("/reset", {})
        self.slow_down()

    def issue(self, number: int) -> None:
        """Both systems as at the start, and this many approved invoices of no order; always the same ones."""
        self.control.post("/reset", {})
        dataset = Dataset()
        originals = dataset.invoices()
        for invoice in originals:
            self.control.post("/basware/move", {"invoiceId": invoice["invoiceId"], "status": "Removed"})
        for count in range(number):
            changes = {
                "invoiceId": md5(str(count).encode(), usedforsecurity=False).hexdigest(),
                "invoiceNumber": f"B{count:06}",
            }
            copied = originals[count % SERVICES]["invoiceId"]
            self.control.post("/basware/issue", {"copyOf": copied, "changes": changes})
        self.slow_down()

    def environment(self, url: str, **more: str) -> dict[str, str]:
        return {
            **FEW_ARENAS,
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": url,
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            "OUTBOUND_ALLOW_HTTP": "true",
            "LOG_LEVEL": "ERROR",
            **more,
        }

    def prepare(self, *flows: str) -> None:
        """The template: an integration, connected, for which these flows have run."""
        url = self.database.make("template")
        child(
            "tests.bench.product", "prepare", str(self.addresses_file), *flows, environment=self.environment(url)
        )  # fmt: skip

    def run(self, name: str, flow: str, mode: str, *, fresh: bool = True, tape: bool = False) -> Cost:
        """The product: from a copy of the template, or on what the last run left."""
        if fresh:
            self._url = self.database.make(name, "template")
        before = self.database.cpu()
        arguments = ["run", flow, mode, *([str(self._tape(name))] if tape else [])]
        measured = child("tests.bench.product", *arguments, environment=self.environment(self._url))
        assert measured["about"]["status"] == "succeeded", measured["about"]
        return Cost(**measured | {"cpu": measured["cpu"] + self.database.cpu() - before})

    def wire(self, name: str, threads: int, in_flight: int | None = None) -> Cost:
        """The bare loop over the calls of the run that was recorded under this name."""
        arguments = (str(self._tape(name)), str(self.addresses_file), str(threads), str(in_flight or threads))
        return Cost(**child("tests.bench.wire", *arguments, environment=os.environ))

    def _tape(self, name: str) -> Path:
        return self.folder / f"{name}.tape"
