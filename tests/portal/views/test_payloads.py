"""Source and target as lines, exact to the digit, with what the rules made marked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.views.payloads import MOST_LINES, compare, pretty


def marks(comparison):
    return {line.text.strip().split('"')[1]: line.mark for line in comparison.target if '"' in line.text}


def test_json_is_indented_and_amounts_keep_their_digits():
    assert pretty({"LineTotal": Decimal("100.10"), "rows": [1, "ä"], "none": None, "empty": {}}) == (
        '{\n  "LineTotal": 100.10,\n  "rows": [\n    1,\n    "ä"\n  ],\n  "none": null,\n  "empty": {}\n}'
    )


def test_a_value_that_stands_in_the_source_is_not_marked_whatever_its_field_is_called():
    assert marks(compare({"supplierCode": "V1"}, {"CardCode": "V1"})) == {"CardCode": ""}


def test_what_a_rule_made_is_marked():
    assert marks(compare({"a": "V1"}, {"CardCode": "V1", "TaxCode": "S1"})) == {"CardCode": "", "TaxCode": "made"}


@pytest.mark.parametrize(
    ("source", "target"), [("10", 10), (Decimal("10.00"), 10), ("Nordic ", "nordic"), (True, True)]
)
def test_what_people_take_as_equal_is_not_marked(source, target):
    assert marks(compare({"a": source}, {"b": target})) == {"b": ""}


def test_what_changed_since_the_target_confirmed_it_is_marked():
    found = compare({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 1, "b": 1})
    assert marks(found) == {"a": "", "b": "changed"}
    assert found.changed
    assert not found.made


def test_nothing_read_yet_is_nothing_to_show():
    found = compare(None, None)
    assert not found.made
    assert not found.cut


def test_a_huge_payload_is_cut():
    found = compare({"rows": list(range(MOST_LINES + 50))}, {})
    assert found.cut
    assert len(found.source) == MOST_LINES
