"""Who works on what: shared by all workers, done once, taken over from those that die."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import unquote_plus

import pytest
from django.db import DatabaseError
from django.utils import timezone

from syncengine.engine import execution, pending
from syncengine.engine.leases import lease_end
from syncengine.engine.master_data import _Synchronisation
from syncengine.engine.replay import replay
from syncengine.engine.sending import Sender
from syncengine.engine.work import Deadline
from syncengine.models import Attempt, Record, Run
from tests.engine.processes import kill_group, manage, wait_until
from tests.engine.world import PERSON, World, in_threads


def test_a_run_is_claimed_by_one_worker_only(world):
    run = world.ask("projects")
    claims = in_threads(*[lambda: execution.claim(run.pk)] * 4)
    assert sum(claim is not None for claim in claims) == 1


def test_a_record_is_claimed_by_one_worker_only(world):
    world.run("projects")
    for record in world.records("projects"):
        replay(record, PERSON)
    first = world.records("projects")[0]
    claims = in_threads(*[lambda: pending._claim(first, f"worker {time.monotonic_ns()}")] * 4)
    assert sorted(pk for claim in claims for pk in claim) == [record.pk for record in world.records("projects")]


def test_two_workers_share_the_runs_and_nothing_is_sent_twice(world):
    asked = [world.ask(flow) for flow in ("payment_terms", "tax_codes", "gl_accounts", "cost_centers", "projects")]
    in_threads(world.work, world.work)
    assert [world.finish(run).status for run in asked] == ["succeeded"] * 5
    for flow in ("payment_terms", "tax_codes", "cost_centers", "projects"):
        codes = [body["externalCode"] for body in world.sent(flow)]
        assert len(codes) == len(set(codes)) == len(world.records(flow))


def test_two_workers_share_the_replays_and_nothing_is_sent_twice(world):
    world.run("projects")
    world.quiet()
    for record in world.records("projects"):
        world.change("Projects", record.key, Name=f"Renamed {record.key}")
        replay(record, PERSON)
    in_threads(world.work, world.work, world.work)
    world.work()
    codes = [body["projectCode"] for body in world.sent("projects")]
    assert sorted(codes) == [record.key for record in world.records("projects")]
    assert world.statuses("projects") == {"done"}


class Died(BaseException):
    """A worker that ends without a word: nothing catches it."""


@pytest.fixture
def vendors(world):
    """The world with payment terms in Basware, where vendors come in two pages."""
    world.run("payment_terms")
    world.quiet()
    return world


def die_on_second_page(monkeypatch) -> None:
    original, pages = _Synchronisation._take, []

    def take(self, *args, **kwargs):
        pages.append(1)
        if len(pages) == 2:
            raise Died
        original(self, *args, **kwargs)

    monkeypatch.setattr(_Synchronisation, "_take", take)


def let_leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.exclude(lease_expires_at=None).update(lease_expires_at=past)
    Record.objects.exclude(lease_expires_at=None).update(lease_expires_at=past)
    Attempt.objects.exclude(lease_expires_at=None).update(lease_expires_at=past)


@pytest.fixture
def abandoned(vendors, monkeypatch):
    """A run whose worker died on the second of two pages, its lease still running."""
    die_on_second_page(monkeypatch)
    run = vendors.ask("vendors", "full")
    with pytest.raises(Died):
        vendors.work()
    return vendors.again(run)


def test_what_is_leased_is_left_alone_while_the_lease_runs(vendors, abandoned):
    assert (abandoned.status, abandoned.read) == ("running", 200)
    vendors.quiet()
    vendors.work(1)
    assert vendors.again(abandoned).read == 200
    assert not vendors.calls("sap_b1", "GET", "/BusinessPartners")


def test_an_expired_lease_is_taken_over_and_the_run_goes_on_behind_its_last_page(vendors, abandoned):
    let_leases_run_out()
    vendors.quiet()
    run = vendors.finish(abandoned)
    assert (run.status, run.read, run.confirmed, run.resumes) == ("succeeded", 300, 300, 1)
    after = abandoned.cursor["after"].partition(":")[2]
    reads = [unquote_plus(call["query"]) for call in vendors.calls("sap_b1", "GET", "/BusinessPartners")]
    assert reads
    assert all(f"CardCode gt '{after}'" in query for query in reads)


def test_a_run_that_was_taken_over_says_so_and_from_where_it_went_on(vendors, abandoned):
    let_leases_run_out()
    vendors.finish(abandoned)
    (event,) = vendors.events("run.resumed")
    assert event.run_id == abandoned.pk
    assert abandoned.cursor["after"] in event.message


def test_what_the_dead_worker_had_not_sent_is_sent_by_another(vendors, monkeypatch):
    original = Sender._start
    monkeypatch.setattr(Sender, "_start", lambda *_: (_ for _ in ()).throw(Died()))
    run = vendors.ask("vendors")
    with pytest.raises(Died):
        vendors.work()
    assert vendors.statuses("vendors") == {"in_progress"}
    monkeypatch.setattr(Sender, "_start", original)
    let_leases_run_out()
    assert vendors.finish(run).status == "succeeded"
    assert len(vendors.basware("vendors")) == 300


def test_a_worker_that_dies_between_the_call_and_its_note_leaves_nothing_doubled_or_lost(world, monkeypatch):
    original = Sender._accepted
    monkeypatch.setattr(Sender, "_accepted", lambda *_: (_ for _ in ()).throw(Died()))
    run = world.ask("projects")
    with pytest.raises(Died):
        world.work()
    assert [attempt.state for attempt in Attempt.objects.all()] == ["sending"]
    monkeypatch.setattr(Sender, "_accepted", original)
    let_leases_run_out()
    assert world.finish(run).status == "succeeded"
    assert [attempt.state for attempt in Attempt.objects.order_by("id")] == ["unknown", "settled"]
    assert world.statuses("projects") == {"done"}
    assert len(world.basware("projects")) == 15


def test_an_expired_lease_on_an_open_request_is_taken_over(world):
    world.tell("/basware/switches", delay=0.2)
    run = world.start("projects")
    Attempt.objects.filter(state="accepted").update(lease_owner="dead", lease_expires_at=lease_end(timezone.now()))
    let_leases_run_out()
    assert world.finish(run).status == "succeeded"


@pytest.mark.parametrize("flow", ["projects"])
def test_the_lease_of_a_slow_call_is_kept_alive(world, quick, flow):
    quick.LEASE_SECONDS = 0.6
    world.fault("sap_b1", "latency", method="GET", path="/Projects", seconds=1.5)
    run = world.ask(flow)
    late = in_threads(world.work, lambda: _claims_during(run, 1.4))[1]
    assert late == 0
    assert world.finish(run).resumes == 0


def _claims_during(run: Run, seconds: float) -> int:
    """How often somebody else could have claimed the run meanwhile."""
    wait_until(lambda: Run.objects.filter(pk=run.pk, status="running").exists())
    end, claims = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        claims += execution.claim(run.pk) is not None
        time.sleep(0.05)  # the time itself is what is waited for
    return claims


def test_a_worker_that_lost_its_lease_writes_nothing_more(world, quick, monkeypatch):
    quick.LEASE_SECONDS = 0.3
    original = _Synchronisation._take

    def robbed(self, *args, **kwargs):
        Run.objects.filter(pk=self.run.pk).update(
            lease_owner="somebody else", lease_expires_at=lease_end(timezone.now())
        )
        wait_until(lambda: self.work.heartbeat._lost)
        original(self, *args, **kwargs)

    monkeypatch.setattr(_Synchronisation, "_take", robbed)
    run = world.ask("projects")
    execution.execute_due(Deadline(60))
    run = world.again(run)
    assert (run.status, run.all_sent, run.lease_owner) == ("running", False, "somebody else")


def test_a_fault_of_our_own_ends_the_run_instead_of_coming_again_for_ever(world, monkeypatch):
    monkeypatch.setattr(_Synchronisation, "_take", lambda *_, **__: {}["bug"])
    run = world.run("projects")
    assert (run.status, run.error_code) == ("failed", "internal_error")
    assert "KeyError" in run.error_message


def test_a_fault_of_our_own_fails_the_replayed_record_and_names_it(world, monkeypatch):
    world.run("projects")
    record = replay(world.records("projects")[0], PERSON)
    monkeypatch.setattr(pending, "_read_again", lambda *_: {}["bug"])
    world.work()
    record = world.again(record)
    assert (record.status, record.error_code) == ("failed", "internal_error")


def test_a_database_that_is_away_ends_nothing(world, monkeypatch):
    def gone(*_: object, **__: object) -> None:
        raise DatabaseError("the connection is closed")

    with monkeypatch.context() as patched:
        patched.setattr(_Synchronisation, "_take", gone)
        run = world.ask("projects")
        with pytest.raises(DatabaseError):
            world.work()
    let_leases_run_out()
    assert world.finish(run).status == "succeeded"


def test_a_killed_process_is_taken_over_by_another(vendors: World, quick):
    quick.LEASE_SECONDS = 1.0
    vendors.fault("sap_b1", "latency", method="GET", path="/BusinessPartners", seconds=20, skip=1)
    with manage("sync", str(vendors.integration.pk), "vendors", "--mode", "full") as process:
        wait_until(lambda: Run.objects.filter(flow="vendors", cursor__after__startswith="0:").exists())
        kill_group(process.pid)
        process.wait()
    vendors.faults_off()
    run = vendors.finish(Run.objects.get(flow="vendors"))
    assert (run.status, run.read, run.confirmed, run.resumes) == ("succeeded", 300, 300, 1)
    assert len(vendors.basware("vendors")) == 300
    assert len(vendors.events("run.resumed")) == 1
