"""When to try again: backoff with jitter, what the target said, and a circuit that all workers share."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Throttled, Unauthenticated, Unavailable
from syncengine.engine import circuit
from syncengine.engine.pauses import pause, resume
from syncengine.engine.replay import replay
from syncengine.engine.retries import retry_at, retry_delay
from tenants.models import Connection
from tests.engine.world import PERSON

DELAYS = [2.0, 8.0, 30.0, 120.0]


@pytest.mark.parametrize(
    ("attempts", "delay"), [(0, 2), (1, 2), (2, 8), (3, 30), (4, 120), (5, 120), (99, 120)]
)  # fmt: skip
def test_delays_grow_and_then_stay(settings, attempts, delay):
    settings.RETRY_DELAYS = DELAYS
    assert retry_delay(attempts, spread=1.0) == delay


@pytest.mark.parametrize("attempts", [1, 2, 3, 4])
def test_jitter_stays_within_a_fifth(settings, attempts):
    settings.RETRY_DELAYS = DELAYS
    drawn = [retry_delay(attempts) / DELAYS[attempts - 1] for _ in range(500)]
    assert 0.8 <= min(drawn) < 0.85
    assert 1.15 < max(drawn) <= 1.2


def test_the_target_says_how_long(settings):
    settings.RETRY_DELAYS = DELAYS
    now = timezone.now()
    assert retry_at(Throttled("wait", after=17), 1, now) == now + timedelta(seconds=17)


@pytest.mark.parametrize("error", [Throttled("wait", after=None), Unavailable("away", code="away")])
def test_without_a_word_of_the_target_it_is_backoff(settings, error):
    settings.RETRY_DELAYS = DELAYS
    now = timezone.now()
    assert timedelta(seconds=1.6) <= retry_at(error, 1, now) - now <= timedelta(seconds=2.4)


# The circuit

AWAY = Unavailable("SAP is not reachable.", code="unreachable")


def row(integration, system="sap_b1") -> Connection:
    return Connection.objects.get(integration=integration, system=system)


@pytest.mark.django_db
def test_one_failure_is_bad_luck_and_three_in_a_row_open_the_circuit(connected):
    for _ in range(2):
        circuit.note_failure(connected, "sap_b1", AWAY)
        assert circuit.closed_until(connected) is None
    circuit.note_failure(connected, "sap_b1", AWAY)
    assert circuit.closed_until(connected) > timezone.now()
    assert row(connected).failures_in_a_row == 3
    assert row(connected, "basware").failures_in_a_row == 0


@pytest.mark.django_db
def test_the_circuit_waits_ever_longer(connected, settings):
    settings.RETRY_DELAYS = DELAYS
    waits = []
    for _ in range(6):
        circuit.note_failure(connected, "sap_b1", AWAY)
        until = row(connected).retry_after
        waits.append(None if until is None else (until - timezone.now()).total_seconds())
    assert waits[:2] == [None, None]
    assert [round(wait / delay) for wait, delay in zip(waits[2:], DELAYS, strict=True)] == [1, 1, 1, 1]


@pytest.mark.django_db
def test_a_success_closes_the_circuit(connected):
    for _ in range(4):
        circuit.note_failure(connected, "sap_b1", AWAY)
    circuit.note_answer(row(connected).pk)
    assert circuit.closed_until(connected) is None
    assert row(connected).failures_in_a_row == 0


@pytest.mark.django_db
def test_a_throttled_connection_is_left_alone_by_everybody_as_long_as_told(connected):
    circuit.note_failure(connected, "basware", Throttled("wait", after=90))
    left = row(connected, "basware").retry_after - timezone.now()
    assert timedelta(seconds=85) < left <= timedelta(seconds=90)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [Rejected("no", code="no"), OutcomeUnknown("lost", code="lost")], ids=["rejected", "unknown"]
)  # fmt: skip
def test_what_the_system_said_about_one_record_does_not_count_against_it(connected, error):
    circuit.note_failure(connected, "basware", error)
    assert row(connected, "basware").failures_in_a_row == 0


@pytest.mark.django_db
def test_a_refused_log_in_pauses_the_integration_and_the_first_reason_stays(connected):
    Connection.objects.filter(system="sap_b1").update(login_refused={"message": "no", "hint": "", "code": "login"})
    for reason in ("The password is wrong.", "The user is locked."):
        circuit.note_failure(connected, "sap_b1", Unauthenticated(reason, code="login", login_refused=True))
    connected.refresh_from_db()
    assert connected.paused_reason == "The password is wrong."


@pytest.mark.django_db
def test_a_session_that_is_lost_twice_is_a_failure_like_any_other(connected):
    circuit.note_failure(connected, "sap_b1", Unauthenticated("lost", code="session_lost"))
    connected.refresh_from_db()
    assert not connected.paused
    assert row(connected).failures_in_a_row == 1


@pytest.mark.django_db
def test_resuming_ends_the_pause_and_closes_the_circuit(connected):
    pause(connected, "The password is wrong.")
    for _ in range(4):
        circuit.note_failure(connected, "sap_b1", AWAY)
    resume(connected, PERSON)
    connected.refresh_from_db()
    assert not connected.paused
    assert circuit.closed_until(connected) is None


def test_sap_away_for_a_moment_costs_a_run_nothing_but_time(world):
    world.fault("sap_b1", "status", method="GET", path="/Projects", status=502, count=2)
    run = world.run("projects")
    assert (run.status, run.confirmed, run.error_code) == ("succeeded", 15, "")


def test_a_run_says_that_it_tries_again_and_when(world, quick):
    quick.RETRY_DELAYS = [60.0]
    world.fault("sap_b1", "status", method="GET", path="/Projects", status=502)
    run = world.ask("projects")
    world.work(1)
    run = world.again(run)
    assert (run.status, run.error_code) == ("running", "retrying")
    assert "Next try at" in run.error_message
    assert run.not_before > timezone.now()


def test_a_run_ends_failed_with_the_reason_when_all_tries_are_used_up(world):
    world.fault("sap_b1", "status", method="GET", path="/Projects", status=502, count=0)
    run = world.run("projects")
    assert run.status == "failed"
    assert run.error_message
    assert "Next try" not in run.error_message
    assert len(world.calls("sap_b1", "GET", "/Projects")) == 5


def test_a_system_that_is_down_is_not_hammered_by_replays(world, quick):
    world.run("projects")
    quick.RETRY_DELAYS = [30.0]
    world.fault("sap_b1", "drop_before", path="/Projects", count=0)
    for record in world.records("projects"):
        replay(record, PERSON)
    world.quiet()
    world.work(1)
    assert len(world.calls("sap_b1", "GET", "/Projects")) <= 2
    assert {(one.status, one.attempts) for one in world.records("projects")} == {("waiting", 1)}
