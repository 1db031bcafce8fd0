"""How long a command takes to begin, compiled as it is in the image and after the first start elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.processes import CHECKOUT
from tests.bench.reports import median, report
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench


def test_a_command_begins_within_a_second(tmp_path):
    _seconds(tmp_path)
    started = [_seconds(tmp_path) for _ in range(SIZES.starts)]
    report("manage.py starts", "none", "manage.py sync --help, compiled", wall_s=median(started))


def _seconds(compiled: Path) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    command = [sys.executable, "manage.py", "sync", "--help"]
    begun = time.perf_counter()
    subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
