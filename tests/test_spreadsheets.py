"""Nothing that we export is executed by a spreadsheet."""

from __future__ import annotations

import pytest

from syncengine.spreadsheets import plain_text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_what_would_be_a_formula_is_quoted_away(start):
    assert plain_text(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "INV-1", "1 = 1", "a@example.com", "'=1", "Ä-Oy"])
def test_everything_else_stays_as_it_is(text):
    assert plain_text(text) == text
