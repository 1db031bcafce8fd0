"""Broker settings that would run tasks twice are refused at start (stack.md)."""

from __future__ import annotations

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from syncengine.checks import BROKER, broker_settings, least_retry


def found(settings, **changes: object) -> list[str]:
    settings.Q_CLUSTER = {**configured.Q_CLUSTER, **changes}
    return [message.id for message in broker_settings(None)]


def test_the_settings_we_ship_pass(settings):
    assert found(settings) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"queue_limit": 4}, "syncengine.E001"),
        ({"bulk": 5}, "syncengine.E002"),
        ({"retry": 400}, "syncengine.E003"),
        ({"timeout": 600}, "syncengine.E003"),
        ({"save_limit": 250}, "syncengine.E004"),
    ],
)
def test_each_bad_setting_has_its_own_error(settings, changes, code):
    assert code in found(settings, **changes)


def test_all_that_is_wrong_is_told_at_once(settings):
    assert found(settings, queue_limit=4, bulk=5, retry=1, save_limit=0) == [
        f"syncengine.E00{number}" for number in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("workers", "queue_limit", "timeout", "least"),
    [(2, 1, 300, 603), (1, 1, 300, 903), (4, 1, 300, 603), (2, 4, 100, 403)],
)
def test_the_least_retry_counts_what_is_prefetched(workers, queue_limit, timeout, least):
    assert least_retry({"workers": workers, "queue_limit": queue_limit, "timeout": timeout}) == least


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
def test_any_number_of_workers_passes(settings, workers):
    assert found(settings, workers=workers) == []


def test_the_check_is_registered_under_its_own_tag(settings):
    settings.Q_CLUSTER = {**configured.Q_CLUSTER, "bulk": 5}
    assert "syncengine.E002" in [message.id for message in run_checks(tags=[BROKER])]


@pytest.mark.django_db
@pytest.mark.parametrize("command", [("sync", "1"), ("worker",)])
def test_commands_that_work_refuse_to_start_with_bad_settings(settings, command):
    settings.Q_CLUSTER = {**configured.Q_CLUSTER, "queue_limit": 4}
    with pytest.raises(CommandError, match="queue_limit"):
        call_command(*command, skip_checks=False)
