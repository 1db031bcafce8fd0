"""Permits: never more calls of a connection at a time than its limit, whoever makes them."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from syncengine.engine import gate, permits
from syncengine.engine.circuit import HeldBack
from syncengine.engine.connections import systems
from syncengine.engine.gate import Caller
from syncengine.engine.permits import Holder, NoPermit
from syncengine.models import CallSlot, NamedLock
from tenants.models import Connection
from tests.engine.processes import children, kill_group, manage, wait_until
from tests.engine.world import in_threads


@pytest.fixture
def basware(connected):
    return Connection.objects.get(integration=connected, system="basware").pk


@pytest.fixture
def at_once(monkeypatch):
    """Nobody waits before they ask the database again."""
    monkeypatch.setattr(permits, "ASK_AGAIN_SECONDS", 0)


def leased() -> int:
    return CallSlot.objects.filter(expires_at__gt=timezone.now()).count()


# One table, several holders


@pytest.mark.django_db
def test_a_permit_is_kept_for_the_next_call_without_a_statement(basware, settings, django_assert_num_queries):
    settings.CALLS_IN_FLIGHT = 2
    with permits.held(basware, 0):
        pass
    with django_assert_num_queries(0), permits.held(basware, 0):
        pass


@pytest.mark.django_db
def test_holders_together_never_have_more_than_there_are(basware, settings):
    settings.CALLS_IN_FLIGHT = 2
    mine, theirs = Holder(basware), Holder(basware)
    mine.take(0), theirs.take(0)
    for holder in (mine, theirs):
        with pytest.raises(NoPermit):
            holder.take(0)
    assert leased() == 2


@pytest.mark.django_db
def test_what_nobody_used_for_a_while_is_given_back(basware, at_once, settings, monkeypatch):
    settings.CALLS_IN_FLIGHT = 1
    mine, theirs = Holder(basware), Holder(basware)
    mine.give_back(mine.take(0))
    mine.keep()
    assert not theirs.reach()
    monkeypatch.setattr(permits, "IDLE_SECONDS", 0)
    mine.keep()
    assert theirs.reach()


@pytest.mark.django_db
def test_when_the_work_is_over_its_permits_are_free_at_once(basware):
    with permits.held(basware, 0):
        permits.let_go(basware)
        assert leased() == 1
    permits.let_go(basware)
    assert leased() == 0


@pytest.mark.django_db
def test_the_permits_of_a_dead_process_are_free_when_their_lease_is_over(basware, at_once, settings):
    settings.CALLS_IN_FLIGHT = 1
    dead, other = Holder(basware), Holder(basware)
    dead.take(0)
    CallSlot.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert other.take(0)


@pytest.mark.django_db
def test_a_process_that_stood_still_does_not_use_what_others_may_have(basware, at_once, settings):
    settings.CALLS_IN_FLIGHT = 1
    slow, other = Holder(basware), Holder(basware)
    slow.give_back(slow.take(0))
    slow._sure_until = 0  # a lease has gone by on its clock
    CallSlot.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    other.take(0)
    with pytest.raises(NoPermit):
        slow.take(0)


@pytest.mark.django_db
def test_what_it_still_has_after_that_it_uses_once_it_is_renewed(basware, settings):
    settings.CALLS_IN_FLIGHT = 2
    slow = Holder(basware)
    slow.give_back(slow.take(0))
    slow._sure_until = slow._renew_at = 0
    with pytest.raises(NoPermit):
        slow.take(0)
    slow.keep()
    assert {slow.take(0), slow.take(0)} == set(CallSlot.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_a_row_in_use_is_not_leased_a_second_time_after_that(basware, settings):
    settings.CALLS_IN_FLIGHT = 1
    slow = Holder(basware)
    slow.take(0)
    slow._sure_until = 0
    CallSlot.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NoPermit):
        slow.take(0)


@pytest.mark.django_db
def test_waiting_asks_the_database_ten_times_a_second_and_wishes_once(basware, settings, django_assert_max_num_queries):
    settings.CALLS_IN_FLIGHT = 1
    greedy, starved = Holder(basware), Holder(basware)
    greedy.take(0)
    with django_assert_max_num_queries(5), pytest.raises(NoPermit):  # 0, 0.1, 0.2 and 0.3 s, and the wish
        starved.take(0.35)


@pytest.mark.django_db
def test_a_renewal_finds_out_what_was_lost(basware, settings):
    settings.CALLS_IN_FLIGHT = 2
    mine = Holder(basware)
    first, second = mine.take(0), mine.take(0)
    mine.give_back(first)
    CallSlot.objects.filter(pk__in=[first, second]).update(owner="another")
    mine._renew_at = 0
    mine.keep()
    assert mine.count == 0
    mine.give_back(second)
    assert mine.count == 0


@pytest.mark.django_db
def test_who_has_none_is_given_one_by_a_process_that_is_never_idle(basware, at_once, settings):
    settings.CALLS_IN_FLIGHT = 1
    greedy, starved = Holder(basware), Holder(basware)
    permit = greedy.take(0)
    NamedLock.objects.all().delete()
    with pytest.raises(NoPermit):
        starved.take(0.01)
    greedy.keep()
    greedy.give_back(permit)
    with pytest.raises(NoPermit):
        greedy.take(0)  # it is on its way back
    greedy.keep()
    assert starved.take(0)
    assert greedy.count == 0


@pytest.mark.django_db
def test_fewer_calls_in_flight_take_effect_for_what_is_leased_next(basware, settings):
    settings.CALLS_IN_FLIGHT = 4
    Holder(basware)
    settings.CALLS_IN_FLIGHT = 1
    holder = Holder(basware)
    holder.take(0)
    with pytest.raises(NoPermit):
        holder.take(0)


DEEDS = st.lists(st.tuples(st.sampled_from(["take", "back", "keep", "die", "lapse"]), st.integers(0, 2)), max_size=40)


@pytest.mark.django_db
@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS, limit=st.integers(1, 3))
def test_whatever_happens_no_more_calls_are_made_at_once_than_the_limit(basware, at_once, settings, deeds, limit):
    """Three processes take, return, keep, die and lapse; a call that goes on keeps its lease by being renewed."""
    settings.CALLS_IN_FLIGHT = limit
    CallSlot.objects.all().delete()
    NamedLock.objects.all().delete()
    holders = [Holder(basware) for _ in range(3)]
    calls: list[list[int]] = [[], [], []]
    for deed, who in deeds:
        if deed == "take":
            try:
                calls[who].append(holders[who].take(0))
            except NoPermit:
                assert leased() > 0
        elif deed == "back" and calls[who]:
            holders[who].give_back(calls[who].pop())
        elif deed == "keep":
            holders[who].keep()
        elif deed == "die":
            CallSlot.objects.filter(owner=holders[who].owner).update(expires_at=timezone.now())
            holders[who], calls[who] = Holder(basware), []
        elif deed == "lapse":  # what is not renewed runs out; the living renew
            for holder in holders:
                holder._renew_at = 0
                holder.keep()
        going = [permit for permits_of in calls for permit in permits_of]
        assert len(going) == len(set(going)) <= limit


@pytest.mark.django_db(transaction=True)
def test_threads_of_one_process_share_its_permits(basware, settings):
    settings.CALLS_IN_FLIGHT = 2
    inside, most, guard = [0], [0], threading.Lock()

    def work() -> None:
        for _ in range(5):
            with permits.held(basware, 20):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.002)  # the call
                with guard:
                    inside[0] -= 1

    in_threads(*[work] * 6)
    assert most[0] == 2


# In front of each call


@pytest.mark.parametrize("caller", [Caller.PERSON, Caller.PING])
def test_a_person_is_told_in_a_sentence_that_all_calls_are_taken(world, quick, monkeypatch, caller):
    quick.CALLS_IN_FLIGHT = 1
    monkeypatch.setattr(gate, "PATIENCE_SECONDS", 0.05)
    Holder(Connection.objects.get(integration=world.integration, system="sap_b1").pk).take(0)
    with systems(world.integration, caller) as both, pytest.raises(HeldBack, match="may be made at once") as told:
        both.sap.find("Projects", where="", select=["Code"], top=3)
    assert told.value.code == "connection_busy"


def test_a_run_without_a_permit_waits_and_does_not_spin(world, quick):
    quick.CALLS_IN_FLIGHT = 1
    other = Holder(Connection.objects.get(integration=world.integration, system="basware").pk)
    permit = other.take(0)
    run = world.ask("projects")
    world.quiet()
    world.work(1.2)
    assert len(world.calls("sap_b1")) <= 5
    assert (world.again(run).read, world.again(run).resumes) == (0, 0)
    CallSlot.objects.filter(pk=permit).update(owner="", expires_at=None)
    assert world.finish(run).status == "succeeded"


@contextmanager
def counted(server, seconds):
    """How many requests this sandbox answers at once, and which were the most."""
    handle, guard, count = server.handle, threading.Lock(), {"now": 0, "most": 0, "all": 0}

    def slow(request):
        with guard:
            count["now"] += 1
            count["all"] += 1
            count["most"] = max(count["most"], count["now"])
        try:
            time.sleep(seconds)  # the latency of the wire
            return handle(request)
        finally:
            with guard:
                count["now"] -= 1

    server.handle = slow
    try:
        yield count
    finally:
        del server.handle


def test_two_workers_never_make_more_calls_at_once_than_the_limit(world, quick, batches_of_four):
    quick.CALLS_IN_FLIGHT = 2
    runs = [world.ask(flow) for flow in ("projects", "cost_centers", "gl_accounts")]
    connection.close()
    with ExitStack() as stack:
        counts = [stack.enter_context(counted(one, 0.03)) for one in (world.sandboxes.sap, world.sandboxes.basware)]
        for _ in range(2):
            stack.enter_context(manage("worker", CALLS_IN_FLIGHT="2"))
        wait_until(lambda: all(world.again(run).finished_at for run in runs), 60)
    assert [count["most"] <= 2 for count in counts] == [True, True]
    assert all(count["all"] > 2 for count in counts)


def test_a_worker_that_is_killed_leaves_its_permits_to_the_next(world, quick):
    quick.CALLS_IN_FLIGHT = 1
    quick.LEASE_SECONDS = 2
    run = world.ask("projects")
    reached, go_on = threading.Event(), threading.Event()
    handle = world.sandboxes.sap.handle

    def stuck(request):
        reached.set()
        go_on.wait(30)
        return handle(request)

    world.sandboxes.sap.handle = stuck
    try:
        with manage("worker", CALLS_IN_FLIGHT="1") as worker:
            assert reached.wait(30)
            for pid in [*children(worker.pid), worker.pid]:  # its cluster has a group of its own
                kill_group(pid)
    finally:
        del world.sandboxes.sap.handle
        go_on.set()
    with manage("worker", CALLS_IN_FLIGHT="1"):
        wait_until(lambda: world.again(run).finished_at, 60)
    assert world.again(run).status == "succeeded"
