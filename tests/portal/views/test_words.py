"""Words, numbers and badges of the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.template import Context, Template

from portal.templatetags import portal_ui
from syncengine.models import RecordStatus, RunStatus
from tests.factories import NOON


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (Decimal("1234.5"), "EUR", "1,234.50 EUR"),
        (Decimal("0"), "SEK", "0.00 SEK"),
        (Decimal("1234567.000000"), "", "1,234,567.00"),
        (Decimal("0.123400"), "KWD", "0.1234 KWD"),
        (Decimal("-12"), "EUR", "-12.00 EUR"),
        (None, "EUR", ""),
    ],
)
def test_amounts_have_two_places_and_thousands(amount, currency, words):
    assert portal_ui.money(amount, currency) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "just now"),
        (-5, "in a moment"),
        (70, "1 min ago"),
        (-600, "in 10 min"),
        (7200, "2 h ago"),
        (3 * 86400, "3 days ago"),
        (30 * 86400, "4 Apr"),
        (400 * 86400, "30 Mar 2025"),
    ],
)
def test_times_are_told_in_words(seconds, words):
    assert portal_ui.relative_words(NOON - timedelta(seconds=seconds), NOON) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(0, "0 ms"), (999, "999 ms"), (1840, "1.8 s"), (125_000, "2 min 5 s"), (None, "–")]
)
def test_durations_are_short(milliseconds, words):
    assert portal_ui.duration(milliseconds) == words


def test_every_status_has_a_colour_and_a_word():
    assert set(portal_ui.RUN_STATUS) == set(RunStatus.values)
    assert set(portal_ui.RECORD_STATUS) == set(RecordStatus.values)


def test_a_badge_escapes_what_it_does_not_know():
    assert "&lt;b&gt;" in portal_ui.status("run", "<b>")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (None, "By hand"),
        ("", "By hand"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("5 4 * * *", "At 04:05 every day"),
        ("nonsense", "nonsense"),
    ],
)
def test_schedules_are_told_in_words(expression, words):
    assert portal_ui.cron_words(expression) == words


def test_a_run_that_has_not_begun_took_no_time():
    assert portal_ui.took(SimpleNamespace(started_at=None)) == "–"
    ended = SimpleNamespace(started_at=NOON, finished_at=NOON + timedelta(seconds=3))
    assert portal_ui.took(ended) == "3.0 s"


def test_a_time_carries_its_exact_moment():
    moment = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
    page = Template("{% load portal_ui %}{% when moment %}|{% clock moment %}|{% when none otherwise='never' %}")
    words = page.render(Context({"moment": moment, "none": None}))
    assert words.count('datetime="2026-05-04T10:00:00+00:00"') == 2
    assert words.endswith("|never")


@pytest.mark.parametrize(("flow", "title"), [("vendors", "Vendors"), ("long_gone", "Long gone")])
def test_a_flow_that_is_gone_still_has_a_title(flow, title):
    assert portal_ui.flow_title(flow) == title


def test_whether_mail_goes_to_the_log_follows_the_setting(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert portal_ui.mail_goes_to_log()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert not portal_ui.mail_goes_to_log()
