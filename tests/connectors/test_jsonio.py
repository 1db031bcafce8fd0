"""JSON that never passes through float."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors import jsonio


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("100.10"), "100.10"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1E+2"), "100"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-0.00"), "-0.00"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ('O\'Reilly "ä"\n', '"O\'Reilly \\"\\u00e4\\"\\n"'),
        (date(2026, 11, 20), '"2026-11-20"'),
        ([], "[]"),
        ({}, "{}"),
        ({"a": [Decimal("1.50"), {"b": ()}]}, '{"a":[1.50,{"b":[]}]}'),
    ],
)
def test_values_are_written_exactly(value, text):
    assert jsonio.dumps(value) == text
    assert jsonio.dump_bytes(value) == text.encode()


@pytest.mark.parametrize("value", [1.5, {"amount": 0.1}, [float("nan")], object(), b"x", datetime.now(UTC)])
def test_a_float_or_anything_without_an_exact_form_is_refused(value):
    with pytest.raises(TypeError):
        jsonio.dumps(value)


def test_keys_must_be_text():
    with pytest.raises(TypeError):
        jsonio.dumps({1: "x"})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1E+999999", "1E-999999"])
def test_numbers_that_are_no_amounts_are_refused(text):
    with pytest.raises(ValueError, match="not a number"):
        jsonio.dumps({"amount": Decimal(text)})


def test_numbers_are_read_as_decimal_or_int():
    read = jsonio.loads(b'\xef\xbb\xbf{"a": 100.10, "b": 1000.0, "c": 5, "d": 1e2}')
    assert read == {"a": Decimal("100.10"), "b": Decimal("1000.0"), "c": 5, "d": Decimal("1e2")}
    assert str(read["a"]) == "100.10"
    assert not any(isinstance(value, float) for value in read.values())


@pytest.mark.parametrize(
    "text", ["", "<html>", "{", '{"a": NaN}', '{"a": -Infinity}', "1e" + "9" * 40, "[" * 100_000, b"\xff\xfe"]
)
def test_what_is_not_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        jsonio.loads(text)


_AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text() | _AMOUNTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_reads_back_the_same(value):
    assert jsonio.loads(jsonio.dumps(value)) == value
    json.loads(jsonio.dumps(value))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("33.330000000000005", "33.33"),
        ("0.30000000000000004", "0.3"),
        ("119.99999999999999", "120"),
        ("150.60", "150.60"),
        ("-0.1", "-0.1"),
        ("1234567890123.45", "1234567890123.45"),
        ("1000.00000000000000000", "1000"),
    ],
)
def test_digits_that_no_double_carries_are_noise(written, meant):
    """Both systems keep amounts, quantities and rates as doubles (contracts: Basware §6, SAP §8)."""
    read = jsonio.loads(f'{{"a": {written}}}', doubles=True)["a"]
    assert read == Decimal(meant)
    assert Decimal(jsonio.dumps(read)) == Decimal(meant)


def test_what_we_wrote_ourselves_is_read_back_with_every_digit():
    assert jsonio.loads("33.330000000000005") == Decimal("33.330000000000005")


def test_what_is_written_already_goes_in_as_it_is():
    once = jsonio.Written(jsonio.dumps({"sum": Decimal("1.10"), "name": "ä"}))
    assert jsonio.loads(jsonio.dump_bytes([once, {"rest": once}])) == [
        {"sum": Decimal("1.10"), "name": "ä"},
        {"rest": {"sum": Decimal("1.10"), "name": "ä"}},
    ]
