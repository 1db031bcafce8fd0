"""How SAP writes dates and windows, how Basware wants names and dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.flows import values
from tests.flows.world import TODAY


@pytest.mark.parametrize(
    ("code", "name", "translation"),
    [
        ("6000", "Office supplies", "Office supplies"),
        ("6000", " Office ", "Office"),
        ("6000", "IT", "IT"),
        ("6000", "X", "6000 X"),
        ("6000", "", "6000"),
        ("6000", None, "6000"),
        ("A", "X", "A X"),
        ("A", "", "A -"),
        (3, None, "3 -"),
        (-1, "", "-1"),
    ],
)
def test_names_go_as_translations_of_two_characters_at_least(code: Any, name: Any, translation: str):
    assert values.names(code, name) == [{"language": "en-US", "translation": translation}]


@given(st.text(min_size=1, max_size=15).filter(str.strip), st.text(max_size=50))
def test_no_name_is_too_short_for_basware(code: str, name: str):
    assert len(values.names(code, name)[0]["translation"]) >= 2


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-05-04T00:00:00Z", "2026-05-04T00:00:00Z"),
        ("2026-05-04", "2026-05-04T00:00:00Z"),
        ("20260504", "2026-05-04T00:00:00Z"),
        ("2026-05-04T23:30:00-08:00", "2026-05-04T00:00:00Z"),
        (None, None),
        ("", None),
        ("soon", None),
    ],
)
def test_dates_go_as_written_and_are_never_converted(written: Any, found: str | None):
    assert values.moment(written) == found


@pytest.mark.parametrize(
    ("record", "usable"),
    [
        ({"Valid": "tYES"}, True),
        ({"Valid": "tNO", "Frozen": "tNO"}, True),
        ({"Frozen": "tYES"}, False),
        ({"Frozen": "tYES", "FrozenFrom": "2026-11-21"}, True),
        ({"Frozen": "tYES", "FrozenFrom": "2026-11-20"}, False),
        ({"Frozen": "tYES", "FrozenTo": "2026-11-20"}, False),
        ({"Frozen": "tYES", "FrozenTo": "2026-11-19"}, True),
        ({"Valid": "tYES", "ValidFrom": "2026-11-20", "ValidTo": "2026-11-20"}, True),
        ({"Valid": "tYES", "ValidFrom": "2026-11-21"}, False),
        ({"Valid": "tYES", "ValidTo": "2026-11-19"}, False),
        ({"Valid": "tNO", "ValidTo": "2020-01-01"}, True),
        ({"Valid": "boYES", "ValidTo": "2020-01-01"}, False),
        ({"Valid": "tYES", "Frozen": "tYES", "FrozenFrom": "2026-01-01", "FrozenTo": "2026-12-31"}, False),
    ],
)
def test_usable_today_goes_by_the_windows_and_never_by_valid_alone(record: dict[str, Any], usable: bool):
    assert values.usable(record, TODAY) is usable


def test_window_edges_are_the_first_day_and_the_day_after_the_last():
    record = {"ValidFrom": "2026-12-01", "ValidTo": "2026-12-31", "FrozenFrom": None, "FrozenTo": "2026-11-20"}
    assert values.window_edges(record, "Valid", "Frozen") == [date(2026, 11, 21), date(2026, 12, 1), date(2027, 1, 1)]


def test_a_window_without_end_has_no_edge():
    assert values.window_edges({"ValidTo": "9999-12-31"}, "Valid") == []


@pytest.mark.parametrize(
    ("value", "decimals", "amount"),
    [("10.005", 2, "10.01"), (None, 2, "0.00"), (Decimal("1000.4"), 0, "1000"), (10, 2, "10.00"), (0.1, 2, "0.10")],
)
def test_amounts_are_rounded_to_the_currencys_decimals(value: Any, decimals: int, amount: str):
    assert str(values.amount(value, decimals)) == amount


def test_what_has_no_value_is_left_out():
    assert values.compact({"a": None, "b": "", "c": [], "d": {}, "e": 0, "f": False}) == {"e": 0, "f": False}


def test_a_title_is_code_and_name_and_never_too_long():
    assert values.title("V1", " Nordic ") == "V1 Nordic"
    assert values.title("V1", None) == "V1"
    assert len(values.title("V1", "x" * 400)) == 250


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-04T12:00:00Z", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("2026-05-04T12:00:00.250", datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-05-04T12:00:00+02:00", datetime(2026, 5, 4, 12, tzinfo=timezone(timedelta(hours=2)))),
        ("", None),
        (None, None),
        ("yesterday", None),
    ],
)
def test_an_instant_has_a_zone_and_nonsense_is_none(text: Any, moment: datetime | None) -> None:
    assert values.instant(text) == moment
