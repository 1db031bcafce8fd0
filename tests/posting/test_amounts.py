from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.posting.amounts import amount, line_tolerance, money, split

amounts = st.decimals(min_value=-(10**7), max_value=10**7, places=2)
weights = st.lists(st.decimals(min_value="0.001", max_value=10**5, places=3), min_size=1, max_size=12)


@given(amounts, weights)
def test_parts_always_add_up_to_the_whole_to_the_cent(total: Decimal, shares: list[Decimal]):
    assert sum(split(total, shares, 2)) == total


@given(amounts, weights)
def test_every_part_but_the_last_is_its_share_rounded(total: Decimal, shares: list[Decimal]):
    parts = split(total, shares, 2)
    for part, share in zip(parts[:-1], shares[:-1], strict=True):
        assert abs(part - total * share / sum(shares)) <= Decimal("0.005")


@given(st.integers(min_value=-(10**7), max_value=10**7), weights)
def test_a_currency_without_decimals_is_split_into_whole_numbers(total: int, shares: list[Decimal]):
    assert all(part == part.to_integral_value() for part in split(Decimal(total), shares, 0))


def test_the_last_part_takes_the_cent():
    third = Decimal(1)
    assert split(Decimal("10.00"), [third, third, third], 2) == [Decimal("3.33"), Decimal("3.33"), Decimal("3.34")]


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [
        ("1.005", 2, "1.01"),
        ("-1.005", 2, "-1.01"),
        ("2.5", 0, "3"),
        ("-0.001", 2, "0.00"),
        ("0.1234565", 6, "0.123457"),
    ],
)
def test_money_is_rounded_half_up_and_never_minus_zero(value: str, decimals: int, rounded: str):
    assert str(money(Decimal(value), decimals)) == rounded


@pytest.mark.parametrize(("lines", "tolerance"), [(1, "0.02"), (2, "0.02"), (3, "0.03"), (50, "0.50")])
def test_a_cent_a_line_and_at_least_two_are_rounding(lines: int, tolerance: str):
    assert line_tolerance(lines) == Decimal(tolerance)


def test_a_currency_without_decimals_is_rounded_by_wholes():
    assert [line_tolerance(lines, Decimal(1)) for lines in (1, 3)] == [2, 3]


@pytest.mark.parametrize(("value", "number"), [(None, "0"), ("", "0"), (5, "5"), ("1.10", "1.10"), (True, "0")])
def test_what_is_no_number_counts_as_nothing(value: object, number: str):
    assert amount(value) == Decimal(number)
