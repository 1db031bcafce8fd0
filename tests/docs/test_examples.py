"""The examples of the documentation are run as they stand there, in the places that it names."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from syncengine.hooks import signing

DOCS = Path(settings.BASE_DIR) / "docs"
PLACES = {
    "flow/warehouses.py": "syncengine/flows/warehouses.py",
    "flow/test_warehouses.py": "tests/flows/test_warehouses.py",
    "connector/client.py": "syncengine/connectors/rates/client.py",
    "connector/server.py": "syncengine/sandbox/rates/server.py",
    "connector/test_client.py": "tests/connectors/rates/test_client.py",
}


@pytest.fixture
def checkout(tmp_path):
    """A copy of the project with the examples where the pages say that they belong."""
    for folder in ("portal", "syncengine", "tenants", "tests"):
        shutil.copytree(Path(settings.BASE_DIR) / folder, tmp_path / folder, ignore=shutil.ignore_patterns("vendor"))
    for name in ("pyproject.toml", "manage.py"):
        shutil.copy(Path(settings.BASE_DIR) / name, tmp_path)
    for example, place in PLACES.items():
        target = tmp_path / place
        target.parent.mkdir(exist_ok=True)
        (target.parent / "__init__.py").touch()
        shutil.copy(DOCS / "examples" / example, target)
    return tmp_path


@pytest.mark.parametrize("test", [place for place in PLACES.values() if "/test_" in place])
def test_an_example_added_to_the_project_passes_its_own_tests(test, checkout):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{checkout}/db.sqlite3", "PYTHONPATH": str(checkout)}
    done = subprocess.run(  # our own files
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_the_pages_show_the_examples_where_they_are_run():
    pages = "".join((DOCS / name).read_text() for name in ("adding-a-flow.md", "adding-a-connector.md"))
    for example, place in PLACES.items():
        assert f'title="{place}"\n--8<-- "examples/{example}"' in pages


def test_the_receiver_of_the_example_takes_our_messages_and_no_others(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "examples"))
    receiving = importlib.import_module("receiving")
    secret, other, body = signing.new_secret(), signing.new_secret(), b'{"type":"test"}'
    sent = signing.headers([other, secret], "msg_1", timezone.now(), body)
    assert receiving.is_ours(sent, body, secret)
    assert receiving.is_ours(sent, body, other)
    assert not receiving.is_ours(sent, body, signing.new_secret())
    assert not receiving.is_ours(sent, body + b" ", secret)
    assert not receiving.is_ours(sent, body, secret, now=time.time() + 600)
