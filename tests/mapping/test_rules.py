"""Rules are refused at save with every bad one named, or compiled for good."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.mapping import MappingRefused, Rule, RuleProblem, compile_rules, split_row_rules
from syncengine.mapping.expressions import MAX_DEPTH, MAX_LENGTH
from syncengine.mapping.rules import MAX_RULES


def refused(*rules: Any, **known: Any) -> tuple[RuleProblem, ...]:
    with pytest.raises(MappingRefused) as caught:
        compile_rules(list(rules), **known)
    return caught.value.problems


def a_rule(source: str = "CardName", target: str = "name", **more: Any) -> dict[str, Any]:
    return {"target": target, "source": source, **more}


def test_every_bad_rule_is_named_not_only_the_first():
    problems = refused(a_rule("a..b"), a_rule("CardName", "good"), a_rule("nosuch(a)", "other"), a_rule("x", "9bad"))
    assert [(problem.index, problem.field) for problem in problems] == [(0, "source"), (2, "source"), (3, "target")]


def test_the_refusal_reads_like_a_list_for_people():
    with pytest.raises(MappingRefused, match=r"rule 2: unknown function nosuch\(\)"):
        compile_rules([a_rule(), a_rule("nosuch(a)", "other")])


@pytest.mark.parametrize(
    ("source", "position"),
    [
        ("a..b", 2),
        ("a b", 2),
        ("foo[", 4),
        ('"open', 0),
        ("a | ", 4),
        ("upper(a", 7),
        ("concat(a, nosuch(b))", 10),
        ("CardName || truncate(a)", 12),
        ("upper(a, b)", 0),
        ("length(a, b)", 0),
    ],
)
def test_a_bad_expression_is_refused_with_its_position(source: str, position: int):
    (problem,) = refused(a_rule(source))
    assert (problem.field, problem.position) == ("source", position)


def test_an_empty_expression_is_refused():
    (problem,) = refused(a_rule(""))
    assert problem.position == 0
    assert "empty" in problem.message


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("truncate(a)", "truncate() takes 2 arguments, not 1"),
        ("lookup('t', a, b, c)", "lookup() takes 2 to 3 arguments, not 4"),
        ("concat()", "concat() takes at least 1 arguments, not 0"),
        ("join(a)", "join() takes 2 arguments, not 1"),
        ("not_null()", "not_null() takes at least 1 arguments, not 0"),
    ],
)
def test_arguments_are_counted_before_the_rule_is_kept(source: str, says: str):
    assert refused(a_rule(source))[0].message == says


def test_an_expression_that_is_too_long_is_refused():
    (problem,) = refused(a_rule("a" * (MAX_LENGTH + 1)))
    assert problem.position == MAX_LENGTH


@pytest.mark.parametrize("source", ["(" * 900 + "a" + ")" * 900, "|".join(["[@,@]"] * 250), "!" * 70 + "a"])
def test_an_expression_nested_too_deeply_is_refused_not_crashed_on(source: str):
    assert "deep" in refused(a_rule(source))[0].message


def test_an_expression_at_the_limit_of_depth_is_taken():
    compile_rules([a_rule("!" * (MAX_DEPTH - 1) + "a")])


@pytest.mark.parametrize("target", ["", "a b", "a.", ".a", "a..b", "1a", "a[0]", "a[].b[].c", "a-b", "x" * 201])
def test_a_target_that_is_no_field_name_is_refused(target: str):
    assert refused(a_rule(target=target))[0].field == "target"


@pytest.mark.parametrize("target", ["name", "processingStatus.active", "DocumentLines[].AccountCode", "U_BW_Id"])
def test_dotted_targets_and_rows_are_taken(target: str):
    assert compile_rules([a_rule(target=target)]).targets == [target]


def test_two_rules_cannot_fill_the_same_target():
    (problem,) = refused(a_rule(), a_rule())
    assert (problem.index, problem.message) == (1, "name is filled by rule 1 already")


def test_a_target_cannot_be_part_of_another_one():
    (problem,) = refused(a_rule(target="paymentTerms"), a_rule(target="paymentTerms.paymentTermCode"))
    assert problem.index == 1
    assert "parts of each other" in problem.message


def test_a_target_that_begins_like_another_one_is_its_own_field():
    compile_rules([a_rule(target="text1"), a_rule(target="text10")])


def test_an_unknown_target_is_refused_where_the_targets_are_known():
    assert refused(a_rule(target="nmae"), targets={"name"})[0].message == "nmae is not a field of the target"
    compile_rules([a_rule()], targets={"name"})


@pytest.mark.parametrize("lookup", ["no name", "", "x" * 201])
def test_a_lookup_needs_a_proper_name(lookup: str):
    assert refused(a_rule(lookup=lookup))[0].field == "lookup"


def test_a_lookup_table_must_exist_where_the_tables_are_known():
    assert refused(a_rule(lookup="units"), lookups={"branches"})[0].message == "there is no lookup table units"
    compile_rules([a_rule(lookup="units")], lookups={"units"})


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"target": "name"},
        {"source": "CardName"},
        {"target": 1, "source": "CardName"},
        {"target": "name", "source": None},
        {"target": "name", "source": "CardName", "required": "yes"},
        {"target": "name", "source": "CardName", "lookup": 5},
        {"target": "name", "source": "CardName", "surprise": 1},
        "CardName",
        None,
    ],
)
def test_what_is_no_rule_is_refused_by_its_index(rule: Any):
    problems = refused(a_rule(target="first"), rule)
    assert [(problem.index, problem.field) for problem in problems] == [(1, "rule")]


def test_more_rules_than_anyone_needs_are_refused():
    rules = [a_rule(target=f"text{number}") for number in range(MAX_RULES + 1)]
    assert "more than" in refused(*rules)[0].message
    compile_rules(rules[:MAX_RULES])


def test_a_problem_has_the_shape_that_the_api_shows():
    assert refused(a_rule("a b"))[0].to_dict() == {
        "index": 0,
        "field": "source",
        "position": 2,
        "message": "not a JMESPath expression: Unexpected token: b at 'b'",
    }


@pytest.mark.parametrize(
    "data",
    [
        {"target": "name", "source": "CardName"},
        {"target": "uom", "source": "MeasureUnit", "lookup": "units", "default": "PCE"},
        {"target": "name", "source": "CardName", "required": True},
    ],
)
def test_a_rule_comes_back_in_the_shape_it_was_given(data: dict[str, Any]):
    assert Rule.from_dict(data).to_dict() == data


def test_a_rule_with_defaults_spelled_out_comes_back_short():
    rule = Rule.from_dict({"target": "a", "source": "b", "default": None, "required": False, "lookup": None})
    assert rule.to_dict() == {"target": "a", "source": "b"}


def test_row_rules_are_split_off_with_their_targets_shortened():
    header = Rule("CardCode", "supplierCode", required=True)
    row = Rule("DocumentLines[].AccountCode", "accountCode", default="6000", required=True, lookup="accounts")
    plain, rows = split_row_rules([header, row])
    assert plain == [header]
    assert rows == {"DocumentLines": [Rule("AccountCode", "accountCode", "6000", True, "accounts")]}
