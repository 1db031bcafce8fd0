"""gunicorn as it is deployed: several processes, one set of numbers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.engine.processes import environment, wait_until
from tests.postgres import free_port

REQUESTS = 12
COUNTED = re.compile(r'^django_http_responses_total_by_status_total\{status="404"\} ([\d.e+]+)$', re.MULTILINE)


@pytest.fixture
def web(transactional_db, tmp_path) -> Iterator[str]:
    """Its address; its files for metrics are below `tmp_path`."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"]
    variables = environment(TMPDIR=str(tmp_path))
    with subprocess.Popen(command, cwd=Path(settings.BASE_DIR), env=variables, start_new_session=True) as process:
        try:
            wait_until(lambda: serves(port), 90)
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
            assert not list(tmp_path.glob("ledgerbridge-metrics-*"))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def serves(port: int) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/healthz/", timeout=5).status_code == 200
    return False


def test_requests_are_counted_over_all_processes_whichever_is_asked(web, tmp_path):
    for _ in range(REQUESTS):  # a connection each, so that both processes answer some
        requests.get(f"{web}/there-is-no-such-page", headers={"Connection": "close"}, timeout=20)
    told = []
    for _ in range(6):
        text = requests.get(f"{web}/metrics", headers={"Connection": "close"}, timeout=20).text
        assert "ledgerbridge_database_up 1.0" in text
        (count,) = COUNTED.findall(text)
        told.append(float(count))
    assert told == [REQUESTS] * 6
    assert len({path.name.rsplit("_", 1)[-1] for path in tmp_path.rglob("counter_*.db")}) == 2  # one a process
