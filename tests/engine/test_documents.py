"""Advancing documents: what each step leaves behind, what failures do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import OperationalError

from syncengine.connectors.outcomes import OutcomeUnknown, Throttled, Unauthenticated, Unavailable
from syncengine.engine.documents import LOCK_RETRY_SECONDS, MOST_STEPS
from syncengine.flows.desk import (
    AwaitAnswer,
    Continue,
    Finished,
    Ignored,
    LockHeld,
    NeedsPerson,
    Stopped,
    Wait,
)
from syncengine.mapping import Problem
from syncengine.models import AuditEvent, Record, Run
from tenants.models import Connection, Integration
from tests import factories
from tests.engine.papers import ME, PaperFlow, advance, claimed, settling_run
from tests.factories import NOON


@pytest.fixture
def run(integration):
    return settling_run(integration)


@pytest.fixture
def record(integration, run):
    return claimed(integration, run=run, memo={"old": 1, "kept": 2}, flags=["late", "odd"], notes=["seen"])


def actions(record: Record) -> list[str]:
    return list(AuditEvent.objects.filter(record=record).order_by("id").values_list("action", flat=True))


# Steps


def test_a_step_is_stored_before_the_next_one_starts(record):
    stored = []

    def look(work, desk):
        stored.append(Record.objects.get(pk=record.pk))
        return Finished()

    target = {"DocTotal": Decimal("100.10")}
    step = Continue(
        stage="checked",
        memo={"new": Decimal("0.30"), "old": None},
        flags=("adopted",),
        cleared_flags=("late",),
        notes=("seen", "rounded"),
        target=target,
        source={"invoiceId": "other"},
    )
    flow = PaperFlow(step, look)
    advance(record, flow)
    (between,) = stored
    assert between.memo == {"kept": 2, "new": Decimal("0.30")}
    assert (between.flags, between.notes) == (["adopted", "odd"], ["seen", "rounded"])
    assert (between.stage, between.target, between.source) == ("checked", target, {"invoiceId": "other"})
    assert (between.status, between.lease_owner, between.mapping_version) == ("in_progress", ME, 3)
    assert isinstance(between.target["DocTotal"], Decimal)
    assert (flow.seen[1].stage, flow.seen[1].memo, flow.seen[1].flags) == ("checked", between.memo, ("adopted", "odd"))


def test_a_step_leaves_alone_what_it_does_not_mention(record):
    Record.objects.filter(pk=record.pk).update(stage="posted", target={"a": 1}, search="inv-1")
    kept = Record.objects.get(pk=record.pk)
    after = advance(record, PaperFlow(Wait(seconds=5)))
    for name in ("stage", "memo", "flags", "notes", "target", "source", "target_keys", "search"):
        assert getattr(after, name) == getattr(kept, name), name


def test_the_target_s_own_numbers_can_be_searched_for_once_each(record):
    keys = {"doc_entry": 12, "doc_num": 47110}
    after = advance(record, PaperFlow(Continue(target_keys=keys), Finished(target_keys=keys)))
    assert after.target_keys == keys
    assert after.search.split().count("47110") == 1
    assert after.search.split().count("12") == 1


def test_waiting_gives_the_record_back_until_its_time(record, run):
    with time_machine.travel(NOON, tick=False):
        after = advance(record, PaperFlow(Wait(seconds=90, code="vendor", message="no vendor yet", hint="Wait.")))
    assert (after.status, after.next_attempt_at) == ("waiting", NOON + timedelta(seconds=90))
    assert (after.error_code, after.error_message, after.error_hint) == ("vendor", "No vendor yet.", "Wait.")
    assert (after.lease_owner, after.lease_expires_at) == ("", None)
    assert actions(record) == ["record.waiting"]
    assert not Run.objects.get(pk=run.pk).is_final


def test_waiting_without_a_code_shows_no_trouble(record):
    Record.objects.filter(pk=record.pk).update(error_code="old", error_message="Old.")
    after = advance(record, PaperFlow(Wait(seconds=1)))
    assert (after.error_code, after.error_message) == ("", "")


def test_an_awaited_answer_has_no_time_of_its_own(record, run):
    after = advance(record, PaperFlow(AwaitAnswer(stage="posted")))
    assert (after.status, after.next_attempt_at, after.stage) == ("waiting", None, "posted")
    assert actions(record) == ["record.answered"]
    assert Run.objects.get(pk=run.pk).status == "settling"


def test_the_last_record_that_is_done_ends_its_run(record, run):
    Record.objects.filter(pk=record.pk).update(memo={"decision": {"decision": "post"}, "kept": 2})
    after = advance(record, PaperFlow(Finished(target={"a": 1})))
    run = Run.objects.get(pk=run.pk)
    assert (after.status, after.stage, after.confirmed_target) == ("done", "confirmed", {"a": 1})
    assert after.memo == {"kept": 2}
    assert (run.status, run.confirmed, run.failed) == ("succeeded", 1, 0)
    assert run.finished_at is not None
    assert actions(record) == ["record.done"]


def test_a_run_goes_on_while_another_record_of_it_is_open(integration, record, run):
    claimed(integration, "INV-2", run=run)
    advance(record, PaperFlow(Finished()))
    run = Run.objects.get(pk=run.pk)
    assert (run.status, run.confirmed) == ("settling", 1)


def test_a_record_may_be_finished_at_an_earlier_stage_than_confirmed(record):
    assert advance(record, PaperFlow(Finished(stage="posted"))).stage == "posted"


def test_who_was_held_back_by_a_finished_record_goes_on(integration, record):
    held = factories.FailedRecordFactory(integration=integration, blocked_by=record)
    other = factories.FailedRecordFactory(integration=integration)
    advance(record, PaperFlow(Finished()))
    held.refresh_from_db()
    other.refresh_from_db()
    assert (held.status, held.blocked_by_id, held.error_message) == ("pending", None, "")
    assert other.status == "failed"


def test_what_a_finished_record_touches_is_looked_at_again(integration, record):
    flow = PaperFlow(Finished())
    flow.touched = [("purchase_orders", "77")]
    rows = {
        status: factories.RecordFactory(
            integration=integration, flow="purchase_orders", reference="77", status=status, part="lines"
        )
        for status in ("done", "failed", "ignored")
    }
    stranger = factories.RecordFactory(flow="purchase_orders", reference="77", status="done")
    advance(record, flow)
    again = {name: Record.objects.get(pk=row.pk) for name, row in rows.items()}
    assert {name: row.status for name, row in again.items()} == {
        "done": "pending",
        "failed": "failed",
        "ignored": "ignored",
    }
    assert (again["done"].part, again["done"].next_attempt_at is None) == ("", False)
    assert Record.objects.get(pk=stranger.pk).status == "done"


def test_a_record_given_back_shows_no_trouble_and_counts_as_no_failure(record, run):
    after = advance(record, PaperFlow(Ignored(code="given_back", message="Given back by Anna.")))
    run = Run.objects.get(pk=run.pk)
    assert (after.status, after.error_code, after.next_attempt_at, after.lease_owner) == ("ignored", "", None, "")
    assert (run.status, run.failed) == ("succeeded", 0)
    event = AuditEvent.objects.get(record=record)
    assert (event.action, event.message) == ("record.given_back", "Given back by Anna.")


def test_what_needs_a_person_names_problems_and_decisions(record, run):
    step = NeedsPerson(
        code="sums",
        message="the sums differ",
        hint="Look.",
        problems=[Problem("grossSum", "gross is not net and tax", "Correct it.")],
        decisions=["post", "link"],
    )
    after = advance(record, PaperFlow(step))
    assert (after.status, after.error_code, after.error_message) == ("failed", "sums", "The sums differ.")
    assert after.problems == [{"path": "grossSum", "message": "Gross is not net and tax.", "hint": "Correct it."}]
    assert after.decisions == ["post", "link"]
    run = Run.objects.get(pk=run.pk)
    assert (run.status, run.failed, run.confirmed) == ("failed", 1, 0)
    assert actions(record) == ["record.failed"]


def test_what_was_stopped_is_shown_without_anything_to_decide(record, run):
    after = advance(record, PaperFlow(Stopped(code="removed", message="removed in P2P", hint="Nothing to do.")))
    assert (after.status, after.error_code, after.error_hint) == ("failed", "removed", "Nothing to do.")
    assert (after.problems, after.decisions) == ([], [])
    assert Run.objects.get(pk=run.pk).failed == 1


def test_a_run_with_both_ends_is_partial(integration, record, run):
    other = claimed(integration, "INV-2", run=run)
    advance(record, PaperFlow(Finished()))
    advance(other, PaperFlow(Stopped(message="removed")))
    assert Run.objects.get(pk=run.pk).status == "partial"


def test_a_record_that_never_comes_to_an_end_is_stopped(record):
    flow = PaperFlow(Continue())
    after = advance(record, flow)
    assert len(flow.seen) == MOST_STEPS
    assert (after.status, after.error_code) == ("failed", "too_many_steps")


# Failures


FAILURES = [
    Unavailable("SAP does not answer.", code="unreachable", hint="Wait."),
    OutcomeUnknown("It may have been posted.", code="timeout", hint="It is looked for."),
    Unauthenticated("The session ended.", code="session", hint="Wait."),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_a_failed_call_puts_the_record_back_with_its_sentence(error, record, connected, settings):
    settings.RETRY_DELAYS = [10, 100]
    error.system = "sap_b1"
    Record.objects.filter(pk=record.pk).update(attempts=1)
    with time_machine.travel(NOON, tick=False):
        after = advance(record, PaperFlow(error))
    delay = (after.next_attempt_at - NOON).total_seconds()
    assert 80 <= delay <= 120
    assert (after.status, after.attempts, after.lease_owner) == ("waiting", 2, "")
    assert (after.error_code, after.error_message, after.error_hint) == (error.code, error.message, error.hint)
    assert actions(record) == ["record.retry"]
    assert Connection.objects.get(integration=connected, system="sap_b1").failures_in_a_row == (
        0 if isinstance(error, OutcomeUnknown) else 1
    )


def test_a_target_that_asks_for_patience_is_left_alone_for_as_long_as_it_said(record, connected):
    error = Throttled("Slow down.", after=45.0)
    error.system = "sap_b1"
    with time_machine.travel(NOON, tick=False):
        after = advance(record, PaperFlow(error))
    assert after.next_attempt_at == NOON + timedelta(seconds=45)
    rests = dict(Connection.objects.filter(integration=connected).values_list("system", "retry_after"))
    assert rests == {"sap_b1": NOON + timedelta(seconds=45), "basware": None}


def test_a_failure_of_a_refused_log_in_pauses_the_integration(record, connected):
    refusal = {"message": "Wrong password.", "code": "login", "hint": ""}
    connected.connections.update(login_refused=refusal)  # as the gate keeps it when it sees one
    advance(record, PaperFlow(Unauthenticated("Wrong password.", code="login", login_refused=True)))
    assert Integration.objects.get(pk=connected.pk).paused_reason == "Wrong password."


def test_what_was_stored_before_a_failure_stays(record, connected):
    after = advance(record, PaperFlow(Continue(stage="acknowledged", memo={"claimed": True}), FAILURES[0]))
    assert (after.stage, after.memo["claimed"], after.status) == ("acknowledged", True, "waiting")


def test_a_fault_of_our_own_ends_for_a_person_and_tells_nothing_of_its_inside(record, run):
    after = advance(record, PaperFlow(ValueError("canary-secret-4711")))
    assert (after.status, after.error_code) == ("failed", "internal_error")
    assert "fault of its own" in after.error_message
    assert "support" in after.error_hint
    shown = f"{after.error_message}{after.error_hint}{[event.message for event in AuditEvent.objects.all()]}"
    assert "canary" not in shown
    assert Run.objects.get(pk=run.pk).failed == 1


def test_a_held_lock_is_waited_for_and_is_no_failed_attempt(record):
    with time_machine.travel(NOON, tick=False):
        after = advance(record, PaperFlow(LockHeld("Another worker is at it.")))
    assert (after.status, after.error_code, after.attempts) == ("waiting", "lock_held", 0)
    assert after.error_message == "Another worker is at it."
    assert after.next_attempt_at == NOON + timedelta(seconds=LOCK_RETRY_SECONDS)


def test_without_its_database_nothing_is_said_of_the_record(record):
    with pytest.raises(OperationalError):
        advance(record, PaperFlow(OperationalError("the server closed the connection")))
    record.refresh_from_db()
    assert (record.status, record.lease_owner, record.error_code) == ("in_progress", ME, "")


@pytest.mark.parametrize(
    "end", [Finished(memo={"mine": 1}), Continue(memo={"mine": 1}), FAILURES[0], ValueError("odd")], ids=repr
)
def test_who_has_lost_the_record_writes_nothing_more(end, record, connected):
    def overtaken(work, desk):
        Record.objects.filter(pk=record.pk).update(lease_owner="another")
        if isinstance(end, Exception):
            raise end
        return end

    flow = PaperFlow(overtaken)
    after = advance(record, flow)
    assert len(flow.seen) == 1
    assert (after.status, after.lease_owner, after.attempts) == ("in_progress", "another", 0)
    assert (after.memo, after.error_code) == ({"old": 1, "kept": 2}, "")
    assert actions(record) == []


@pytest.mark.parametrize("change", [{"lease_owner": "another"}, {"status": "ignored"}])
def test_a_record_taken_over_while_it_stood_in_line_is_left_alone(change, record):
    Record.objects.filter(pk=record.pk).update(**change)
    flow = PaperFlow(Finished())
    advance(record, flow)
    assert flow.seen == []


def test_what_a_lost_worker_was_sending_has_an_unknown_end(integration, record):
    lost = factories.AttemptFactory(integration=integration, record=record, state="sending")
    done = factories.AttemptFactory(integration=integration, record=record, state="done")
    seen = []

    def look(work, desk):
        seen.extend(past.state for past in desk.attempts("vendors"))
        return Finished()

    advance(record, PaperFlow(look))
    assert sorted(seen) == ["done", "unknown"]
    lost.refresh_from_db()
    assert "lost" in lost.message
    assert lost.finished_at is not None
    done.refresh_from_db()
    assert done.message == ""
