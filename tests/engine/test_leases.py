"""Leases, named locks and slots: rows that several workers can agree on."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import structlog
from django.utils import timezone

from syncengine.engine import locks, slots
from syncengine.engine.leases import Heartbeat, LeaseLost, lease_end, new_owner
from syncengine.models import CallSlot, NamedLock
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


# Slots


@pytest.mark.django_db
def test_the_first_holder_has_all_slots_that_are_free(connected, settings):
    settings.CALLS_IN_FLIGHT = 3
    with slots.held(connected, "basware") as mine, slots.held(connected, "basware") as others:
        assert (mine, others) == (3, 0)


@pytest.mark.django_db
def test_slots_are_given_back(connected, settings):
    settings.CALLS_IN_FLIGHT = 3
    with slots.held(connected, "basware"):
        pass
    with slots.held(connected, "basware") as mine:
        assert mine == 3
    assert CallSlot.objects.count() == 3


@pytest.mark.django_db
def test_two_holders_together_never_have_more_than_there_are(connected, settings):
    settings.CALLS_IN_FLIGHT = 4
    with slots.held(connected, "basware", wanted=3) as mine, slots.held(connected, "basware") as others:
        assert (mine, others) == (3, 1)


@pytest.mark.django_db
def test_each_connection_has_slots_of_its_own(connected, settings):
    settings.CALLS_IN_FLIGHT = 2
    with slots.held(connected, "basware") as to_basware, slots.held(connected, "sap_b1") as to_sap:
        assert (to_basware, to_sap) == (2, 2)


@pytest.mark.django_db
def test_the_slots_of_a_dead_worker_are_free_when_their_lease_is_over(connected, settings):
    settings.CALLS_IN_FLIGHT = 2
    with slots.held(connected, "basware"):
        CallSlot.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        with slots.held(connected, "basware") as mine:
            assert mine == 2


@pytest.mark.django_db
def test_fewer_calls_in_flight_take_effect_at_once(connected, settings):
    settings.CALLS_IN_FLIGHT = 4
    with slots.held(connected, "basware"):
        pass
    settings.CALLS_IN_FLIGHT = 2
    with slots.held(connected, "basware") as mine:
        assert mine == 2


@pytest.mark.django_db(transaction=True)
def test_workers_that_ask_at_once_share_what_there_is(connected, settings):
    settings.CALLS_IN_FLIGHT = 4
    everyone_asked = threading.Barrier(3)

    def ask() -> int:
        with slots.held(connected, "basware", wanted=2) as mine:
            everyone_asked.wait(20)
            return mine

    assert sum(in_threads(*[ask] * 3)) <= 4


def test_no_more_calls_are_in_flight_than_there_are_slots(world, quick, batches_of_four):
    quick.CALLS_IN_FLIGHT = 2
    at_once, most = [], []
    handle = world.sandboxes.basware.handle

    def counting(request):
        if request.method != "POST" or request.path != "/v2/projects":
            return handle(request)
        at_once.append(1)
        most.append(len(at_once))
        time.sleep(0.05)  # a slow answer: others may come meanwhile
        try:
            return handle(request)
        finally:
            at_once.pop()

    world.sandboxes.basware.handle = counting
    try:
        run = world.run("projects")
    finally:
        del world.sandboxes.basware.handle
    assert run.status == "succeeded"
    assert max(most) == 2


def test_a_run_without_a_slot_waits_and_does_not_spin(world, quick):
    quick.CALLS_IN_FLIGHT = 1
    run = world.ask("projects")
    with slots.held(world.integration, "basware"):
        world.quiet()
        world.work(1.2)
        assert len(world.calls("sap_b1")) <= 5
        assert (world.again(run).read, world.again(run).resumes) == (0, 0)
    assert world.finish(run).status == "succeeded"
