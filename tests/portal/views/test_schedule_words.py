"""Schedules in words, with their next times on the organization's wall, through both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from portal.forms.flows import CRON_PRESETS
from portal.views.schedule_words import words_of
from syncengine.engine.flow_states import next_time

BERLIN = datetime(2026, 5, 4, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
HELSINKI = ZoneInfo("Europe/Helsinki")
# At 3 the clocks go to 4; at 4 they go back to 3.
SPRING, AUTUMN = datetime(2026, 3, 28, 12, 0, tzinfo=HELSINKI), datetime(2026, 10, 24, 12, 0, tzinfo=HELSINKI)


def walls(expression, now):
    return [f"{time:%d %H:%M %Z}" for time in words_of(expression, now)["times"]]


def test_words_and_next_times_are_in_the_organizations_zone():
    told = words_of("0 2 * * *", BERLIN)
    assert told["words"] == "Every night at 2"
    assert [time.hour for time in told["times"]] == [2] * 5
    assert told["times"][0].tzinfo == BERLIN.tzinfo


@pytest.mark.parametrize("expression", ["nonsense", "* * *", "99 * * * *", "* * * * * *", "0 0 30 2 *"])
def test_a_schedule_that_is_none_says_how_it_should_look(expression):
    assert "five fields" in words_of(expression, BERLIN)["error"]


def test_no_schedule_has_no_words():
    assert words_of("", BERLIN) == {}


def test_a_night_s_run_stays_at_its_hour_when_the_clocks_change():
    assert walls("0 2 * * *", SPRING)[:3] == ["29 02:00 EET", "30 02:00 EEST", "31 02:00 EEST"]
    assert walls("0 2 * * *", AUTUMN)[:3] == ["25 02:00 EEST", "26 02:00 EET", "27 02:00 EET"]


def test_the_hour_that_is_left_out_in_march_does_not_lose_its_run():
    first, second = walls("30 3 * * *", SPRING)[:2]
    assert first == "29 04:00 EEST"
    assert second == "30 03:30 EEST"


def test_the_hour_that_comes_twice_in_october_runs_a_night_s_run_once():
    assert walls("30 3 * * *", AUTUMN)[:2] == ["25 03:30 EEST", "26 03:30 EET"]


@pytest.mark.parametrize("now", [SPRING, AUTUMN])
def test_every_quarter_of_an_hour_is_one_whatever_the_clocks_do(now):
    before = now.replace(day=now.day + 1, hour=2, minute=20)
    moments = [time.astimezone(UTC) for time in words_of("*/15 * * * *", before)["times"]]
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(minutes=15)}


@pytest.mark.parametrize("expression", [*CRON_PRESETS, "30 3 * * *", "0 4 25 10 *"])
@pytest.mark.parametrize("now", [SPRING, AUTUMN])
def test_what_is_told_is_what_the_engine_does(expression, now):
    at, told = now.astimezone(UTC), []
    for _ in range(5):
        at = next_time(expression, HELSINKI, at)
        told.append(at)
    assert [time.astimezone(UTC) for time in words_of(expression, now)["times"]] == told


@pytest.mark.parametrize(
    ("expression", "full", "said"),
    [
        ("* * * * *", True, "read every minute"),
        ("*/5 * * * *", True, "every 5 minutes"),
        ("0 2 * * *", True, ""),
        ("0 3 * * 0", True, ""),
        ("* * * * *", False, "every 5 minutes is enough"),
        ("0 3 1 * *", False, "more than a week"),
        ("0 3 * * 0", False, ""),
        *[(preset, False, "") for preset in CRON_PRESETS],
    ],
)
def test_an_absurd_schedule_is_warned_of_and_a_wise_one_is_not(expression, full, said):
    warning = words_of(expression, BERLIN, full=full)["warning"]
    assert said in warning
    assert bool(warning) is bool(said)


@pytest.mark.parametrize(("field", "warned"), [("schedule", False), ("full_schedule", True)])
def test_the_page_tells_the_two_schedules_apart(organization, people, field, warned):
    page = people["viewer"].get(f"/o/{organization.slug}/schedule-words/", {field: "*/5 * * * *"}).content.decode()
    assert "Every 5 minutes" in page
    assert ("Think twice" in page) is warned
    assert page.count("<li>") == 5
