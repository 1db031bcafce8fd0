"""A customer's rule may be clumsy and a source hostile: mapping never raises and comes back soon."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.mapping import MappingRefused, compile_rules

SECONDS = 2.0

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.floats()
    | st.text(max_size=30)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=5)
)
sources = st.dictionaries(st.sampled_from("abcde"), values, max_size=5)
expressions = st.sampled_from(
    [
        "a", "a.b.c", "a[0]", "a[*].b", "a[]", "a.*", "a[?b > c]", "a == b", "a < b", "[a, b, c]", "{x: a, y: b}",
        "a || b && !c", "concat(a, b, c)", "lookup('t', a)", "default(a, b)", "truncate(a, `3`)", "upper(a)", "date(a)",
        "number(a)", "number(a, `2`)", "hash(a, b)", "sum(a)", "avg(a)", "max(a)", "sort(a)", "sort_by(a, &b)",
        "to_string(a)", "to_number(a)", "type(a)", "keys(a)", "values(a)", "length(a)", "join(',', a)", "abs(a)",
        "ceil(a)", "contains(a, b)", "reverse(a)", "merge(a, b)", "map(&b, a)", "not_null(a, b)", "floor(a)", "@",
        "starts_with(a, b)", "min_by(a, &b)", "a[?contains(b, c)]", "a[1:3]", "to_array(a)",
    ]
)  # fmt: skip


@given(sources, st.lists(expressions, max_size=6), st.dictionaries(st.text(max_size=3), st.text(max_size=5)))
@settings(deadline=None, max_examples=150)
def test_no_source_makes_the_mapping_raise(source: dict[str, Any], chosen: list[str], table: dict[str, str]):
    rules = [{"target": f"t{index}", "source": text, "lookup": "t"} for index, text in enumerate(chosen)]
    mapping = compile_rules(rules)
    first = mapping.apply(source, lookups={"t": table}, limits={"t0": 5})
    assert repr(mapping.apply(source, lookups={"t": table}, limits={"t0": 5})) == repr(first)


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_either_a_rule_or_refused_by_its_index(text: str):
    try:
        mapping = compile_rules([{"target": "x", "source": text}])
    except MappingRefused as error:
        refused = {problem.index for problem in error.problems}
    else:
        mapping.apply({"a": {"b": [1, 2]}})
        return
    assert refused == {0}


@given(st.text(max_size=40), st.text(max_size=40))
@settings(deadline=None)
def test_any_target_and_lookup_name_is_either_taken_or_refused(target: str, lookup: str):
    try:
        mapping = compile_rules([{"target": target, "source": "a", "lookup": lookup}])
    except MappingRefused:
        return
    mapping.apply({"a": 1})


@given(sources)
@settings(deadline=None, max_examples=60)
def test_mapping_what_was_mapped_changes_nothing_more(source: dict[str, Any]):
    mapping = compile_rules([{"target": name, "source": name} for name in "abcde"])
    limits = {"a": 4, "b.c": 2}
    once = mapping.apply(source, limits=limits)
    twice = mapping.apply(once.target, limits=limits)
    assert repr(twice.target) == repr(once.target)


def in_time(expression: str, source: Any) -> list[str]:
    mapping = compile_rules([{"target": "x", "source": expression}])
    begun = time.monotonic()
    mapped = mapping.apply(source)
    assert time.monotonic() - begun < SECONDS
    return [problem.message for problem in mapped.problems]


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@]"] * 28),
        "|".join(["[@,@][]"] * 25),
        "|".join(["{a:@,b:@}"] * 28),
        "|".join(["concat(@,@)"] * 28),
        "a | " + " | ".join(["join('', [@,@])"] * 25),
        "(" + "|".join(["[@,@]"] * 12) + ") == (" + "|".join(["[@,@]"] * 12) + ")",
        "to_string(" + "|".join(["[@,@]"] * 25) + ")",
    ],
)
def test_an_expression_that_doubles_itself_is_stopped(expression: str):
    in_time(expression, {"a": "xxxxxxxxxx"})


def test_a_result_beyond_the_limit_is_a_problem_with_a_reason():
    (message,) = in_time("|".join(["[@,@]"] * 25), {})
    assert "cannot be evaluated: the result exceeds the limit of 20,000" in message


def test_a_loop_over_many_lines_for_each_line_is_stopped():
    lines = [{"a": number} for number in range(3_000)]
    (message,) = in_time("lines[?length(to_array(a)) > `0`].[a,a,a,a,a,a,a,a,a]", {"lines": lines})
    assert "exceeds the limit" in message


def test_a_long_list_is_read_without_complaint():
    assert in_time("lines[*].a | [0]", {"lines": [{"a": number} for number in range(5_000)]}) == []


def test_a_source_nested_deeper_than_pythons_stack_is_a_problem_not_a_crash():
    nested: Any = "end"
    for _ in range(50_000):
        nested = [nested]
    for expression in ("a", "a == a", "to_string(a)"):
        (message,) = in_time(expression, {"a": nested})
        assert "nested too deeply" in message


def test_a_value_nested_deeper_than_any_payload_is_a_problem():
    nested: Any = "end"
    for _ in range(60):
        nested = {"a": nested}
    (message,) = in_time("a", {"a": nested})
    assert "nested too deeply" in message


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 5_000_000, id="text"),
        Decimal("1E+999999"),
        pytest.param(10**5_000, id="digits"),
        Decimal("NaN"),
        float("inf"),
    ],
)
def test_huge_and_unreal_values_are_bounded(value: Any):
    for expression in ("a", "concat(a, a)", "number(a, `2`)", "hash(a)", "to_string(a)", "truncate(a, `5`)"):
        in_time(expression, {"a": value})


def test_comparing_text_with_a_number_is_a_problem_not_a_crash():
    (message,) = in_time("a < b", {"a": "x", "b": 1})
    assert "cannot be evaluated" in message
