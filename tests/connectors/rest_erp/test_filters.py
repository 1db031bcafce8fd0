"""The filters of the seam, evaluated over rows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.rest_erp.filters import matching
from syncengine.connectors.sap_b1.literals import all_of, contains, equals, starts_with

ROW = {"Code": "V'1", "Number": "INV 10", "Entry": 7, "Sum": Decimal("10.50"), "Day": "2026-11-20", "Empty": None}


@pytest.mark.parametrize(
    ("where", "passes"),
    [
        ("", True),
        (equals("Code", "V'1"), True),
        (equals("Code", "V2"), False),
        (equals("Entry", 7), True),
        (equals("Code", 7), False),
        (equals("Absent", "x"), False),
        (starts_with("Number", "INV"), True),
        (starts_with("Empty", "x"), False),
        (contains("Number", "V 1"), True),
        ("Sum eq 10.5", True),
        ("Sum gt 10.5", False),
        ("Day ge '2026-11-20'", True),
        ("Day ge '2026-11-21'", False),
        ("Empty eq null", True),
        ("Empty ne null", False),
        ("Entry ne null", True),
        ("Empty gt 1", False),
        (all_of(equals("Entry", 7), equals("Code", "V2")), False),
        ("Entry eq 1 or Entry eq 7 and Code eq 'V''1'", True),
        ("(Entry eq 1 or Entry eq 7) and Code eq 'x'", False),
        ("(Entry eq 7) or (Entry eq 1)", True),
    ],
)
def test_a_filter_passes_what_it_says(where, passes):
    assert matching(where)(ROW) is passes


def test_case_counts_unless_it_is_told_not_to():
    where = equals("Number", "inv 10")
    assert not matching(where)(ROW)
    assert matching(where, fold=True)(ROW)


@pytest.mark.parametrize(
    "where", ["Code", "Code eq", "Code is 'x'", "(Code eq 'x'", "Code eq 'x' Code", "contains(Code"]
)
def test_what_is_no_filter_is_never_taken_for_one_that_lets_all_pass(where):
    with pytest.raises((ValueError, ArithmeticError)):
        matching(where)
