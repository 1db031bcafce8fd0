"""One name for the content of a payload: what is equal for the target has the same one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.mapping import fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (1, Decimal("1.00")),
        (Decimal("100"), Decimal("1E+2")),
        (1.5, Decimal("1.50")),
        (0, Decimal("-0.0")),
        ([1, 2], (1, 2)),
        ("ä", "\u00e4"),
    ],
)
def test_equal_content_has_the_same_fingerprint(one: Any, other: Any):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (None, "null"),
        ({}, []),
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
        ("a", "a "),
        (Decimal("0.1"), Decimal("0.10000000000000000000000000000000001")),
    ],
)
def test_different_content_has_another_fingerprint(one: Any, other: Any):
    assert fingerprint(one) != fingerprint(other)


def test_the_fingerprint_is_sixty_four_hex_digits_and_stays_what_it_is():
    payload = {"vendorCode": "V10012", "amount": Decimal("100.10"), "active": True}
    assert fingerprint(payload) == "ccec9044e19f379dde241f8a5e4dace5ba6f1c14e2ab29829ca38969a5632c93"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_values)
def test_any_payload_has_a_fingerprint_and_always_the_same(value: Any):
    assert fingerprint(value) == fingerprint(value)
    assert len(fingerprint(value)) == 64


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_how_a_number_is_written_does_not_matter(number: int, zeros: int):
    assert fingerprint(Decimal(f"{number}.{'0' * zeros or '0'}")) == fingerprint(number)
