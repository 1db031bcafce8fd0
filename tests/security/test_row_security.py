"""Runs the cases of row-level security on PostgreSQL, whatever database the other tests are on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.postgres import create_database, postgres_url

__all__ = ["postgres_url"]

CASES = Path(__file__).with_name("row_security_cases.py")


def test_postgresql_shows_a_bound_connection_one_organization_s_rows(postgres_url):
    url = create_database(postgres_url, "row_security")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(
        command, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "skipped" not in done.stdout.splitlines()[-1]
