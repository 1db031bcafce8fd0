"""Lookup tables as text: what is pasted is read, what is written is read back the same, hostile input is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from portal.forms import tables
from portal.forms.tables import table_as_text, text_as_table


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("14T2 = N14\n\n 30 = N30 = x \n", {"14T2": "N14", "30": "N30 = x"}),
        ("30\tN30\r\n14\tN14\r\n", {"30": "N30", "14": "N14"}),
        ("30;N30\n14; N14", {"30": "N30", "14": "N14"}),
        ('30,N30\n"14, net","N ""14"""', {"30": "N30", "14, net": 'N "14"'}),
        ('"a=b" = c', {"a=b": " c"}),
        ("From\tTo\n30\tN30", {"30": "N30"}),
        ("30\tN30\t\t", {"30": "N30"}),
        ("30 =", {"30": ""}),
        ("=cmd|' /C calc'!A0", None),
        ("", {}),
    ],
)
def test_two_columns_are_read_however_they_are_separated(text, table):
    if table is None:
        with pytest.raises(ValidationError):
            text_as_table(text)
    else:
        found = text_as_table(text)
        assert {key: value.strip() for key, value in found.items()} == {k: v.strip() for k, v in table.items()}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("14T2", "Line 1 has no"),
        ("a = 1\na = 2", "Line 2 gives a a second time"),
        ("a\tb\tc", "Line 1 has 3 columns"),
        ('"a,b', "Line 1 has no"),
        ('x,"a', "quote is not closed"),
        ("\tb", "Line 1 has no"),
    ],
)
def test_a_line_that_is_no_row_is_named(text, sentence):
    with pytest.raises(ValidationError, match=sentence):
        text_as_table(text)


def test_no_table_is_longer_than_it_may_be(monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    with pytest.raises(ValidationError, match="2 rows"):
        text_as_table("a=1\nb=2\nc=3")


_TEXTS = st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12)


@example({"from": "to", "a": "b"})
@given(st.dictionaries(_TEXTS.filter(str.strip), _TEXTS, max_size=6))
def test_what_is_written_is_read_back_the_same(table):
    assert text_as_table(table_as_text(table)) == table
