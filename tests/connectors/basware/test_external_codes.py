"""External codes (default-mapping.md, "External codes")."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.basware import external_code, response_code

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


def digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:12]


def test_a_short_code_is_readable():
    assert external_code("1000", "V", "V10000") == "1000-V-V10000"


def test_the_parts_of_a_key_are_joined_by_slashes():
    assert external_code("1000", "A", "V10000", "B", 0) == "1000-A-V10000/B/0"
    assert external_code("1000", "POL", 123, 4) == "1000-POL-123/4"


def test_a_suffix_belongs_to_the_key():
    assert external_code("1000", "PAY", 5120, 0, suffix="R") == "1000-PAY-5120/0R"
    key = "K" * 29
    assert external_code("1000", "V", key) == f"1000-V-{key}"
    assert external_code("1000", "V", key, suffix="R") == f"1000-V-{key[:16]}-{digest('1000', 'V', key + 'R')}"


@pytest.mark.parametrize(
    ("company", "key"),
    [("1000", "K" * 30), ("NORD-01", "V1"), ("1000", "V-1"), ("C" * 32, "V1")],
)
def test_a_long_code_or_a_dash_in_a_part_is_cut_and_hashed(company, key):
    code = external_code(company, "V", key)
    assert code == f"{company}-V-{key}"[:23] + "-" + digest(company, "V", key)
    assert len(code) <= 36


def test_the_cut_takes_23_characters_and_12_digits():
    assert external_code("1000", "GL", "_SYS00000000000012345678901") == "1000-GL-_SYS00000000000012345678901"
    assert external_code("1000", "GL", "_SYS0000000000001234567890123") == "1000-GL-_SYS00000000000-" + digest(
        "1000", "GL", "_SYS0000000000001234567890123"
    )


def test_parts_that_read_alike_when_joined_have_different_codes():
    assert external_code("10", "V", "A-V-B") != external_code("10-V-A", "V", "B")


@given(words, words)
def test_codes_are_stable_and_never_too_long(company, key):
    code = external_code(company, "V", key)
    assert code == external_code(company, "V", key)
    assert 1 <= len(code) <= 36


@given(st.tuples(words, words), st.tuples(words, words))
def test_different_records_have_different_codes(one, other):
    assert (external_code(one[0], "V", one[1]) == external_code(other[0], "V", other[1])) == (one == other)


def test_a_repeated_answer_carries_the_same_code_and_a_new_one_another():
    codes = [
        response_code(invoice, kind, number)
        for invoice in ("67192fd3809bc29599d22c92897b942a", "66840c508b3fa95c24a4e11016a78fb0")
        for kind in ("transfer", "payment")
        for number in (1, 2)
    ]
    assert len(set(codes)) == 8
    assert all(len(code) == 36 and UUID(code).version == 5 for code in codes)


def test_the_codes_of_answers_never_change_between_versions_of_the_product():
    assert response_code("67192fd3809bc29599d22c92897b942a", "transfer", 1) == "bc7f4f9c-55d6-551b-8435-d97c1589eb39"
