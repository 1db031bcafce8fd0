"""Hints of SAP's own webhooks: who may give them, and that one is neither lost nor makes more runs than are needed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from syncengine.engine import due, flow_states, hints
from syncengine.engine.flow_states import apply
from syncengine.engine.pauses import pause, resume
from syncengine.engine.runs import request_runs
from syncengine.engine.work import Deadline
from syncengine.models import FlowState, Run, RunStatus
from tenants.models import ApiKey
from tests import factories
from tests.engine.world import PERSON, in_threads

pytestmark = pytest.mark.django_db(transaction=True)

FROM_SAP = {"vendors", "purchase_orders", "gl_accounts", "cost_centers", "projects", "tax_codes", "payment_terms"}


@pytest.fixture
def clock():
    """Friday morning; tests move it."""
    with time_machine.travel(datetime(2026, 11, 20, 9, 1, tzinfo=UTC), tick=False) as moved:
        yield moved


def hint(integration) -> None:
    hints.note(integration, timezone.now())


def start() -> bool:
    return hints.start_due(Deadline(60))


def marked() -> set[str]:
    return set(FlowState.objects.exclude(hint_due_at=None).values_list("flow", flat=True))


def only(integration, flow: str) -> None:
    """All other flows are switched off."""
    flow_states.states(integration)
    FlowState.objects.filter(integration=integration).exclude(flow=flow).update(enabled=False)


# What becomes of a hint


def test_a_thousand_hints_make_one_run_of_each_flow_that_reads_sap(connected, clock):
    for _ in range(1000):
        hint(connected)
    assert marked() >= FROM_SAP
    assert "invoices" not in marked()
    assert start() is False  # more of them may come in a moment
    clock.shift(hints.COLLECTED_FOR)
    assert due.anything_due(timezone.now())
    assert start() is True
    runs = Run.objects.all()
    assert {run.flow for run in runs} >= FROM_SAP
    assert len({run.flow for run in runs}) == len(runs)
    assert {(run.mode, run.trigger, run.requested_by) for run in runs} == {("incremental", "webhook", "sap")}
    assert (start(), marked()) == (False, set())


def test_a_flow_that_is_switched_off_is_not_marked(connected, clock):
    apply(connected, {"vendors": {"enabled": False}}, PERSON)
    hint(connected)
    assert "vendors" not in marked()


def test_a_hint_while_a_run_reads_is_followed_by_another_run(connected, clock):
    only(connected, "projects")
    (run,) = request_runs(connected, "projects", "incremental", trigger="schedule", actor="schedule")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, started_at=timezone.now())
    clock.shift(timedelta(seconds=1))
    hint(connected)
    clock.shift(hints.COLLECTED_FOR)
    start()
    assert (Run.objects.count(), marked()) == (1, {"projects"})
    Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED, finished_at=timezone.now())
    clock.shift(hints.COLLECTED_FOR)
    start()
    assert (Run.objects.count(), marked()) == (2, set())


def test_a_hint_behind_an_overdue_one_is_not_lost_to_the_run_that_began_between(connected, clock):
    only(connected, "projects")
    hint(connected)
    clock.shift(hints.COLLECTED_FOR * 2)
    (run,) = request_runs(connected, "projects", "incremental", trigger="schedule", actor="schedule")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, started_at=timezone.now())
    clock.shift(timedelta(seconds=1))
    hint(connected)
    start()
    assert marked() == {"projects"}


def test_a_run_that_has_not_begun_yet_answers_the_hint(connected, clock):
    only(connected, "projects")
    hint(connected)
    request_runs(connected, "projects", "incremental", trigger="schedule", actor="schedule")
    clock.shift(hints.COLLECTED_FOR)
    start()
    assert (Run.objects.count(), marked()) == (1, set())


def test_what_dies_between_mark_and_run_leaves_the_mark(connected, clock, monkeypatch):
    only(connected, "projects")
    hint(connected)
    clock.shift(hints.COLLECTED_FOR)
    with monkeypatch.context() as broken:
        broken.setattr(hints, "request_runs", lambda *_, **__: {}["died"])
        with pytest.raises(KeyError):
            start()
    assert marked() == {"projects"}
    start()
    assert Run.objects.count() == 1


def test_a_paused_integration_keeps_its_hint_until_it_goes_on(connected, clock):
    only(connected, "projects")
    hint(connected)
    pause(connected, "The password was refused.")
    clock.shift(hints.COLLECTED_FOR)
    assert start() is False
    resume(connected, PERSON)
    assert start() is True


def test_two_dispatchers_take_a_hint_once(connected):
    only(connected, "projects")
    FlowState.objects.filter(flow="projects").update(hint_due_at=timezone.now())
    in_threads(*[start] * 4)
    assert Run.objects.count() == 1


def test_a_hint_brings_what_changed_without_a_schedule(world, monkeypatch, client):
    monkeypatch.setattr(hints, "COLLECTED_FOR", timedelta())
    only(world.integration, "projects")
    assert send(client, world.integration).status_code == 202
    world.work()
    assert Run.objects.get().status == "succeeded"
    assert world.sent("projects")


# The door


def send(client, integration, key="", **headers):
    key = key or ApiKey.issue(integration.organization, "SAP", "viewer")[1]
    credentials = base64.b64encode(f"sap:{key}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", **headers}
    body = b'{"ObjectType": "2", "Operation": "update"}'
    return client.post(f"/webhooks/sap/{integration.pk}/", body, "application/json", headers=headers)


def test_a_key_of_the_organization_may_hint(client, connected):
    answer = send(client, connected)
    assert (answer.status_code, answer.json()) == (202, {"status": "noted"})
    assert marked() >= FROM_SAP


@pytest.mark.parametrize(
    "said", ["", "Basic", "Basic !", "Basic c2Fw", "Basic /w==", "Bearer x", "Api-Key x", f"Basic {'A' * 9000}"]
)
def test_who_shows_no_key_is_asked_for_one(client, connected, said):
    answer = send(client, connected, Authorization=said)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Ledgerbridge"'
    assert marked() == set()


def test_a_key_that_has_expired_hints_at_nothing(client, connected):
    _, key = ApiKey.issue(connected.organization, "old", "viewer", expires_at=timezone.now() - timedelta(days=1))
    assert send(client, connected, key=key).status_code == 401
    assert marked() == set()


def test_a_key_of_another_organization_finds_nothing(client, connected):
    _, key = ApiKey.issue(factories.OrganizationFactory(), "theirs", "admin")
    assert send(client, connected, key=key).status_code == 404
    assert marked() == set()


def test_guessing_is_slowed_down_and_does_not_hold_up_good_ones(client, connected):
    for _ in range(120):
        assert send(client, connected, key="guessed").status_code == 401
    slowed = send(client, connected, key="guessed")
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) > 0
    assert send(client, connected).status_code == 202


def test_a_thousand_hints_write_once(client, connected, django_assert_num_queries):
    _, key = ApiKey.issue(connected.organization, "SAP", "viewer", last_used_at=timezone.now())
    send(client, connected, key=key)
    with django_assert_num_queries(3) as seen:  # the key, the integration, its flows
        send(client, connected, key=key)
    assert not any("UPDATE" in query["sql"] for query in seen.captured_queries)


def test_other_methods_are_not_taken(client, connected):
    assert client.get(f"/webhooks/sap/{connected.pk}/").status_code == 405
