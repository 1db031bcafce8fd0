"""The measures find what they are there to find, and nothing else."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.lint import measures


@pytest.fixture
def tree(tmp_path: Path):
    """Writes a file of source below the root."""

    def write(place: str, text: str) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path

    return write


def long_function(lines: int) -> str:
    return "def work():\n" + "    x = 1\n" * (lines - 1)


def test_well_kept_code_has_no_offences(tree) -> None:
    tree("portal/a.py", "def small():\n    return 1\n")
    root = tree("tests/test_a.py", "def test_small():\n    assert 1\n")
    assert measures.offences(root) == []


def test_a_function_of_sixty_lines_is_the_longest(tree) -> None:
    root = tree("portal/a.py", long_function(60))
    assert not any("work has" in offence for offence in measures.offences(root))
    root = tree("portal/a.py", long_function(61))
    assert "portal/a.py:1: work has 61 lines, more than 60" in measures.offences(root)


def test_the_median_counts_too(tree) -> None:
    root = tree("portal/a.py", long_function(11))
    assert "the median function has 11 lines, more than 10" in measures.offences(root)


def test_modules_of_source_and_of_tests_end_at_four_hundred_lines(tree) -> None:
    tree("portal/a.py", "x = 1\n" * 401)
    root = tree("tests/test_a.py", "x = 1\n" * 402)
    offences = measures.offences(root)
    assert "portal/a.py: 401 lines, more than 400" in offences
    assert "tests/test_a.py: 402 lines, more than 400" in offences


def test_fewer_lines_of_test_than_of_source_are_an_offence(tree) -> None:
    tree("portal/a.py", "x = 1\n" * 3)
    root = tree("tests/test_a.py", "x = 1\n" * 2)
    assert measures.offences(root) == ["2 lines of test are fewer than 3 lines of source"]


@pytest.mark.parametrize(
    "line", ["import requests", "import urllib3.util", "from requests.adapters import HTTPAdapter"]
)
def test_the_http_library_is_imported_in_the_seam_only(tree, line: str) -> None:
    tree("tests/test_a.py", "x = 1\n" * 9)
    tree("syncengine/connectors/http.py", f"{line}\n")
    root = tree("syncengine/engine/a.py", f"{line}\n")
    (offence,) = measures.offences(root)
    assert offence.startswith("syncengine/engine/a.py:1: imports ")


@pytest.mark.parametrize("call", ["Run.objects.get(pk=1)", "Run.objects.get(id=1)", "(Run.objects\n    .get( pk = 1))"])
def test_views_never_go_round_the_scope(tree, call: str) -> None:
    tree("tests/test_a.py", "x = 1\n" * 9)
    tree("syncengine/engine/a.py", f"run = {call}\n")
    root = tree("portal/views/a.py", f"run = {call}\n")
    (offence,) = measures.offences(root)
    assert offence.startswith("portal/views/a.py:")


def test_migrations_are_left_out(tree) -> None:
    root = tree("portal/migrations/0001.py", long_function(100))
    assert measures.offences(root) == []


def test_the_exit_code_says_whether_something_was_found(tree, capsys) -> None:
    root = tree("portal/a.py", long_function(61))
    assert measures.main(root) == 1
    assert "work has 61 lines" in capsys.readouterr().out
