"""Applying rules: trimmed, cut, looked up, required; every problem with its path."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.mapping import Mapped, Problem, Rule, compile_rules


def apply(source: Any, *rules: dict[str, Any] | Rule, **given: Any) -> Mapped:
    return compile_rules(list(rules)).apply(source, **given)


def test_a_dotted_target_fills_a_nested_object():
    rules = [Rule("processingStatus.active", "A"), Rule("processingStatus.paymentDenied", "B")]
    assert apply({"A": True, "B": False}, *rules).target == {
        "processingStatus": {"active": True, "paymentDenied": False}
    }


def test_text_is_trimmed():
    assert apply({"N": "  Nordic Paper \n"}, Rule("name", "N")).target == {"name": "Nordic Paper"}


@pytest.mark.parametrize("nothing", [None, "", "   ", [], {}, {"inner": None}, [None, ""]])
def test_an_optional_field_without_a_value_is_left_out(nothing: Any):
    assert apply({"N": nothing}, Rule("name", "N")) == Mapped({})


@pytest.mark.parametrize("value", [0, False, Decimal(0)])
def test_zero_and_false_are_values(value: Any):
    assert apply({"N": value}, Rule("amount", "N", required=True)).target == {"amount": value}


def test_a_required_field_without_a_value_is_a_problem():
    mapped = apply({}, Rule("vendorCode", "CardCode", required=True))
    assert mapped.problems == [
        Problem(
            "vendorCode",
            "vendorCode is required, but CardCode has no value",
            "Fill the field in the source system, or give the mapping rule a default.",
            "required",
        )
    ]


def test_all_problems_are_collected():
    rules = [Rule("a", "A", required=True), Rule("b", "B", lookup="t"), Rule("c", "abs(C)"), Rule("d", "D")]
    mapped = apply({"B": "x", "C": "text", "D": "fine"}, *rules)
    assert [(problem.path, problem.code) for problem in mapped.problems] == [
        ("a", "required"),
        ("b", "lookup_missing"),
        ("c", "mapping"),
    ]
    assert mapped.target == {"d": "fine"}


def test_a_problem_has_the_shape_that_the_api_shows():
    problem = apply({}, Rule("a", "A", required=True)).problems[0]
    assert set(problem.to_dict()) == {"path", "message", "hint"}


def test_a_default_stands_in_for_an_empty_value():
    assert apply({"A": " "}, Rule("a", "A", default="none", required=True)).target == {"a": "none"}


def test_a_lookup_translates_the_value_as_text():
    mapped = apply({"A": 3, "B": Decimal("3.0")}, Rule("a", "A", lookup="t"), Rule("b", "B", lookup="t"),
                   lookups={"t": {"3": "NT30"}})  # fmt: skip
    assert mapped.target == {"a": "NT30", "b": "NT30"}


def test_a_value_that_the_table_does_not_know_is_a_problem_that_says_where_to_mend_it():
    (problem,) = apply({"A": "BOX"}, Rule("uom", "A", lookup="units"), lookups={"units": {}}).problems
    assert problem.message == "uom: the lookup table units has no entry for BOX"
    assert problem.hint == "Add BOX to the lookup table units on the mapping page."


def test_a_missing_lookup_of_a_required_field_is_one_problem_not_two():
    assert len(apply({"A": "BOX"}, Rule("uom", "A", lookup="units", required=True)).problems) == 1


def test_a_missing_lookup_falls_back_on_the_default():
    assert apply({"A": "BOX"}, Rule("uom", "A", lookup="units", default="PCE")) == Mapped({"uom": "PCE"})


def test_an_empty_value_is_not_looked_up():
    assert apply({"A": None}, Rule("uom", "A", lookup="units")) == Mapped({})


def test_text_longer_than_the_target_allows_is_cut_noted_and_flagged():
    mapped = apply({"N": "Nordic Paper Oy"}, Rule("name", "N"), limits={"name": 7})
    assert mapped == Mapped({"name": "Nordic"}, [], ["name was cut from 15 to 7 characters"], {"text_cut"})


def test_text_of_just_the_limit_is_not_cut():
    assert apply({"N": " Nordic "}, Rule("name", "N"), limits={"name": 6}) == Mapped({"name": "Nordic"})


def test_text_inside_lists_is_cut_too_and_named_by_its_place():
    source = {"A": [{"cityName": "Helsinki"}, {"cityName": "Helsingborg"}]}
    mapped = apply(source, Rule("addresses", "A"), limits={"addresses.cityName": 8})
    assert mapped.target["addresses"][1] == {"cityName": "Helsingb"}
    assert mapped.notes == ["addresses[1].cityName was cut from 11 to 8 characters"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (Decimal("3.0"), "3"), (Decimal("0.10"), "0.1"), (-1, "-1"), (True, "true"), (30.5, "30.5")],
)
def test_a_number_that_goes_into_a_text_field_goes_as_decimal_text(value: Any, text: str):
    assert apply({"A": value}, Rule("code", "A"), limits={"code": 25}).target == {"code": text}


def test_amounts_stay_decimals_to_the_last_digit():
    mapped = apply({"A": Decimal("100.10"), "B": 0.1}, Rule("a", "A"), Rule("b", "B"))
    assert str(mapped.target["a"]) == "100.10"
    assert mapped.target["b"] == Decimal("0.1")


def test_whole_numbers_stay_whole():
    value = apply({"A": 30}, Rule("days", "A")).target["days"]
    assert isinstance(value, int)


def test_dates_become_text():
    assert apply({"A": date(2026, 5, 4)}, Rule("day", "A")).target == {"day": "2026-05-04"}


def test_empty_values_inside_objects_and_lists_are_left_out():
    source = {"A": {"x": "", "y": " 1 ", "z": [None, {"n": None}, "2"]}}
    assert apply(source, Rule("a", "A")).target == {"a": {"y": "1", "z": ["2"]}}


def test_row_rules_are_applied_to_each_row():
    rules = [Rule("header.number", "N"), Rule("lines[].quantity", "Q"), Rule("lines[].extra.code", "C")]
    mapped = apply({"N": 1}, *rules, rows={"lines": [{"Q": 5, "C": "a"}, {"Q": 6}]})
    assert mapped.target == {
        "header": {"number": 1},
        "lines": [{"quantity": 5, "extra": {"code": "a"}}, {"quantity": 6}],
    }


def test_a_problem_of_a_row_names_the_row():
    rules = [Rule("lines[].quantity", "Q", required=True)]
    (problem,) = apply({}, *rules, rows={"lines": [{"Q": 5}, {}]}).problems
    assert problem.path == "lines[1].quantity"


def test_rows_have_their_own_limits():
    mapped = apply({}, Rule("lines[].text", "T"), rows={"lines": [{"T": "abcd"}]}, limits={"lines.text": 2})
    assert mapped.target == {"lines": [{"text": "ab"}]}


def test_row_rules_without_rows_give_an_empty_list():
    assert apply({}, Rule("lines[].quantity", "Q")).target == {"lines": []}


def test_the_same_mapping_gives_the_same_result_again_and_does_not_touch_the_source():
    mapping = compile_rules([Rule("a", "A[?x > `1`].{y: y}"), Rule("b", "sort_by(A, &x)")])
    source = {"A": [{"x": Decimal(2), "y": " k "}, {"x": 1, "y": "l"}]}
    first, second = mapping.apply(source), mapping.apply(source)
    assert first == second
    first.target["b"][0]["y"] = "changed"
    assert source == {"A": [{"x": Decimal(2), "y": " k "}, {"x": 1, "y": "l"}]}


def test_a_nul_is_taken_out_of_text():
    assert apply({"A": "a\0b"}, Rule("a", "A")).target == {"a": "ab"}


def test_an_expression_over_the_wrong_kind_of_value_is_a_problem_of_that_target():
    (problem,) = apply({"A": {"no": "list"}}, Rule("total", "sum(A)")).problems
    assert problem.path == "total"
    assert problem.message.startswith("total: the rule sum(A) cannot be evaluated: In function sum()")
    assert problem.hint == "Change the mapping rule."
