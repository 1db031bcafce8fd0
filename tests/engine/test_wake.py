"""Waking a worker: a message more than there are workers would wake nobody."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from syncengine.engine import wake


@pytest.fixture
def workers(settings, db):
    settings.WORKERS = 2
    return settings.WORKERS


def test_a_thousand_notifications_leave_no_more_messages_than_there_are_workers(workers):
    for _ in range(5):
        wake.send_wake_up()
    assert OrmQ.objects.count() == workers


def test_a_message_that_was_taken_makes_room_for_the_next(workers):
    for _ in range(workers):
        wake.send_wake_up()
    OrmQ.objects.first().delete()
    wake.send_wake_up()
    assert OrmQ.objects.count() == workers


def test_a_broker_that_has_enough_is_left_alone_for_a_moment(workers, monkeypatch, django_assert_num_queries):
    seconds = iter((100.0, 100.0, 100.0, 100.0, 100.01, 100.1))
    monkeypatch.setattr(wake, "monotonic", lambda: next(seconds))
    for _ in range(workers + 1):  # the last of them finds that there are enough
        wake.send_wake_up()
    with django_assert_num_queries(0):
        wake.send_wake_up()
        wake.send_wake_up()
    OrmQ.objects.all().delete()
    wake.send_wake_up()
    assert OrmQ.objects.count() == 1


def test_a_broker_that_is_away_stops_nobody(workers, monkeypatch):
    def away():
        raise ConnectionError("no broker")

    monkeypatch.setattr(wake, "get_broker", away)
    wake.send_wake_up()
    assert not OrmQ.objects.exists()
