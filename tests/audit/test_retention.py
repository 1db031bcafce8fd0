"""Retention: what is old goes in small steps, and what remains still proves it."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import Error as DatabaseError
from django.utils import timezone

from syncengine import audit
from syncengine.audit import retention
from syncengine.audit.guard import create_triggers, drop_triggers
from syncengine.audit.retention import reduce_bodies, remove_events, remove_runs
from syncengine.audit.verification import BadPlace, verify
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, AuditSeal, Call, FlowState, NamedLock, Plan, PlanItem, Record, Run
from tests import factories
from tests.audit.trail import anchor_file, bad_place, blocks_of_four, ids, seal, seals, trail, write

__all__ = ["anchor_file", "blocks_of_four", "trail"]

pytestmark = pytest.mark.usefixtures("anchor_file", "blocks_of_four")
BODY = '{"CardName": "Nördic Paper Oy"}'


def days_ago(days: float):
    return timezone.now() - timedelta(days=days)


def call_of(integration, days: float, **fields):
    given = {"request_body": BODY, "response_body": "{}", **fields}
    return factories.CallFactory(integration=integration, started_at=days_ago(days), **given)


def run_of(integration, days: float, status: str = "succeeded", **fields):
    return factories.RunFactory(integration=integration, status=status, finished_at=days_ago(days), **fields)


def purge(days: int) -> dict[str, int]:
    out = io.StringIO()
    call_command("purge", "--older-than", str(days), stdout=out)
    counts: dict[str, int] = json.loads(out.getvalue())
    return counts


class TestBodies:
    """Bodies of calls become their hashes."""

    def test_an_old_body_is_reduced_to_its_hash(self, integration):
        call = call_of(integration, 31)
        assert sum(reduce_bodies(days_ago(30))) == 1
        call.refresh_from_db()
        assert (call.request_body, call.response_body, call.bodies_kept) == ("", "", False)
        assert call.request_sha256 == hashlib.sha256(BODY.encode()).hexdigest()
        assert call.response_sha256 == hashlib.sha256(b"{}").hexdigest()

    def test_everything_else_of_the_call_stays(self, integration):
        call = call_of(integration, 31, request_headers={"Accept": "json"}, error="busy")
        bodies = {"request_body", "response_body", "request_sha256", "response_sha256", "bodies_kept"}
        before = Call.objects.values().get()
        sum(reduce_bodies(days_ago(30)))
        after = Call.objects.values().get(pk=call.pk)
        assert {name for name, value in after.items() if before[name] != value} == bodies

    def test_a_young_body_stays(self, integration):
        call_of(integration, 29)
        assert sum(reduce_bodies(days_ago(30))) == 0
        assert Call.objects.get().request_body == BODY

    def test_no_body_has_no_hash(self, integration):
        call_of(integration, 31, request_body="")
        sum(reduce_bodies(days_ago(30)))
        assert Call.objects.get().request_sha256 == ""

    def test_a_second_time_finds_nothing_to_do(self, integration):
        call_of(integration, 31)
        sum(reduce_bodies(days_ago(30)))
        before = Call.objects.values().get()
        assert sum(reduce_bodies(days_ago(30))) == 0
        assert Call.objects.values().get() == before

    def test_it_goes_in_steps(self, integration, monkeypatch):
        monkeypatch.setattr(retention, "BODIES_AT_ONCE", 2)
        for _ in range(5):
            call_of(integration, 31)
        assert list(reduce_bodies(days_ago(30))) == [2, 2, 1]


class TestRuns:
    """Finished runs go; what they did stays."""

    @pytest.mark.parametrize("status", ["succeeded", "partial", "failed", "cancelled"])
    def test_an_old_finished_run_goes(self, status, integration):
        run_of(integration, 31, status)
        assert sum(remove_runs(days_ago(30))) == 1
        assert not Run.objects.exists()

    @pytest.mark.parametrize("status", ["queued", "running", "settling"])
    def test_a_run_that_is_not_finished_stays_however_old(self, status, integration):
        run_of(integration, 31, status)
        assert sum(remove_runs(days_ago(30))) == 0

    def test_a_young_run_stays(self, integration):
        run_of(integration, 29)
        assert sum(remove_runs(days_ago(30))) == 0

    def test_the_last_run_of_a_flow_stays(self, integration):
        run = run_of(integration, 31)
        FlowState.objects.create(integration=integration, flow="vendors", last_run=run)
        assert sum(remove_runs(days_ago(30))) == 0
        assert FlowState.objects.get().last_run == run

    def test_records_calls_and_attempts_of_a_run_stay(self, integration):
        run = run_of(integration, 31)
        follower = factories.RunFactory(integration=integration, after=run)
        record = factories.RecordFactory(integration=integration, run=run)
        attempt = factories.AttemptFactory(integration=integration, run=run)
        call = call_of(integration, 31, run=run, record=record)
        assert sum(remove_runs(days_ago(30))) == 1
        for row in (record, attempt, call, follower):
            row.refresh_from_db()
        assert (record.run, attempt.run, call.run, follower.after) == (None, None, None, None)

    def test_events_of_a_run_keep_its_number(self, integration):
        run = run_of(integration, 31)
        event = audit.record_event(integration.organization, "system", "run.succeeded", run=run)
        sum(remove_runs(days_ago(30)))
        assert AuditEvent.objects.values_list("run_id", flat=True).get(pk=event.pk) == run.pk
        assert verify().events == 1

    def test_it_goes_in_steps(self, integration, monkeypatch):
        monkeypatch.setattr(retention, "STEP", 2)
        runs = [run_of(integration, 31) for _ in range(5)]
        for _ in range(5):
            factories.RecordFactory(integration=integration, run=runs[0])
        assert list(remove_runs(days_ago(30))) == [2, 2, 1]
        assert Record.objects.filter(run=None).count() == 5

    def test_a_plan_goes_with_its_age_though_its_run_is_the_last_of_the_flow(self, integration, monkeypatch):
        monkeypatch.setattr(retention, "STEP", 2)
        last = run_of(integration, 31, mode="dry_run")
        FlowState.objects.create(integration=integration, flow="vendors", last_run=last)
        old, young = factories.PlanFactory(run=last), factories.PlanFactory(run=run_of(integration, 1))
        for plan in (old, old, old, young):
            factories.PlanItemFactory(plan=plan)
        assert sum(remove_runs(days_ago(30))) == 0
        assert list(Plan.objects.all()) == [young]
        assert PlanItem.objects.count() == 1

    def test_a_plan_that_is_being_applied_stays_until_that_is_over(self, integration):
        applied_in = factories.RunFactory(integration=integration, status="running", mode="apply")
        plan = factories.PlanFactory(run=run_of(integration, 31), applied_in=applied_in)
        assert sum(remove_runs(days_ago(30))) == 0
        assert Plan.objects.get() == plan
        Run.objects.filter(pk=applied_in.pk).update(status="succeeded")
        assert sum(remove_runs(days_ago(30))) == 1
        assert not Plan.objects.exists()


class TestEvents:
    """Audit events go in whole sealed blocks."""

    def test_old_blocks_leave_tombstones_that_keep_the_chain_verifiable(self, trail, elsewhere):
        now = timezone.now()
        assert list(remove_events(now, now)) == [3, 3, 3, 1, 1, 1]
        assert all(one.purged_at == now and one.tombstone for one in AuditSeal.objects.all())
        done = verify()
        assert done.seals == 6
        assert done.ends[trail.pk] == (3, ids(trail))

    def test_a_purge_is_an_event_itself(self, trail):
        now = timezone.now()
        list(remove_events(now, now))
        event = AuditEvent.objects.of(trail).get(action="audit.purged")
        assert event.data == {"first_seal": 1, "last_seal": 3, "events": 9}
        assert event.actor == "system"

    def test_a_block_with_one_young_event_stays_whole(self, trail):
        middle = AuditEvent.objects.get(pk=ids(trail)[4])
        list(remove_events(middle.created_at, timezone.now()))
        assert [bool(one.purged_at) for one in seals(trail)] == [True, False, False]
        assert verify().ends[trail.pk][0] == 3

    def test_open_events_stay_however_old(self, organization):
        write(organization, 3)
        assert list(remove_events(timezone.now(), timezone.now())) == []
        assert len(ids(organization)) == 3

    def test_a_second_time_finds_nothing_to_do(self, trail):
        now = timezone.now()
        list(remove_events(now, now))
        assert list(remove_events(now, now)) == []
        assert AuditEvent.objects.filter(action="audit.purged").count() == 2

    def test_the_trail_of_a_deleted_organization_grows_old_too(self, trail):
        pk = trail.pk
        trail.delete()
        now = timezone.now()
        list(remove_events(now, now))
        assert AuditEvent.objects.filter(organization_id=pk).count() == 3
        assert verify().ends[pk][0] == 3

    def test_a_purged_event_that_comes_back_is_found(self, trail):
        event = AuditEvent.objects.of(trail).order_by("pk").first()
        now = timezone.now()
        list(remove_events(now, now))
        event._state.adding = True
        event.save()
        assert bad_place().problem == f"Event {event.pk} was inserted: its seal was purged."

    def test_a_removal_cannot_be_passed_off_as_a_purge(self, trail):
        drop_triggers(connection)
        (first, *_) = seals(trail)
        AuditEvent.objects.filter(pk__lte=first.through_id).delete()
        AuditSeal.objects.filter(pk=first.pk).update(purged_at=timezone.now(), tombstone="f" * 64)
        assert bad_place(trail).problem == "Seal 1 was altered."

    def test_a_tombstone_cannot_be_moved_to_another_seal(self, trail):
        middle = AuditEvent.objects.get(pk=ids(trail)[4])
        list(remove_events(middle.created_at, timezone.now()))
        drop_triggers(connection)
        first, second, _ = seals(trail)
        AuditEvent.objects.filter(organization=trail, pk__lte=second.through_id).delete()
        AuditSeal.objects.filter(pk=second.pk).update(purged_at=first.purged_at, tombstone=first.tombstone)
        assert bad_place(trail).problem == "Seal 2 was altered."

    @pytest.mark.parametrize("damage", ["altered", "removed"])
    def test_evidence_of_tampering_is_not_removed(self, damage, trail):
        drop_triggers(connection)
        event = AuditEvent.objects.filter(pk=ids(trail)[4])
        event.update(message="never happened") if damage == "altered" else event.delete()
        create_triggers(connection)
        now = timezone.now()
        with pytest.raises(BadPlace, match=f"of seal 2 was {damage}"):
            list(remove_events(now, now))
        assert [bool(one.purged_at) for one in seals(trail)] == [True, False, False]

    def test_after_a_purge_nothing_else_can_be_removed(self, trail):
        now = timezone.now()
        list(remove_events(now, now))
        with pytest.raises(DatabaseError, match="append-only"):
            AuditEvent.objects.all().delete()


class TestCommand:
    """`purge --older-than DAYS`."""

    def test_it_counts_what_it_did(self, trail, integration, settings):
        settings.AUDIT_DAYS = 0
        call_of(integration, 8)
        run_of(integration, 8)
        assert purge(7) == {"call_bodies": 1, "hook_deliveries": 0, "runs": 1, "audit_events": 15, "audit_seals": 8}
        assert verify().seals == 8

    def test_events_are_kept_for_audit_days_whatever_is_asked(self, trail):
        assert purge(0) == {"call_bodies": 0, "hook_deliveries": 0, "runs": 0, "audit_events": 0, "audit_seals": 0}
        assert verify().events == 15

    def test_bodies_never_outlive_call_body_days(self, integration, settings):
        settings.CALL_BODY_DAYS = 30
        call_of(integration, 31)
        run_of(integration, 31)
        assert purge(365) == {"call_bodies": 1, "hook_deliveries": 0, "runs": 0, "audit_events": 0, "audit_seals": 0}

    @pytest.mark.parametrize("arguments", [[], ["--older-than", "-1"], ["--older-than", "soon"]])
    def test_an_age_has_to_be_given(self, arguments, db):
        with pytest.raises(CommandError):
            call_command("purge", *arguments)

    def test_a_damaged_trail_is_named_and_kept(self, trail, settings):
        settings.AUDIT_DAYS = 0
        drop_triggers(connection)
        pk = ids(trail)[0]
        AuditEvent.objects.filter(pk=pk).update(message="never happened")
        with pytest.raises(CommandError, match=f"nordic-paper: Event {pk} of seal 1 was altered. Nothing"):
            purge(30)


class TestTheUnit:
    """`retain_due`, as the engine calls it."""

    def test_keeps_bodies_and_events_as_long_as_set(self, trail, integration, settings):
        settings.AUDIT_DAYS = 0
        call_of(integration, settings.CALL_BODY_DAYS + 1)
        run_of(integration, 9999)
        assert audit.retain_due(Deadline(60))
        assert not Call.objects.filter(bodies_kept=True).exists()
        assert not AuditSeal.objects.filter(purged_at=None).exists()
        assert Run.objects.exists()

    def test_looks_once_an_hour(self, db):
        assert audit.retain_due(Deadline(60))
        assert not audit.retain_due(Deadline(60))
        assert not retention.is_due(timezone.now())
        assert retention.is_due(timezone.now() + timedelta(seconds=retention.RETENTION_SECONDS + 5))

    def test_stops_when_its_time_is_up(self, integration, monkeypatch):
        monkeypatch.setattr(retention, "BODIES_AT_ONCE", 1)
        for _ in range(3):
            call_of(integration, 31)
        audit.retain_due(Deadline(0))
        assert Call.objects.filter(bodies_kept=True).count() == 2

    def test_a_damaged_trail_is_logged_and_stops_nothing_else(self, trail, settings, caplog):
        settings.AUDIT_DAYS = 0
        drop_triggers(connection)
        AuditEvent.objects.filter(pk=ids(trail)[0]).update(message="never happened")
        assert audit.retain_due(Deadline(60))
        assert "audit_trail_damaged" in caplog.text
        assert NamedLock.objects.exists()


def test_a_chain_goes_on_after_a_purge(trail):
    now = timezone.now()
    list(remove_events(now, now))
    write(trail, 2)
    seal()
    assert verify().ends[trail.pk][0] == 5
