"""The functions of rules, ours and JMESPath's own, with exact numbers."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from syncengine.mapping import compile_rules
from syncengine.mapping.functions import OWN_ARITY, MappingFunctions, calendar_day, rounded

SOURCE: dict[str, Any] = {
    "code": "V1",
    "name": " Nordic ",
    "none": None,
    "empty": "",
    "term": 3,
    "rate": Decimal("25.50"),
    "tenth": Decimal("0.1"),
    "text": "12.345",
    "when": "2026-11-18T23:59:59Z",
    "list": ["a", "b"],
    "numbers": [Decimal("0.1"), Decimal("0.2"), 3],
    "lines": [{"n": Decimal("2.5"), "c": "x"}, {"n": Decimal("1.5"), "c": "y"}],
}
LOOKUPS = {"terms": {"3": "NT30", "25.5": "VAT"}}


def evaluate(expression: str) -> Any:
    mapped = compile_rules([{"target": "x", "source": expression}]).apply(SOURCE, lookups=LOOKUPS)
    assert not mapped.problems, mapped.problems
    return mapped.target.get("x")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("concat(code, '-', term)", "V1-3"),
        ("concat(code, none, empty)", "V1"),
        ("concat(list)", "ab"),
        ("concat(rate, ' %')", "25.5 %"),
        ("concat(none)", None),
        ("lookup('terms', term)", "NT30"),
        ("lookup('terms', rate)", "VAT"),
        ("lookup('terms', code)", None),
        ("lookup('terms', code, 'other')", "other"),
        ("lookup('nosuch', code)", None),
        ("lookup('terms', none)", None),
        ("default(none, code)", "V1"),
        ("default(empty, code)", "V1"),
        ("default(term, code)", 3),
        ("default(`false`, code)", False),
        ("truncate(name, `3`)", "Nor"),
        ("truncate(rate, `2`)", "25"),
        ("truncate(none, `2`)", None),
        ("upper(name)", "NORDIC"),
        ("upper(none)", None),
        ("date(when)", "2026-11-18"),
        ("date('2026-11-18')", "2026-11-18"),
        ("date('tomorrow')", None),
        ("date(none)", None),
        ("number(text)", Decimal("12.345")),
        ("number(text, `2`)", Decimal("12.35")),
        ("number('2.5', `0`)", Decimal(3)),
        ("number(' 7 ')", Decimal(7)),
        ("number(code)", None),
        ("number('NaN')", None),
        ("number(none)", None),
        ("hash(code, term)", hashlib.sha256(b"V1\x003").hexdigest()),
        ("truncate(hash(code), `12`)", hashlib.sha256(b"V1").hexdigest()[:12]),
    ],
)
def test_our_functions(expression: str, value: Any):
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("tenth == `0.1`", True),
        ("rate == `25.5`", True),
        ("rate > `25`", True),
        ("lines[?n > `2.0`].c", ["x"]),
        ("sum(numbers)", Decimal("3.3")),
        ("avg(numbers)", Decimal("1.1")),
        ("avg(none || `[]`)", None),
        ("max(numbers)", 3),
        ("min(numbers)", Decimal("0.1")),
        ("sort(numbers)[0]", Decimal("0.1")),
        ("sort_by(lines, &n)[0].c", "y"),
        ("max_by(lines, &n).c", "x"),
        ("abs(rate)", Decimal("25.5")),
        ("ceil(rate)", 26),
        ("floor(rate)", 25),
        ("to_number(text)", Decimal("12.345")),
        ("to_number(code)", None),
        ("to_string(rate)", "25.5"),
        ("to_string(code)", "V1"),
        ("to_string(none)", "null"),
        ("to_string(lines[0])", '{"n":"2.5","c":"x"}'),
        ("type(rate)", "number"),
        ("type(code)", "string"),
        ("join(', ', list)", "a, b"),
        ("not_null(none, code)", "V1"),
    ],
)
def test_jmespaths_own_functions_take_exact_numbers(expression: str, value: Any):
    assert evaluate(expression) == value


@pytest.mark.parametrize("expression", ["truncate(name, `-1`)", "truncate(name, 'x')", "number(text, `99`)"])
def test_a_wrong_argument_is_a_problem_not_a_crash(expression: str):
    mapped = compile_rules([{"target": "x", "source": expression}]).apply(SOURCE)
    assert [problem.code for problem in mapped.problems] == ["mapping"]


def test_every_function_of_ours_is_documented_and_counted():
    assert set(OWN_ARITY) == {"concat", "lookup", "default", "truncate", "upper", "date", "number", "hash"}
    assert set(OWN_ARITY) <= set(MappingFunctions.FUNCTION_TABLE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-18T23:59:59Z", "2026-11-18"),
        ("2026-11-18T00:30:00+05:00", "2026-11-18"),
        ("2026-11-18", "2026-11-18"),
        ("20261118", "2026-11-18"),
        ("2026-13-40", None),
        (None, None),
        (Decimal("1.5"), None),
    ],
)
def test_a_date_is_its_first_ten_characters_and_never_converted(value: Any, expected: str | None):
    assert calendar_day(value) == expected


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [("0.005", 2, "0.01"), ("-0.005", 2, "-0.01"), ("2.5", 0, "3"), ("1E+40", 2, "1E+40"), ("10", 2, "10.00")],
)
def test_money_is_rounded_half_up(value: str, decimals: int, expected: str):
    assert str(rounded(Decimal(value), decimals)) == expected
