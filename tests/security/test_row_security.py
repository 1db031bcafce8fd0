"""Runs the cases of row-level security on PostgreSQL, whatever database the other tests are on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.postgres import create_database, postgres_url
from tests.security.conftest import Prove

__all__ = ["postgres_url"]

CASES = Path(__file__).with_name("row_security_cases.py")


ROW = re.compile(r"(row security: .+?) {2,}([\d,]+) +(\d+)")


def test_postgresql_shows_a_bound_connection_one_organization_s_rows(postgres_url, prove: Prove):
    url = create_database(postgres_url, "row_security")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(
        command, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "skipped" not in done.stdout.splitlines()[-1]
    told = [row for line in done.stdout.splitlines() if (row := ROW.fullmatch(line.strip()))]
    assert told
    for row in told:
        prove(row[1], int(row[2].replace(",", "")), ["see above"] * int(row[3]))
