"""Leases and named locks: rows that several workers can agree on."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import structlog
from django.utils import timezone

from syncengine.engine import locks
from syncengine.engine.leases import Heartbeat, LeaseLost, lease_end, new_owner
from syncengine.models import NamedLock
from tests.engine.world import in_threads

SHORT = 0.15


# Leases


def test_every_owner_has_a_name_of_its_own():
    assert len({new_owner() for _ in range(100)}) == 100
    assert len(new_owner()) <= 80


def test_a_lease_ends_after_lease_seconds(settings):
    settings.LEASE_SECONDS = 30
    now = timezone.now()
    assert lease_end(now) - now == timedelta(seconds=30)


def test_a_lease_is_renewed_at_a_third_of_its_time(settings):
    settings.LEASE_SECONDS = SHORT
    beats = threading.Semaphore(0)

    def renew() -> bool:
        beats.release()
        return True

    started = time.monotonic()
    with Heartbeat(renew) as heartbeat:
        assert beats.acquire(timeout=2)
        assert beats.acquire(timeout=2)
        heartbeat.check()
    assert time.monotonic() - started >= SHORT * 2 / 3


def test_a_lease_that_is_gone_is_told_to_the_worker(settings):
    settings.LEASE_SECONDS = SHORT
    asked = threading.Event()

    def renew() -> bool:
        asked.set()
        return False

    with Heartbeat(renew) as heartbeat:
        assert asked.wait(2)
        heartbeat._thread.join(2)
        with pytest.raises(LeaseLost):
            heartbeat.check()


def test_a_hiccup_of_the_database_does_not_give_the_lease_up(settings):
    settings.LEASE_SECONDS = SHORT
    again = threading.Semaphore(0)

    def renew() -> bool:
        again.release()
        raise RuntimeError("database is locked")

    with structlog.testing.capture_logs() as logged, Heartbeat(renew) as heartbeat:
        assert again.acquire(timeout=2)
        assert again.acquire(timeout=2)
        heartbeat.check()
    assert {entry["event"] for entry in logged} == {"lease_renewal_failed"}


def test_the_heart_stops_with_the_block(settings):
    settings.LEASE_SECONDS = 60
    with Heartbeat(lambda: True) as heartbeat:
        assert heartbeat._thread.is_alive()
    assert not heartbeat._thread.is_alive()


# Named locks


@pytest.mark.django_db
def test_a_lock_that_is_held_makes_others_wait_and_then_give_up():
    mine, theirs = (locks.held("login", "1", seconds=60, wait=wait) for wait in (0, 0.1))
    with mine, pytest.raises(locks.LockBusy), theirs:
        pass


@pytest.mark.django_db
def test_locks_of_other_things_do_not_meet():
    with locks.held("login", "1", seconds=60, wait=0), locks.held("login", "2", seconds=60, wait=0):
        assert NamedLock.objects.count() == 2
    assert NamedLock.objects.count() == 0


@pytest.mark.django_db
def test_the_parts_of_a_name_cannot_run_into_each_other():
    assert locks.lock_name("a", "bc") != locks.lock_name("ab", "c")


@pytest.mark.django_db
def test_a_lock_whose_holder_died_is_taken_when_its_time_is_over():
    NamedLock.objects.create(name=locks.lock_name("x"), owner="dead", expires_at=timezone.now())
    with locks.held("x", seconds=60, wait=0):
        assert NamedLock.objects.get().owner != "dead"


@pytest.mark.django_db
def test_a_lock_that_was_taken_over_is_not_given_back_by_its_first_holder():
    with locks.held("x", seconds=60, wait=0):
        NamedLock.objects.update(owner="another")
    assert NamedLock.objects.get().owner == "another"


@pytest.mark.django_db
def test_a_lock_taken_for_a_time_is_not_given_back():
    assert locks.taken_for("sweep", seconds=60)
    assert not locks.taken_for("sweep", seconds=60)
    assert not locks.is_free("sweep", now=timezone.now())
    assert locks.is_free("sweep", now=timezone.now() + timedelta(seconds=61))


@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_holds_a_lock():
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with locks.held("x", seconds=60, wait=20):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)  # the time itself is what is shared
            inside.pop()

    in_threads(*[work] * 5)
    assert most == [1] * 5
