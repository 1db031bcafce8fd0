"""Rules in words: taken apart and put together again without a change."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.flows import registry
from syncengine.mapping import compile_rules
from syncengine.mapping.functions import OWN_ARITY
from syncengine.mapping.help import FUNCTIONS
from syncengine.mapping.simple import Form, Simple, literal, path_of, taken_apart


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("CardName", Form.FIELD),
        ("derived.taxCode", Form.FIELD),
        ('"U-x".b[0].c', Form.FIELD),
        ("date(invoiceDate)", Form.DATE),
        ("lookup('terms', code, code)", Form.KNOWN),
        ("'none'", Form.CONSTANT),
        ("`false`", Form.CONSTANT),
        ("`0.10`", Form.CONSTANT),
    ],
)
def test_common_rules_have_words_and_read_back_the_same(source, form):
    simple = taken_apart(source)
    assert simple.form == form
    assert simple.source() == source


@pytest.mark.parametrize(
    "source",
    ["a || b", "lookup('t', a, b)", "lookup('t', a)", "concat(a, b)", "date(a, b)", "a[*].b", "", "`{`", "'a", "a-b"],
)
def test_everything_else_is_an_expression(source):
    assert taken_apart(source).form == Form.EXPRESSION


@pytest.mark.parametrize("flow", list(registry.flows()))
def test_no_default_rule_changes_when_it_is_shown_in_words(flow):
    for rule in registry.get(flow).default_rules():
        simple = taken_apart(rule["source"])
        if simple.form != Form.EXPRESSION:
            assert simple.source() == rule["source"]


@given(st.text(max_size=30) | st.integers(-9, 9) | st.booleans() | st.decimals(-99, 99, places=2))
def test_any_constant_is_written_so_that_the_rule_gives_it_back(value):
    mapping = compile_rules([{"target": "t", "source": literal(value)}])
    made = mapping.apply({}).target.get("t")
    assert made == (value.replace("\0", "").strip() or None if isinstance(value, str) else value)
    assert taken_apart(literal(value)) == Simple(Form.CONSTANT, value=value)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3))
def test_any_name_of_a_field_makes_a_path_that_finds_it(names):
    source: object = "found"
    for name in reversed(names):
        source = {name: source}
    mapping = compile_rules([{"target": "t", "source": path_of(*names)}])
    assert mapping.apply(source).target == {"t": "found"}


def test_a_name_in_other_letters_goes_in_quotes():
    assert path_of("määrä", "sum") == '"m\\u00e4\\u00e4r\\u00e4".sum'


def test_what_is_not_chosen_yet_is_no_rule():
    assert Simple(Form.FIELD).source() == Simple(Form.DATE).source() == Simple(Form.EXPRESSION).source() == ""


def test_a_constant_keeps_its_digits():
    assert taken_apart("`10.10`").value == Decimal("10.10")


def test_each_function_of_ours_is_explained_by_an_example_that_compiles():
    assert set(OWN_ARITY) <= {one.name for one in FUNCTIONS}
    for one in FUNCTIONS:
        compile_rules([{"target": "t", "source": one.usage}])
        assert one.gives.endswith(".")
