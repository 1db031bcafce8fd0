"""What Basware says later of each record: confirmation, refusal, warning, being overtaken, silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.connectors.basware import Item, ItemError, RequestResult
from syncengine.engine.pauses import pause, resume
from syncengine.engine.settling_plan import HOURLY, poll_delay
from syncengine.engine.verdicts import judge
from syncengine.models import Attempt, AttemptItem
from tests.engine.world import PERSON, World

LIST = "/v1/requestStatus"


def said(status: str, *codes: str, request: str = "Success") -> RequestResult:
    errors = (ItemError(status, "too long", "DataValidation"),) if status in ("Error", "Warning") else ()
    return RequestResult("r1", "Project", request, tuple(Item("P2P", code, "", status, errors) for code in codes))


VERDICTS = [
    ("Success", "confirmed", False),
    ("NotProcessed", "confirmed", False),
    ("Unpublished", "confirmed", False),
    ("Warning", "confirmed", True),
    ("Error", "failed", False),
    ("RecordExpired", "superseded", False),
    ("InProgress", "open", False),
    ("SomethingNew", "open", False),
]


@pytest.mark.parametrize(("status", "outcome", "warned"), VERDICTS)
def test_each_word_of_basware_has_its_verdict(status, outcome, warned):
    verdict = judge(["A"], said(status, "A"))
    assert (verdict.outcome, verdict.warned) == (outcome, warned)


def test_the_worst_of_several_bodies_decides():
    result = RequestResult("r1", "Project", "Error", (*said("Success", "A").items, *said("Error", "B").items))
    assert judge(["A", "B"], result).outcome == "failed"
    assert judge(["A"], result).outcome == "confirmed"


def test_the_verdict_carries_the_text_and_its_category():
    assert judge(["A"], said("Error", "A")).message == "too long (DataValidation)"


@pytest.mark.parametrize(("request_status", "outcome"), [("InProgress", "open"), ("Success", "confirmed")])
def test_a_record_that_is_not_mentioned_is_open_until_the_request_is_well(request_status, outcome):
    assert judge(["A"], said("Success", request=request_status)).outcome == outcome


def first(world: World):
    """Some project, sent and confirmed once."""
    world.run("projects")
    world.quiet()
    return world.records("projects")[4]


def test_an_unchanged_record_is_confirmed_by_not_processed(world):
    record = first(world)
    world.outcome(record, "NotProcessed")
    world.change("Projects", record.key, Name="Renamed")
    run = world.run("projects")
    assert (run.status, run.confirmed, world.again(record).status) == ("succeeded", 1, "done")


def test_an_error_is_shown_on_the_very_record_with_its_text_and_category(world):
    record = first(world)
    world.outcome(record, "Error", message="The project is used elsewhere.", category="Technical")
    for one in world.records("projects")[3:6]:
        world.change("Projects", one.key, Name=f"Renamed {one.key}")
    run = world.run("projects")
    record = world.again(record)
    assert (run.status, run.confirmed, run.failed) == ("partial", 2, 1)
    assert (record.status, record.error_code) == ("failed", "import_failed")
    assert "The project is used elsewhere. (Technical)" in record.error_message
    assert record.error_hint
    assert [one.key for one in world.records("projects") if one.status == "failed"] == [record.key]


def test_a_record_in_error_keeps_what_basware_confirmed_last(world):
    record = first(world)
    world.outcome(record, "Error")
    world.change("Projects", record.key, Name="Renamed")
    world.run("projects")
    assert world.again(record).confirmed_fingerprint == record.confirmed_fingerprint
    assert world.again(record).confirmed_target == record.confirmed_target


def test_a_warning_is_done_and_flagged_with_what_basware_said(world):
    record = first(world)
    world.outcome(record, "Warning", message="The field text1 was left out.")
    world.change("Projects", record.key, Name="Renamed")
    run = world.run("projects")
    record = world.again(record)
    assert (run.status, record.status, record.flags) == ("succeeded", "done", ["warning"])
    assert "The field text1 was left out." in " ".join(record.notes)
    assert record.confirmed_fingerprint == record.fingerprint


def test_a_record_that_was_overtaken_is_sent_again(world):
    record = first(world)
    world.outcome(record, "RecordExpired")
    world.change("Projects", record.key, Name="Renamed")
    run = world.run("projects")
    record = world.again(record)
    assert (run.status, record.status, record.attempts) == ("succeeded", "done", 1)
    assert len(world.posts("projects")) == 2
    assert [item.outcome for item in AttemptItem.objects.filter(record=record).order_by("id")][-2:] == [
        "superseded",
        "confirmed",
    ]


def test_a_change_that_comes_while_the_answer_is_out_is_sent_too_and_ends_as_the_last(world):
    record = first(world)
    world.tell("/basware/switches", delay=0.6)
    world.change("Projects", record.key, Name="First change")
    earlier = world.start("projects")
    assert world.again(earlier).status == "settling"
    world.change("Projects", record.key, Name="Second change")
    later = world.run("projects")
    assert (later.status, world.again(record).status) == ("succeeded", "done")
    assert world.finish(earlier).status == "succeeded"
    code = record.target_keys["external_code"]
    assert world.basware("projects")[code]["projectName"] == "Second change"
    assert world.again(record).confirmed_target["record"][0]["projectName"] == "Second change"


@pytest.fixture
def four_open_requests(world, quick, batches_of_four):
    """Fifteen projects in four requests that Basware has not worked on."""
    quick.STATUS_POLLS = [30]
    world.tell("/basware/switches", delay=60)
    run = world.ask("projects")
    world.work()
    assert Attempt.objects.filter(state="accepted").count() == 4
    world.quiet()
    return run


def hasten() -> None:
    Attempt.objects.filter(state="accepted").update(next_poll_at=timezone.now())


def test_several_open_requests_of_one_kind_are_asked_for_in_one_list_call(world, four_open_requests):
    hasten()
    world.work()
    (poll,) = world.calls("basware", "GET", LIST)
    assert (poll["path"], "entityType=Project" in poll["query"]) == (LIST, True)


def test_one_list_call_settles_them_all(world, four_open_requests):
    world.tell("/basware/process")
    hasten()
    world.work()
    assert len(world.calls("basware", "GET", LIST)) == 1
    assert world.statuses("projects") == {"done"}
    assert world.again(four_open_requests).status == "succeeded"


@pytest.fixture
def one_after_another(quick):
    quick.CALLS_IN_FLIGHT = 1


def test_the_list_is_read_no_further_than_to_the_last_that_is_asked_for(
    world, one_after_another, four_open_requests, monkeypatch
):
    monkeypatch.setattr("syncengine.engine.settling.MOST_AT_ONCE", 3)
    monkeypatch.setattr("syncengine.engine.settling.ITEMS_A_PAGE", 1)  # so that each page holds one request
    world.tell("/basware/process")
    hasten()
    world.work()
    newest = Attempt.objects.latest("started_at").request_id
    assert [call["path"] for call in world.calls("basware", "GET", LIST)] == [LIST, LIST, LIST, f"{LIST}/{newest}"]
    assert world.statuses("projects") == {"done"}


def test_the_list_goes_back_no_further_than_it_must_unless_the_clocks_seem_to_differ(world, four_open_requests):
    Attempt.objects.update(started_at=timezone.now() + timedelta(minutes=3))  # Basware's clock is behind ours
    world.tell("/basware/process")
    for polls in range(4):
        assert "done" not in world.statuses("projects")
        hasten()
        world.work()
        assert len(world.calls("basware", "GET", LIST)) == polls + 1
    assert world.statuses("projects") == {"done"}


def test_one_open_request_is_asked_for_by_its_id(world):
    run = world.run("projects")
    request = Attempt.objects.get(run=run).request_id
    assert {call["path"] for call in world.calls("basware", "GET", LIST)} == {f"{LIST}/{request}"}


def test_polls_follow_the_plan_and_then_the_contract(settings):
    settings.STATUS_POLLS = [0.5, 1]
    assert [poll_delay(number) for number in range(7)] == [0.5, 1, 60, 120, 300, 600, 900]
    assert poll_delay(7) == HOURLY


@pytest.fixture
def unanswered(world, quick):
    """A change that Basware took a day ago and said nothing of since."""
    record = first(world)
    world.tell("/basware/switches", delay=30)
    quick.STATUS_POLLS = [0.05, 60]
    world.change("Projects", record.key, Name="Renamed")
    world.start("projects")
    world.work(0.3)
    assert world.again(record).status == "waiting"
    a_day = timedelta(hours=25)
    Attempt.objects.filter(state="accepted").update(
        started_at=timezone.now() - a_day, next_poll_at=timezone.now() - timedelta(seconds=1)
    )
    world.work(0.3)
    return world.again(record)


def test_an_answer_that_never_comes_fails_the_record_and_flags_it(world, unanswered):
    assert (unanswered.status, unanswered.error_code, unanswered.flags) == ("failed", "no_answer", ["no_answer"])
    request = Attempt.objects.get(state="accepted").request_id
    assert request in unanswered.error_message


def test_an_answer_that_never_comes_ends_the_run(world, unanswered):
    run = world.again(unanswered.run)
    assert (run.status, run.failed) == ("partial", 1)


def test_an_answer_that_comes_after_a_day_is_still_put_down(world, unanswered):
    world.tell("/basware/process")
    Attempt.objects.filter(state="accepted").update(next_poll_at=timezone.now())
    world.work(1)
    record = world.again(unanswered)
    assert (record.status, record.error_code, record.flags) == ("done", "", [])


def test_a_later_version_is_confirmed_though_the_earlier_is_never_answered(world):
    record = first(world)
    world.tell("/basware/switches", delay=60)
    world.change("Projects", record.key, Name="First change")
    earlier = world.start("projects")
    lost = Attempt.objects.get(run=earlier)
    Attempt.objects.filter(pk=lost.pk).update(request_id="lost", next_poll_at=timezone.now() + timedelta(hours=1))
    world.tell("/basware/switches", delay=0)
    world.change("Projects", record.key, Name="Second change")
    assert world.run("projects").status == "succeeded"
    assert world.again(record).status == "done"


def test_a_request_that_basware_does_not_know_yet_is_asked_for_again(world):
    world.tell("/basware/switches", unknown_for=0.2)
    assert world.run("projects").status == "succeeded"


@pytest.mark.parametrize("fault", ["drop_before", "bad_json", "truncated"])
def test_a_poll_that_fails_is_made_again(world, fault):
    world.fault("basware", fault, method="GET", path=LIST)
    assert world.run("projects").status == "succeeded"


def test_nothing_is_asked_while_the_integration_is_paused(world):
    world.tell("/basware/switches", delay=0.2)
    world.start("projects")
    pause(world.integration, "The client secret was refused.")
    world.quiet()
    world.work(0.6)
    assert world.silent
    resume(world.integration, PERSON)
    world.work(5)
    assert world.statuses("projects") == {"done"}
