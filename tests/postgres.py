"""PostgreSQL that the tests start themselves: the system's binaries, a folder and a port of its own, no fsync.

A server refuses to run as root, so there it runs as nobody.
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

import psycopg
import pytest

OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
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


@contextmanager
def server() -> Iterator[str]:
    """A running server; yields its URL without a database name."""
    bin_folder, port = binaries(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="ledgerbridge-postgres-"))
    as_root = os.geteuid() == 0
    prefix = NOBODY if as_root else []
    if as_root:
        shutil.chown(folder, "nobody", "nogroup")

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(bin_folder / program), "-D", str(folder / "data"), *arguments]
        # Not through a pipe: the server would inherit it and keep it open.
        with (folder / "commands.log").open("a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=folder)

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {OPTIONS}"
        run("pg_ctl", "-w", "-l", str(folder / "server.log"), "-o", options, "start")
        try:
            yield f"postgres://postgres@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(url: str, name: str) -> str:
    """Makes an empty database and returns its URL."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url}/{name}"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server for the session; tests are skipped, with the reason, where the system has none."""
    try:
        binaries()
    except Unavailable as missing:
        pytest.skip(f"PostgreSQL: {missing}")
    with server() as url:
        yield url
