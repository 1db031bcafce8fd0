"""What people do about a cause: one act for all, told and audited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.engine import mappings
from syncengine.engine.runs import ActionRefused
from syncengine.models import AuditEvent, Record, Repair, RepairEntry
from syncengine.repairs import deeds, groups
from syncengine.repairs.cures import cure_of
from syncengine.repairs.translations import translated
from tests import factories
from tests.engine.world import PERSON
from tests.repairs.conftest import CLOSED


def the_repair():
    return Repair.objects.get()


def test_a_translation_is_saved_and_all_of_the_cause_replayed_as_one_act(integration, failed, cause_of):
    failed(3)
    failed(1, failed_for="problems: Vendor V1 is frozen in SAP.")
    chosen = translated(integration, "invoices", cure_of(CLOSED, None), "4011")
    assert deeds.mend_and_replay(cause_of(), chosen, "agreed with the controller") == 3
    assert mappings.current(integration, "invoices").lookups["accounts"] == {"4010": "4011"}
    assert Record.objects.filter(status="pending", failed_for=CLOSED).count() == 3
    act = AuditEvent.objects.get(action="records.replayed")
    assert (act.actor, act.message, act.data["count"]) == (PERSON, "agreed with the controller", 3)
    assert act.data["chosen_by"]["how"] == "4010 → 4011 in accounts, version 1 of the mapping"
    repair = the_repair()
    assert (repair.acted_by, repair.acted_on) == (PERSON, 3)
    assert groups.progress_of(integration, cause_of().group) == {
        "on_their_way": 3, "through": 0, "again": 0, "total": 3, "otherwise": 0,
    }  # fmt: skip


def test_progress_tells_what_became_of_each(integration, failed, cause_of):
    first, second, third, _fourth = failed(4)
    deeds.mend_and_replay(cause_of(), None)
    now = timezone.now()
    Record.objects.filter(pk=first.pk).update(status="done", mended_at=now)
    Record.objects.filter(pk=second.pk).update(status="failed", failed_at=now)
    Record.objects.filter(pk=third.pk).update(status="failed", failed_at=now, failed_for="problems: another")
    assert groups.progress_of(integration, cause_of().group) == {
        "on_their_way": 1, "through": 1, "again": 1, "total": 4, "otherwise": 1,
    }  # fmt: skip


def test_a_queued_retry_is_cancelled_and_open_again_under_its_cause(failed, cause_of):
    failed(2)
    deeds.mend_and_replay(cause_of(), None)
    assert deeds.cancel_retries(cause_of()) == (2, [])
    group = cause_of().group
    assert (group.open.count, group.retrying.count) == (2, 0)
    assert set(Record.objects.values_list("error_code", flat=True)) == {"held_by_person"}


def test_a_retry_in_doubt_is_not_cancelled_and_it_is_said_why(failed, cause_of):
    failed(1, status="pending", cause="", next_attempt_at=timezone.now(), memo={"unknown_since": "x"}, title="RE-1")
    count, refused = deeds.cancel_retries(cause_of())
    assert count == 0
    assert refused == ["RE-1: The target may have taken the last call: that is found out first, by itself."]
    assert not RepairEntry.objects.exists()


def test_putting_aside_needs_a_reason_and_ends_the_cause(failed, cause_of):
    failed(2, stage="received")
    with pytest.raises(ActionRefused):
        deeds.put_aside(cause_of(), " ")
    assert deeds.put_aside(cause_of(), "test data") == (2, [])
    assert set(Record.objects.values_list("status", flat=True)) == {"ignored"}
    group = cause_of().group
    assert list(group.states()) == [groups.State.RESOLVED]
    assert the_repair().acted_how == "put aside"


def test_an_invoice_that_basware_waits_for_is_given_back_not_dropped(failed, cause_of):
    failed(1)
    count, refused = deeds.put_aside(cause_of(), "not ours")
    assert (count, len(refused)) == (0, 1)
    assert "Basware waits for an answer" in refused[0]
    assert deeds.put_aside(cause_of(), "not ours", give_back=True) == (1, [])
    record = Record.objects.get()
    assert (record.status, record.memo["decision"]["decision"]) == ("pending", "give_back")


def test_assigning_snoozing_and_noting_are_told_beside_the_cause_and_audited(integration, failed, cause_of):
    failed(1)
    anna = factories.member(integration.organization, "operator")
    until = timezone.now() + timedelta(days=3)
    deeds.assign(cause_of(), anna)
    deeds.snooze(cause_of(), until, "the period opens on Monday")
    deeds.note(cause_of(), "The controller knows.")
    assert (the_repair().assignee, the_repair().snoozed_until) == (anna, until)
    assert cause_of().group.is_snoozed
    deeds.snooze(cause_of(), None)
    deeds.assign(cause_of(), None)
    assert (the_repair().assignee, the_repair().snoozed_until) == (None, None)
    told = list(RepairEntry.objects.order_by("pk").values_list("deed", flat=True))
    assert told == ["assigned", "snoozed", "note", "woken", "assigned"]
    actions = AuditEvent.objects.filter(action__startswith="cause.").order_by("pk")
    assert [event.action for event in actions] == [f"cause.{deed}" for deed in told]
    assert {event.data["cause"] for event in actions} == {CLOSED}


def test_a_replay_brings_a_snoozed_cause_back(failed, cause_of):
    failed(1)
    deeds.snooze(cause_of(), timezone.now() + timedelta(days=1))
    deeds.mend_and_replay(cause_of(), None)
    assert the_repair().snoozed_until is None
