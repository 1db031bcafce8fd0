"""How long a command takes to begin."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.bench.processes import CHECKOUT
from tests.bench.reports import median, report
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench


def test_a_command_begins_within_a_second():
    started = [_seconds() for _ in range(SIZES.starts)]
    report("manage.py starts", "none", "manage.py sync --help", wall_s=median(started))


def _seconds() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "manage.py", "sync", "--help"], cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
