"""A wrong FERNET_KEYS is told at the start of the web and of a worker, not by the first page or call that breaks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

STARTS = {
    "web": ["-c", "import portal.wsgi"],
    "worker": ["manage.py", "worker"],
    "rotation": ["manage.py", "rotate_keys"],
}


@pytest.fixture
def start(transactional_db):
    """`start("web", key)`: that process on the database of this test, with that key."""
    if connection.vendor != "sqlite":
        pytest.skip("the database of this test has no address of its own")

    def run(what: str, key: str) -> subprocess.CompletedProcess[str]:
        database = f"sqlite:///{connection.settings_dict['NAME']}"
        environment = {**os.environ, "DATABASE_URL": database, "FERNET_KEYS": key, "SECRET_KEY": "x" * 60}
        command = [sys.executable, *STARTS[what]]
        return subprocess.run(  # our own command
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.mark.parametrize("what", ["web", "worker"])
def test_a_wrong_key_stops_the_start_with_a_sentence_about_it(start, what):
    ended = start(what, "a-key-of-another-installation")
    assert ended.returncode != 0
    assert "FERNET_KEYS does not fit this database" in ended.stderr
    assert "Put the key that was in use before behind the new one" in ended.stderr


def test_the_right_key_behind_a_new_one_starts(start):
    assert start("web", f"a-new-key,{settings.FERNET_KEYS[0]}").returncode == 0


def test_the_rotation_itself_starts_whatever_the_keys(start):
    assert "FERNET_KEYS does not fit" not in start("rotation", "a-key-of-another-installation").stderr
