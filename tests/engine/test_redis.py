"""With REDIS_URL, Redis is broker and cache: the worker starts, is woken and works; without it work goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
import redis

from tests.engine.processes import manage, wait_until
from tests.engine.world import World
from tests.postgres import free_port


@pytest.fixture
def server(tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on this machine")
    port = free_port()
    command = [program, "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        client = redis.Redis(port=port)
        wait_until(lambda: _pings(client))
        process.url = f"redis://127.0.0.1:{port}/0"  # type: ignore[attr-defined]  # for the tests
        yield process
        process.kill()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_a_worker_is_woken_by_redis_and_goes_on_when_it_is_gone(world: World, server):
    with manage("worker", REDIS_URL=server.url, WATCHDOG_SECONDS="30"):
        run = world.ask("projects")
        wait_until(lambda: world.again(run).status == "succeeded", 90)
        server.kill()
        server.wait()
    with manage("worker", WATCHDOG_SECONDS="30"):  # and without the setting, on the same database
        again = world.ask("projects")
        wait_until(lambda: world.again(again).status == "succeeded", 90)
