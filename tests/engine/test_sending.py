"""Imports into Basware: batches, what is refused, what is throttled, what nobody knows."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from syncengine.engine.pauses import resume
from syncengine.engine.sending import Sender
from syncengine.models import Attempt, AttemptItem, Call
from syncengine.sandbox.server import SandboxResponse
from tests.engine.world import World

IMPORT = r"/v2/projects$"


def outcomes(world: World) -> list[str]:
    return [attempt.state for attempt in Attempt.objects.order_by("id")]


def codes(call: dict[str, str]) -> list[str]:
    return [body["projectCode"] for body in json.loads(call["body"])]


def refusal(*named: str) -> str:
    """400 as Basware words it, naming these records (contracts: Basware §4)."""
    errors = [
        {"externalCode": code, "type": "VALIDATION", "code": "SCHEMA_VALIDATION_ERROR", "message": f"{code}: too odd"}
        for code in named
    ] or [{"type": "VALIDATION", "code": "SCHEMA_VALIDATION_ERROR", "message": "something is odd"}]
    return json.dumps({"requestId": "r", "hasErrors": True, "errors": errors})


def test_records_go_out_in_batches_no_larger_than_basware_takes(world, batches_of_four):
    run = world.run("projects")
    assert sorted(len(codes(call)) for call in world.posts("projects")) == [3, 4, 4, 4]
    assert (run.status, run.confirmed) == ("succeeded", 15)


def test_each_batch_is_written_down_before_it_is_sent_and_tied_to_its_call(world, batches_of_four):
    run = world.run("projects")
    attempts = Attempt.objects.filter(run=run)
    assert [attempt.state for attempt in attempts] == ["settled"] * 4
    assert all(attempt.request_id and attempt.entity_type == "Project" for attempt in attempts)
    assert AttemptItem.objects.filter(attempt__in=attempts, outcome="confirmed").count() == 15
    imports = Call.objects.filter(run=run, method="POST", url__endswith="/v2/projects")
    assert {call.attempt_id for call in imports} == {attempt.pk for attempt in attempts}


def test_an_attempt_stands_before_its_call_goes_out(world, monkeypatch):
    seen = []

    def look(self, *args):
        seen.append(list(Attempt.objects.values_list("state", flat=True)))
        return original(self, *args)

    original = Sender._call
    monkeypatch.setattr(Sender, "_call", look)
    world.run("projects")
    assert seen == [["sending"]]


def test_one_bad_record_among_many_is_refused_and_the_others_are_sent(world):
    world.run("projects", "dry_run")
    bad = world.sandboxes.sap.company.collection("Projects").keys()[4]
    world.fault("basware", "status", method="POST", path=IMPORT, status=400, body=refusal(f"1000-PJ-{bad}"))
    run = world.run("projects")
    record = world.record("projects", bad)
    assert (run.status, run.sent, run.confirmed, run.failed) == ("partial", 14, 14, 1)
    assert (record.status, record.error_code) == ("failed", "rejected")
    assert "too odd" in record.error_message
    assert [len(codes(call)) for call in world.posts("projects")] == [15, 14]


def test_a_batch_is_halved_until_the_bad_record_is_found_when_nobody_is_named(world):
    bad = world.sandboxes.sap.company.collection("Projects").keys()[4]
    handle = world.sandboxes.basware.handle

    def strict(request):
        if request.method == "POST" and request.path == "/v2/projects" and f'"projectCode":"{bad}"' in _plain(request):
            return SandboxResponse(400, refusal().encode(), [("Content-Type", "application/json")])
        return handle(request)

    world.sandboxes.basware.handle = strict
    try:
        run = world.run("projects")
    finally:
        del world.sandboxes.basware.handle
    assert (run.status, run.confirmed, run.failed) == ("partial", 14, 1)
    record = world.record("projects", bad)
    assert (record.error_code, record.status) == ("rejected", "failed")
    assert "something is odd" in record.error_message
    assert len(world.posts("projects")) <= 2 * 4 + 1


def _plain(request) -> str:
    return request.body.decode().replace(": ", ":")


def test_a_refused_record_is_not_sent_again_by_the_next_run(world):
    bad = world.sandboxes.sap.company.collection("Projects").keys()[4]
    world.fault("basware", "status", method="POST", path=IMPORT, status=400, body=refusal(f"1000-PJ-{bad}"))
    world.run("projects")
    world.quiet()
    run = world.run("projects")
    assert (run.status, run.failed, run.sent) == ("partial", 1, 0)
    assert world.posts("projects") == []


def conflict(code: str) -> str:
    error = {"externalCode": code, "type": "BUSINESS", "code": "CONFLICT_IN_POST", "message": "written just now"}
    return json.dumps({"requestId": "r", "hasErrors": True, "errors": [error]})


def test_a_record_that_somebody_else_writes_just_now_goes_again_later(world):
    bad = world.sandboxes.sap.company.collection("Projects").keys()[4]
    body = conflict(f"1000-PJ-{bad}")
    world.fault("basware", "status", method="POST", path=IMPORT, status=409, body=body)
    run = world.run("projects")
    assert (run.status, run.confirmed, run.failed) == ("succeeded", 15, 0)
    assert [len(codes(call)) for call in world.posts("projects")] == [15, 14, 1]
    assert world.record("projects", bad).status == "done"


def test_a_conflict_that_never_ends_comes_before_a_person(world, settings):
    settings.RETRY_DELAYS = [0.02, 0.02]
    bad = world.sandboxes.sap.company.collection("Projects").keys()[4]
    world.run("projects")
    projects = world.sandboxes.sap.company.collection("Projects")
    projects.put(bad, {**projects[bad], "Name": "Another name"})
    world.fault("basware", "status", method="POST", path=IMPORT, status=409, body=conflict(f"1000-PJ-{bad}"), count=0)
    world.quiet()
    run = world.run("projects")
    assert (run.status, run.failed) == ("partial", 1)
    assert "written just now" in world.record("projects", bad).error_message
    assert len(world.posts("projects")) == 3


def test_a_throttled_import_waits_as_long_as_told_and_is_sent_again(world):
    world.fault("basware", "status", method="POST", path=IMPORT, status=429, retry_after=1)
    run = world.run("projects")
    first, second = world.posts("projects")
    assert (run.status, run.confirmed) == ("succeeded", 15)
    assert _seconds_between(first, second) >= 0.9
    assert sorted(codes(first)) == sorted(codes(second))


def _seconds_between(first, second) -> float:
    return (datetime.fromisoformat(second["at"]) - datetime.fromisoformat(first["at"])).total_seconds()


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"kind": "drop_before"}, "unknown"),
        ({"kind": "drop_after"}, "unknown"),
        ({"kind": "status", "status": 502}, "unknown"),
        ({"kind": "truncated"}, "unknown"),
        ({"kind": "status", "status": 503, "retry_after": 0}, "not_sent"),
        ({"kind": "status", "status": 429, "retry_after": 0}, "not_sent"),
        ({"kind": "error", "status": 500}, "not_sent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(str(part) for part in value.values()),
)
def test_whatever_becomes_of_an_import_each_record_ends_in_basware_once(world, fault, state):
    world.fault("basware", fault["kind"], method="POST", path=IMPORT, **_without_kind(fault))
    run = world.run("projects")
    assert run.status == "succeeded"
    assert outcomes(world) == [state, "settled"]
    assert world.statuses("projects") == {"done"}
    assert len(world.basware("projects")) == 15
    assert (run.sent, run.confirmed, run.failed) == (15, 15, 0)


def test_an_answer_that_cannot_be_read_is_accepted_by_its_request_id(world):
    world.fault("basware", "bad_json", method="POST", path=IMPORT)
    run = world.run("projects")
    assert (run.status, outcomes(world)) == ("succeeded", ["settled"])


def _without_kind(fault):
    return {name: value for name, value in fault.items() if name != "kind"}


def test_a_record_says_why_it_waits_and_how_often_it_was_tried(world, quick):
    world.fault("basware", "drop_after", method="POST", path=IMPORT)
    quick.RETRY_DELAYS = [60.0]
    world.ask("projects")
    world.work()
    record = world.records("projects")[0]
    assert (record.status, record.attempts) == ("waiting", 1)
    assert record.error_message
    assert record.next_attempt_at is not None


def test_a_record_that_was_accepted_after_a_retry_shows_no_error(world):
    world.fault("basware", "drop_before", method="POST", path=IMPORT)
    world.tell("/basware/switches", delay=60)
    world.ask("projects")
    world.work(1.0)
    assert {(record.status, record.error_code) for record in world.records("projects")} == {("waiting", "")}


def test_a_refused_log_in_pauses_the_integration_and_says_why(world):
    world.fault("basware", "status", path="/v1/tokens", status=401, count=0, body='{"error": "invalid_client"}')
    world.ask("projects")
    world.work(3)
    integration = world.again(world.integration)
    assert integration.paused
    assert "client" in integration.paused_reason.lower()
    assert [event.message for event in world.events("integration.paused")] == [integration.paused_reason]
    assert len(world.calls("basware", "POST", "/v1/tokens")) == 1


def test_a_refused_log_in_to_sap_ends_the_run_with_the_reason_after_one_try(world):
    world.sandboxes.sap.credentials["password"], kept = "another", world.sandboxes.sap.credentials["password"]
    try:
        run = world.run("projects")
    finally:
        world.sandboxes.sap.credentials["password"] = kept
    assert run.status == "failed"
    assert run.error_message
    assert world.again(world.integration).paused
    assert len(world.calls("sap_b1", "POST", "/Login")) == 1


def test_what_waited_for_a_pause_is_sent_when_it_ends(world):
    world.fault("basware", "status", path="/v1/tokens", status=401, count=0, body='{"error": "invalid_client"}')
    run = world.ask("projects")
    world.work(3)
    world.faults_off()
    resume(world.integration, "admin@nordic-paper.example.com")
    world.work(10)
    assert world.statuses("projects") == {"done"}
    assert world.again(run).is_final


def test_an_expired_token_costs_one_more_log_in_and_nothing_else(world):
    world.run("projects")
    world.tell("/basware/expire-tokens")
    world.quiet()
    world.change("Projects", world.records("projects")[0].key, Name="Renamed")
    run = world.run("projects")
    assert (run.status, run.confirmed) == ("succeeded", 1)
    assert len(world.calls("basware", "POST", "/v1/tokens")) == 1


def test_a_lost_session_costs_one_more_log_in_and_nothing_else(world):
    world.run("projects")
    world.tell("/sap/sessions/end")
    world.quiet()
    run = world.run("projects")
    assert (run.status, run.read) == ("succeeded", 15)
    assert len(world.calls("sap_b1", "POST", "/Login")) == 1
