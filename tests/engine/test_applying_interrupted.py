"""Applying a plan when a worker is lost, a person stops it, or another was quicker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.engine import applying, execution, master_data, replay
from syncengine.engine.runs import cancel
from syncengine.engine.work import Deadline
from syncengine.models import Attempt, AttemptItem, ItemFate, Plan, PlanItem, Record, Run
from tests.engine.plan_world import FEW, items, payload, plan_of
from tests.engine.world import PATIENCE, PERSON


def test_a_worker_lost_in_the_middle_is_gone_on_for_and_nothing_goes_twice(small, monkeypatch):
    monkeypatch.setattr(master_data, "CHUNK", 2)
    run = plan_of(small, "projects")
    asked = applying.apply(run, PERSON, trigger="person")
    steps = []
    real = applying.decide

    def dies(*given):
        steps.append(given)
        if len(steps) == 2:
            raise SystemExit
        real(*given)

    monkeypatch.setattr(applying, "decide", dies)
    with pytest.raises(SystemExit):
        execution.execute_due(Deadline(PATIENCE))
    assert len(items(run, fate=ItemFate.SENT)) == 2
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=asked.pk).update(lease_expires_at=past)
    Record.objects.filter(status="in_progress").update(lease_expires_at=past)
    done = small.finish(asked)
    assert (done.status, done.resumes, done.sent, done.read) == ("succeeded", 1, FEW, FEW)
    sent = [body["externalCode"] for body in small.sent("projects")]
    assert len(sent) == len(set(sent)) == FEW
    assert {payload(record) for record in small.records("projects")} == {
        item.fingerprint for item in items(run, fate=ItemFate.SENT).values()
    }


def test_what_another_sends_again_for_the_run_does_not_make_its_plan_stale(small):
    run = plan_of(small, "projects")
    asked = applying.apply(run, PERSON, trigger="person")
    small.finish(asked)
    PlanItem.objects.filter(pk=PlanItem.objects.first().pk).update(fate=ItemFate.OPEN)
    plan = Plan.objects.get(run=run)
    open_key = PlanItem.objects.get(fate=ItemFate.OPEN).key
    AttemptItem.objects.filter(record__key=open_key).delete()
    Attempt.objects.update(run=None)
    assert applying.staleness(plan, timezone.now(), applied_in=asked) == ""


def test_a_worker_lost_before_posting_leaves_the_planned_invoices_to_the_next(world, monkeypatch):
    run = plan_of(world, "invoices")
    asked = applying.apply(run, PERSON, trigger="person")

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr("syncengine.engine.document_runs.advance_all", dies)
        with pytest.raises(SystemExit):
            execution.execute_due(Deadline(PATIENCE))
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=asked.pk).update(lease_expires_at=past)
    Record.objects.filter(status="in_progress").update(lease_expires_at=past)
    done = world.finish(asked)
    posted = items(run, action__in=["post", "credit"])
    assert (done.status, done.sent) == ("succeeded", len(posted))
    attempts = Attempt.objects.filter(kind="post")
    assert {one.record.key for one in attempts} == set(posted)


def test_what_would_be_posted_otherwise_at_the_last_moment_is_not(world, monkeypatch):
    run = plan_of(world, "invoices")
    asked = applying.apply(run, PERSON, trigger="person")
    real = applying.decide

    def tampered(found, changed):
        real(found, changed)
        for record in Record.objects.filter(flow="invoices"):
            record.memo["planned"] = "another"
            record.save()

    monkeypatch.setattr(applying, "decide", tampered)
    done = world.finish(asked)
    posted = items(run, action__in=["post", "credit"])
    records = world.records("invoices")
    assert {(record.status, record.error_code) for record in records} == {("failed", "plan_changed")}
    assert (done.status, done.sent, done.failed) == ("failed", 0, len(posted))
    assert not Attempt.objects.filter(kind="post").exists()
    replayed = replay.replay(records[0], PERSON)
    world.work()
    assert world.again(replayed).status in ("done", "waiting")
    assert Attempt.objects.filter(kind="post").count() == 1


def test_a_run_that_is_stopped_leaves_the_rest_of_its_plan_unsent(small, monkeypatch):
    monkeypatch.setattr(master_data, "CHUNK", 2)
    run = plan_of(small, "projects")
    asked = applying.apply(run, PERSON, trigger="person")
    real = applying.decide

    def stops(*given):
        real(*given)
        Run.objects.filter(pk=asked.pk).update(cancel_requested=True)

    monkeypatch.setattr(applying, "decide", stops)
    done = small.finish(asked)
    assert (done.status, done.sent) == ("cancelled", 2)
    assert len(items(run, fate=ItemFate.OPEN)) == FEW - 2


def test_a_waiting_run_that_is_cancelled_sends_nothing(small):
    run = plan_of(small, "projects")
    asked = applying.apply(run, PERSON, trigger="person")
    assert cancel(asked, PERSON).status == "cancelled"
    small.work()
    assert small.posts("projects") == []


def test_who_has_lost_the_run_sends_nothing_more_of_it(small, monkeypatch):
    run = plan_of(small, "projects")
    asked = applying.apply(run, PERSON, trigger="person")
    real = applying.decide

    def taken_over(*given):
        real(*given)
        Run.objects.filter(pk=asked.pk).update(lease_owner="another:1:x")

    monkeypatch.setattr(applying, "decide", taken_over)
    execution.execute_due(Deadline(PATIENCE))
    assert small.posts("projects") == []
    assert len(items(run, fate=ItemFate.OPEN)) == FEW
