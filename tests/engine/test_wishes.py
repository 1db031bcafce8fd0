"""A second replay is never swallowed: whoever asks while another is at it, twice in a second, or two at once."""

from __future__ import annotations

import threading

import pytest

from syncengine.engine import master_data, wishes
from syncengine.engine import replay as deeds
from syncengine.engine.runs import ActionRefused
from syncengine.flows.desk import Continue, Finished, NeedsPerson
from syncengine.models import AuditEvent, Record
from tests.engine.papers import PaperFlow, advance, claimed
from tests.engine.world import PERSON, in_threads

OTHER = "other@nordic-paper.example.com"


def again(record: Record) -> Record:
    return Record.objects.get(pk=record.pk)


def actors(action: str) -> list[str]:
    return sorted(AuditEvent.objects.filter(action=action).values_list("actor", flat=True))


def test_a_replay_while_a_worker_holds_the_record_waits_for_it(db, connected):
    record = claimed(connected)
    answered = deeds.replay(record, PERSON, "the account was opened")
    assert (answered.status, again(record).lease_owner) == ("in_progress", record.lease_owner)
    wishes.fulfil_due()
    assert again(record).status == "in_progress"
    Record.objects.filter(pk=record.pk).update(status="failed", lease_owner="")
    wishes.fulfil_due()
    stored = again(record)
    assert (stored.status, stored.wishes, stored.memo["replay"]) == ("pending", None, True)
    assert actors("record.replay_remembered") == actors("record.replayed") == [PERSON]
    event = AuditEvent.objects.get(action="record.replayed")
    assert (event.message, event.data["remembered"]) == ("the account was opened", True)


@pytest.mark.parametrize("end", [Finished(), NeedsPerson(code="problems", message="still bad")])
def test_people_who_ask_while_the_worker_is_in_the_middle_are_all_heard(end, transactional_db, connected):
    """The worker's own saves, one before and one after, must not take the wishes away."""
    record = claimed(connected)
    begun, asked = threading.Event(), threading.Event()

    def hold_still(_work, _desk):
        begun.set()
        assert asked.wait(20)
        return Continue(memo={"seen": True})

    def ask(who):
        def wait_and_ask():
            assert begun.wait(20)
            deeds.replay(record, who)
            if len(again(record).wishes or ()) == 2:
                asked.set()

        return wait_and_ask

    in_threads(lambda: advance(record, PaperFlow(hold_still, end)), ask(PERSON), ask(OTHER))
    left = again(record)
    assert (left.status, len(left.wishes)) == ("done" if isinstance(end, Finished) else "failed", 2)
    wishes.fulfil_due()
    assert (again(record).status, again(record).wishes) == ("pending", None)
    assert actors("record.replayed") == sorted([PERSON, OTHER])


def test_a_worker_that_finishes_at_the_same_moment_loses_no_replay(transactional_db, connected):
    for number in range(8):
        record = claimed(connected, key=f"INV-{number}")
        gate = threading.Barrier(3)

        def work(record=record, gate=gate):
            gate.wait(20)
            advance(record, PaperFlow(Finished()))

        def ask(who, record=record, gate=gate):
            gate.wait(20)
            deeds.replay(record, who)

        in_threads(work, lambda ask=ask: ask(PERSON), lambda ask=ask: ask(OTHER))
        wishes.fulfil_due()
        assert again(record).status == "pending", "the worker ended after the person asked, or before: replayed anyhow"
    events = AuditEvent.objects.filter(action="record.replayed")
    at_once = [event for event in events if not event.data.get("remembered")]
    assert len(at_once) + len(actors("record.replay_remembered")) == 16


def test_two_people_at_once_and_twice_in_a_second_are_each_in_the_trail(transactional_db, connected):
    record = claimed(connected, status="failed", lease_owner="", lease_expires_at=None, error_code="problems")
    asks = [lambda who=who: deeds.replay(record, who) for who in (PERSON, OTHER, PERSON)]
    assert {one.status for one in in_threads(*asks)} == {"pending"}
    assert len(actors("record.replayed")) == 3
    assert again(record).status == "pending"


@pytest.mark.parametrize("status", ["pending", "waiting", "done", "failed", "ignored"])
def test_a_replay_is_pending_at_once_when_nobody_holds_the_record(status, db, connected):
    record = claimed(connected, status=status, lease_owner="", lease_expires_at=None)
    assert deeds.replay(record, PERSON).status == "pending"
    assert again(record).wishes is None


def test_the_last_wish_says_with_which_mapping(db, connected):
    record = claimed(connected, mapping_version=0)
    deeds.replay(record, PERSON, mapping="then")
    deeds.replay(record, OTHER)
    Record.objects.filter(pk=record.pk).update(status="done", lease_owner="")
    wishes.fulfil_due()
    assert again(record).pinned_version is None


def test_who_ignores_the_record_afterwards_has_the_last_word(db, connected):
    record = claimed(connected, key="V1", flow="vendors")
    deeds.replay(record, PERSON)
    with pytest.raises(ActionRefused):
        deeds.ignore(record, PERSON, "not needed")
    Record.objects.filter(pk=record.pk).update(status="failed", lease_owner="")
    deeds.ignore(record, PERSON, "not needed")
    wishes.fulfil_due()
    assert (again(record).status, again(record).wishes) == ("ignored", None)


def test_what_a_worker_knew_of_wishes_is_never_written_back(db, connected):
    record = claimed(connected)
    deeds.replay(record, PERSON)
    record.save()
    assert len(again(record).wishes) == 1


def test_a_run_that_read_the_record_before_it_was_replayed_leaves_it_to_the_replay(world, monkeypatch):
    world.run("projects")
    record = world.records("projects")[0]
    world.change("Projects", record.key, Name="Renamed")
    checked = master_data._without_replayed

    def replay_first(judged):
        if not world.events("record.replayed"):
            deeds.replay(record, PERSON)
        return checked(judged)

    monkeypatch.setattr(master_data, "_without_replayed", replay_first)
    world.start("projects")
    assert world.again(record).status == "pending"
    assert world.again(record).memo["replay"] is True
    world.work()
    assert world.again(record).status == "done"
    assert world.basware("projects")[record.target_keys["external_code"]]["projectName"] == "Renamed"
