"""The documentation says what the source says, and no link of it leads nowhere."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from syncengine.flows import registry
from syncengine.hooks.events import WORDS, Event

ROOT = Path(settings.BASE_DIR)
DOCS = ROOT / "docs"
SOURCES = ("syncengine", "portal", "tenants")
NOT_OURS = ("sandbox", "migrations")
CODE = re.compile(r"[a-z][a-z0-9_]+")
MOST_PICTURES = 2**20


def codes() -> Iterator[str]:
    """Every code that the source gives an error: `code="…"`, the first word of a Trouble, the last of a refusal."""
    files = (path for source in SOURCES for path in (ROOT / source).rglob("*.py"))
    for path in files:
        if any(part in NOT_OURS for part in path.parts):
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                yield from (text for text in _codes_of(call) if CODE.fullmatch(text))


def _codes_of(call: ast.Call) -> Iterator[str]:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    called = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if called == "refuse":
        named += call.args[2:3]
    if called == "Trouble":
        named += call.args[:1]
    yield from (node.value for node in named if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_every_error_code_is_explained_and_no_other():
    explained = re.findall(r"^### `(\w+)`$", (DOCS / "errors.md").read_text(), re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == set(codes())


def test_every_flow_and_every_event_is_in_its_table():
    flows, hooks = (DOCS / "flows.md").read_text(), (DOCS / "webhooks.md").read_text()
    assert all(f"| `{name}` |" in flows for name in registry.flows())
    for event in Event:
        assert f"| `{event}` | {WORDS[event][0].lower()}{WORDS[event][1:].rstrip('.')} |" in hooks


def test_pictures_are_small_and_all_of_them_are_shown():
    pictures = list((DOCS / "images").glob("*.png"))
    assert sum(picture.stat().st_size for picture in pictures) < MOST_PICTURES
    pages = "".join(page.read_text() for page in DOCS.rglob("*.md"))
    assert all(f"images/{picture.name}" in pages for picture in pictures)


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: `make docs` does it")
def test_the_site_is_built_without_a_broken_link(tmp_path):
    built = subprocess.run(  # our own files
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r'(?:src|href)="(https?://[^"]+)"[^>]*(?:rel="stylesheet"|></script>)', page.read_text())
        assert not loaded, f"{page.name} loads {loaded}"
