"""Counting per window."""

from __future__ import annotations

import pytest

from portal.rates import Rate

NOON = 1_777_896_000.0


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("6000/min", Rate(6000, 60)),
        ("20/m", Rate(20, 60)),
        ("5/sec", Rate(5, 1)),
        ("100/hour", Rate(100, 3600)),
        ("7/day", Rate(7, 86400)),
    ],
)
def test_a_rate_is_read_as_the_settings_write_it(text, rate):
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "many/min", "5", "5/fortnight", "0/min", "-1/min", "10/year", "5/"])
def test_a_rate_that_cannot_be_read_fails_at_start(text):
    with pytest.raises(ValueError, match="is no rate"):
        Rate.parse(text)


def test_what_exceeds_the_limit_is_told_how_long_to_wait():
    rate = Rate(2, 60)
    assert [rate.exceeded("a", NOON + 15) for _ in range(3)] == [0, 0, 45]
    assert rate.exceeded("b", NOON + 15) == 0
    assert rate.exceeded("a", NOON + 60) == 0


def test_processes_share_the_count_in_files_too(settings, tmp_path):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": tmp_path}
    }
    rate = Rate(2, 60)
    assert [bool(rate.exceeded("a", NOON)) for _ in range(4)] == [False, False, True, True]
