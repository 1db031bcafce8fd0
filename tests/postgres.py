"""PostgreSQL that the tests start themselves: the system's binaries, a folder and a port of its own, no fsync.

A server refuses to run as root, so there it runs as nobody. What is committed survives the server's sudden end, not
the machine's.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ
import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

OPTIONS = "-c fsync=off -c full_page_writes=off -c max_connections=200"
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


class Unavailable(Exception):
    """This machine has no PostgreSQL; the text says what is missing."""


def binaries() -> Path:
    """The folder of initdb and pg_ctl, the newest version where there are several."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not folders:
        raise Unavailable("no initdb on PATH or in /usr/lib/postgresql")
    return folders[-1].parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server in a folder of its own; once it is created it keeps its port."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._binaries = folder, binaries()

    def create(self) -> None:
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        self._port = free_port()  # no sooner: initdb takes seconds, in which another might take it

    @property
    def url(self) -> str:
        """Of the server, without a database's name."""
        return f"postgres://postgres@127.0.0.1:{self._port}"

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 {OPTIONS}"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "server.log"), "-o", options, "start")

    def stop(self) -> None:
        """At once, as if it had been killed: it recovers from its log at the next start."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    @property
    def pid(self) -> int:
        """Of the process that all the server's others are children of."""
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def _run(self, program: str, *arguments: str) -> None:
        prefix = NOBODY if os.geteuid() == 0 else []
        command = [*prefix, str(self._binaries / program), "-D", str(self._folder / "data"), *arguments]
        # Not through a pipe: the server would inherit it and keep it open.
        with (self._folder / "commands.log").open("a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self._folder)


@contextmanager
def running_server() -> Iterator[Server]:
    """A server of its own, which may be stopped and started."""
    folder = Path(tempfile.mkdtemp(prefix="ledgerbridge-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        server = Server(folder)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(url: str, name: str) -> str:
    """Makes an empty database and returns its URL."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url}/{name}"


@contextmanager
def moved_to(url: str, *, migrated: bool = True) -> Iterator[None]:
    """Inside the block this process, whatever database it had, works on that empty one, with all tables made."""
    home = connections.settings["default"]
    wanted = {"CONN_HEALTH_CHECKS": True, **environ.Env.db_url_config(url)}
    connections["default"].close()
    del connections["default"]
    connections.settings.update(connections.configure_settings({"default": wanted}))
    try:
        if migrated:
            call_command("migrate", verbosity=0)
        yield
    finally:
        connections["default"].close()
        del connections["default"]
        connections.settings["default"] = home


def skip_without_binaries() -> None:
    """Skips the test, with the reason, where the system has no PostgreSQL."""
    try:
        binaries()
    except Unavailable as missing:
        pytest.skip(f"PostgreSQL: {missing}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server for the session, shared by all that make a database of their own in it."""
    skip_without_binaries()
    with running_server() as server:
        yield server.url
