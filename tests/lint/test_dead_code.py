"""What counts as dead, and what only looks so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint import dead_code


@pytest.fixture
def tree(tmp_path: Path):
    def write(place: str, text: str) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_function_that_nobody_names_is_dead(tree) -> None:
    root = tree("portal/a.py", "def forgotten():\n    return 1\n")
    assert list(dead_code.dead(root)) == ["portal/a.py:1: function forgotten is used nowhere"]


def test_a_dotted_path_in_a_text_is_a_use(tree) -> None:
    tree("portal/settings.py", 'HANDLER = "portal.a.handler"\n')
    root = tree("portal/a.py", "def handler():\n    return 1\n")
    assert list(dead_code.dead(root)) == []


def test_a_template_that_names_it_is_a_use(tree) -> None:
    tree("templates/a.html", "{{ run.sentence }}")
    root = tree("portal/a.py", "def sentence():\n    return 1\n")
    assert list(dead_code.dead(root)) == []


def test_hooks_of_frameworks_and_discovered_flows_are_alive(tree) -> None:
    tree("portal/a.py", "class Form:\n    def clean_name(self):\n        return 1\n\n\nForm()\n")
    root = tree("syncengine/flows/vendors.py", "class Vendors:\n    pass\n")
    assert list(dead_code.dead(root)) == []


def test_an_import_that_is_not_used_is_dead(tree) -> None:
    root = tree("portal/a.py", "import json\n")
    assert list(dead_code.dead(root)) == ["portal/a.py:1: unused import 'json'"]
