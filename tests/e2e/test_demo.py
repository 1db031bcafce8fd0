"""`manage.py demo --once`, as a newcomer's first and second command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.demo.installation import CHECKOUT
from tests.e2e.world import QUICK

pytestmark = pytest.mark.e2e


def demo(folder: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    database = {"DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}"}
    return subprocess.run(
        [sys.executable, str(CHECKOUT / "manage.py"), "demo", "--folder", str(folder), *options],
        env={**os.environ, **QUICK, **database, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def sent(output: str) -> dict[str, int]:
    """How many records each flow sent before the second run, from the printed table."""
    rows = [line.split() for line in output.partition("Once more")[0].splitlines()]
    return {row[0]: int(row[3]) for row in rows if len(row) == 7 and row[3].isdigit()}


def test_once_moves_everything_and_the_next_time_nothing(tmp_path: Path) -> None:
    first = demo(tmp_path, "--once")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "All is well: 76 of 80 invoices are in SAP once" in first.stdout
    assert sent(first.stdout)["vendors"] == 300
    assert sent(first.stdout)["invoices"] == 76

    second = demo(tmp_path, "--once")
    assert second.returncode == 0, second.stdout + second.stderr
    assert set(sent(second.stdout).values()) == {0}


def test_fresh_needs_a_database_that_it_may_clear(tmp_path: Path) -> None:
    refused = demo(tmp_path, "--once", "--fresh", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert refused.returncode == 1
    assert "--fresh clears SQLite only" in refused.stderr
