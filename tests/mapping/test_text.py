"""Scalars as text and numbers as Decimal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.mapping.text import as_text, canonical_decimal, is_empty, to_decimal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("30.0", "30"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0.10", "0.1"),
        ("-0.050", "-0.05"),
        ("0.00", "0"),
        ("-0", "0"),
        ("1234567.891", "1234567.891"),
        ("1E-7", "0.0000001"),
        ("1E+999999", "1E999999"),
        ("12E-999999", "12E-999999"),
    ],
)
def test_a_number_is_written_in_its_shortest_exact_form(value: str, text: str):
    assert canonical_decimal(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_the_written_number_is_the_number(value: Decimal):
    assert Decimal(canonical_decimal(value)) == value


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, Decimal(1)),
        (0.1, Decimal("0.1")),
        ("2.50", Decimal("2.50")),
        (Decimal("3.10"), Decimal("3.10")),
        (True, None),
        (None, None),
        ("", None),
        ("1,5", None),
        ("NaN", None),
        (Decimal("Infinity"), None),
        (float("nan"), None),
        ([], None),
    ],
)
def test_numbers_are_taken_exactly_as_written(value: Any, number: Decimal | None):
    assert to_decimal(value) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  a ", "a"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (Decimal("3.10"), "3.1"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_every_scalar_has_a_text(value: Any, text: str):
    assert as_text(value) == text


def test_a_number_of_thousands_of_digits_has_a_short_text():
    assert as_text(10**5000) == "1E5000"


@pytest.mark.parametrize("value", [None, "", "  ", [], {}])
def test_nothing_is_empty(value: Any):
    assert is_empty(value)


@pytest.mark.parametrize("value", [0, False, "0", [None], {"a": None}, Decimal(0)])
def test_a_value_is_not_empty(value: Any):
    assert not is_empty(value)
