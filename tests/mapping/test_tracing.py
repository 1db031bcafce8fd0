"""Where each value came from: the rule, a row of a table, the default, or nowhere."""

from __future__ import annotations

import pytest

from syncengine.mapping import Looked, Maker, Origin, compile_rules

TABLES = {"terms": {"30": "N30"}}


def origins_of(*rules, source=None, rows=None):
    found: list[Origin] = []
    compile_rules(list(rules)).apply(source or {}, rows=rows, lookups=TABLES, origins=found)
    return found


@pytest.mark.parametrize(
    ("rule", "value", "maker"),
    [
        ({"source": "a"}, "30", Maker.RULE),
        ({"source": "a", "default": "x"}, "30", Maker.RULE),
        ({"source": "b", "default": "x"}, "x", Maker.DEFAULT),
        ({"source": "b"}, None, Maker.NOTHING),
        ({"source": "a", "lookup": "terms"}, "N30", Maker.TABLE),
        ({"source": "c", "lookup": "terms"}, None, Maker.NOTHING),
        ({"source": "c", "lookup": "terms", "default": "x"}, "x", Maker.DEFAULT),
        ({"source": "lookup('terms', a, a)"}, "N30", Maker.TABLE),
        ({"source": "lookup('terms', c, c)"}, "14", Maker.RULE),
    ],
)
def test_each_value_tells_what_made_it(rule, value, maker):
    (origin,) = origins_of({"target": "t", **rule}, source={"a": "30", "c": "14"})
    assert (origin.value, origin.maker) == (value, maker)


def test_a_row_of_a_table_is_named_and_so_is_what_no_row_knows():
    (hit,) = origins_of({"target": "t", "source": "a", "lookup": "terms"}, source={"a": 30})
    assert hit.row == Looked("terms", "30", "N30")
    (miss,) = origins_of({"target": "t", "source": "lookup('terms', a, a)"}, source={"a": "14"})
    assert (miss.row, miss.missed) == (None, (Looked("terms", "14", None),))


def test_of_several_tables_the_one_that_answered_counts():
    source = "lookup('none', a) || lookup('terms', a)"
    (origin,) = origins_of({"target": "t", "source": source}, source={"a": "30"})
    assert origin.row == Looked("terms", "30", "N30")
    assert [looked.table for looked in origin.missed] == ["none"]


def test_an_empty_value_is_no_miss():
    (origin,) = origins_of({"target": "t", "source": "lookup('terms', a)"})
    assert origin.missed == ()


def test_rows_have_an_origin_each_and_belong_to_one_rule():
    rows = {"lines": [{"a": "30"}, {"a": "14"}]}
    found = origins_of({"target": "lines[].t", "source": "lookup('terms', a, a)"}, rows=rows)
    assert [(origin.path, origin.target, origin.maker) for origin in found] == [
        ("lines[0].t", "lines[].t", Maker.TABLE),
        ("lines[1].t", "lines[].t", Maker.RULE),
    ]


def test_one_rule_s_questions_are_not_those_of_the_next():
    first, second = origins_of(
        {"target": "a", "source": "x", "lookup": "terms"}, {"target": "b", "source": "x"}, source={"x": "30"}
    )
    assert first.looked
    assert not second.looked


def test_a_rule_that_cannot_be_evaluated_makes_nothing():
    (origin,) = origins_of({"target": "t", "source": "abs(a)", "default": "x"}, source={"a": "text"})
    assert origin.maker == Maker.NOTHING
