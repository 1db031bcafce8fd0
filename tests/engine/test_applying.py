"""Applying a plan between two real sandboxes: what is planned is what is sent, and nothing else, and once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from syncengine.engine import applying, execution, mappings, master_data, plans, replay
from syncengine.engine.comparing import Fate
from syncengine.engine.connecting import save_connection
from syncengine.engine.runs import ActionRefused, request_runs
from syncengine.engine.work import Deadline
from syncengine.mapping import fingerprint
from syncengine.models import Attempt, ItemFate, Plan, PlanItem, Record, Run
from syncengine.sandbox.dataset import Dataset
from tests.engine.plan_world import FEW, applied, items, payload, plan_of, planned
from tests.engine.test_dry_runs import writes
from tests.engine.world import PERSON, World, in_threads

# What a plan holds


def test_a_plan_lists_what_is_new_and_what_changed_field_by_field(synced):
    run = plan_of(synced, "projects")
    first = synced.records("projects")[0]
    assert run.result["counts"] == {"change": 1, "create": 1, "unchanged": FEW - 1}
    assert [action for action, _ in planned(run)] == ["change", "create"]
    found = items(run)
    (change,) = found[first.key].changes
    assert (change["path"].rpartition(".")[2], change["new"]) == ("projectName", "Changed in SAP")
    new = found["NEW1"]
    assert {one["old"] for one in new.changes} == {None}
    assert "New in SAP" in [one["new"] for one in new.changes]
    assert (new.mapping_version, new.fate) == (0, ItemFate.OPEN)
    assert run.plan.connections == plans.connections_of(synced.integration)


def test_what_a_full_read_does_not_find_is_planned_to_be_closed(synced):
    gone = synced.records("projects")[2].key
    synced.remove("Projects", gone)
    run = plan_of(synced, "projects")
    assert ("close", gone) in planned(run)
    assert synced.record("projects", gone).active
    done = applied(synced, run)
    assert (done.status, done.closed) == ("succeeded", 1)
    assert not synced.record("projects", gone).active


def test_so_many_closings_that_a_person_is_asked_are_told_and_not_sent(world):
    world.run("projects")
    for key in world.sandboxes.sap.company.collection("Projects").keys()[:12]:
        world.remove("Projects", key)
    world.quiet()
    run = plan_of(world, "projects")
    assert run.result["counts"]["ask"] == 12
    assert {item.message for item in items(run).values()} == {plans.HELD_CLOSING}
    with pytest.raises(ActionRefused, match="nothing in this plan"):
        applying.apply(run, PERSON, trigger="person")


def test_the_invoices_of_a_plan_are_posted_or_name_everything_that_is_in_the_way(world):
    run = plan_of(world, "invoices")
    bad = Dataset().bad_invoices()
    found = items(run)
    named = " ".join(one["message"] for one in found[bad["unknown_codes"]].problems)
    assert all(word in named for word in ("699999", "I99", "NOWHERE"))
    assert found[bad["unknown_codes"]].cause.startswith("problems: ")
    assert sum(one["count"] for one in run.result["causes"]) == len(items(run, action__in=["fail", "ask"]))
    posted = items(run, action__in=["post", "credit"])
    assert posted
    assert all(one.amount is not None and one.currency and one.changes for one in posted.values())
    totals = {currency: total for sums in run.result["totals"].values() for currency, total in sums.items()}
    assert totals


def test_a_plan_keeps_no_more_than_the_most_and_counts_the_rest(small, monkeypatch):
    monkeypatch.setattr(plans, "MOST_ITEMS", 4)
    run = plan_of(small, "projects")
    assert run.result["counts"] == {"create": FEW}
    assert (run.plan.kept, run.plan.left_out, len(items(run))) == (4, FEW - 4, 4)
    assert applying.sendable(run.plan).number == 4
    assert applied(small, run).sent == 4


def test_the_changes_of_an_item_are_bounded_too(small, monkeypatch):
    monkeypatch.setattr(plans, "MOST_CHANGES", 2)
    one = next(iter(items(plan_of(small, "projects")).values()))
    assert len(one.changes) == 2
    assert one.more_changes > 0


def test_a_page_that_a_lost_worker_had_planned_is_not_counted_again(synced):
    run = synced.ask("projects", "dry_run")
    planner = plans.Planner(run, 0)
    judged = next(iter(_judged_now(synced, run)))
    planner.add_records([judged])
    Run.objects.filter(pk=run.pk).update(result=planner.result())
    plans.Planner(synced.again(run), 0).add_records([judged])
    assert (Plan.objects.get().kept, PlanItem.objects.count()) == (1, 1)


def _judged_now(world: World, run: Run):
    with execution.systems(world.integration) as both:
        work = execution.RunWork(run, Deadline(1), None, lambda: False)
        flow = execution.registry.get("projects")
        work.systems, work.context = both, execution.flow_context(world.integration, flow, both)
        found = flow.by_keys(both.sap, ["NEW1"], work.context)
        return master_data.comparison_for(flow, work).judge(found)


# What applying it sends


def test_master_data_goes_out_byte_for_byte_as_planned_and_nothing_else_does(synced):
    run = plan_of(synced, "projects")
    synced.change("Projects", "NEW2", Code="NEW2", Name="Came after the plan", Active="tYES")
    done = applied(synced, run)
    assert (done.status, done.mode, done.sent, done.read) == ("succeeded", "apply", 2, 2)
    assert {body["externalCode"] for body in synced.sent("projects")} == {
        synced.record("projects", key).target_keys["external_code"] for key in items(run)
    }
    for key, item in items(run).items():
        record = synced.record("projects", key)
        assert (record.status, payload(record)) == ("done", item.fingerprint)
        assert item.fate == ItemFate.SENT
    assert not Record.objects.filter(flow="projects", key="NEW2").exists()


def test_a_plan_is_what_the_next_run_would_have_sent(synced):
    run = plan_of(synced, "projects")
    synced.run("projects")
    assert {record.key: record.fingerprint for record in synced.records("projects") if record.key in items(run)} == {
        key: item.fingerprint for key, item in items(run).items()
    }


def test_invoices_are_posted_byte_for_byte_as_planned_and_those_in_the_way_are_left_alone(world):
    run = plan_of(world, "invoices")
    posted = items(run, action__in=["post", "credit"])
    world.quiet()
    done = applied(world, run)
    assert (done.status, done.sent, done.failed) == ("succeeded", len(posted), 0)
    records = world.records("invoices")
    assert {record.key for record in records} == set(posted)
    for record in records:
        attempt = Attempt.objects.get(record=record, kind="post")
        sent = {"entity_set": attempt.payload["entity_set"], **attempt.payload["body"]}
        assert fingerprint(sent) == posted[record.key].fingerprint
    paths = ("/PurchaseInvoices", "/PurchaseCreditNotes")
    bodies = [json.loads(call["body"]) for call in world.calls("sap_b1", "POST") if call["path"].endswith(paths)]
    assert len(bodies) == len(posted)


def test_it_is_applied_once_and_who_asks_again_is_answered_with_the_same_run(synced):
    run = plan_of(synced, "projects")
    first = applied(synced, run)
    assert applying.apply(run, PERSON, trigger="api") == first
    assert Run.objects.filter(mode="apply").count() == 1
    assert len(synced.sent("projects")) == 2
    (event,) = synced.events("plan.applied")
    assert (event.actor, event.run_id, event.data["items"]) == (PERSON, first.pk, 2)


def test_two_who_press_at_once_are_answered_with_one_run(synced):
    run = plan_of(synced, "projects")
    answers = in_threads(*[lambda: applying.apply(run, PERSON, trigger="person").pk] * 4)
    assert len(set(answers)) == 1
    assert Run.objects.filter(mode="apply").count() == 1
    connection.close()


# What is stale


def test_an_item_that_changed_since_is_left_out_and_says_so(synced):
    run = plan_of(synced, "projects")
    synced.change("Projects", "NEW1", Name="Changed once more")
    done = applied(synced, run)
    assert (done.status, done.error_code, done.sent) == ("partial", "plan_changed", 1)
    assert done.error_message == "1 of 2 items changed since the plan was made and were not sent."
    item = items(run)["NEW1"]
    assert (item.fate, item.remark) == (ItemFate.CHANGED, "Something else would be sent now.")
    assert not Record.objects.filter(flow="projects", key="NEW1").exists()


def test_an_item_that_is_gone_or_would_fail_now_is_left_out(synced):
    run = plan_of(synced, "projects")
    first = synced.records("projects")[0].key
    synced.remove("Projects", "NEW1")
    synced.change("Projects", first, Name="")
    done = applied(synced, run)
    assert (done.status, done.sent) == ("failed", 0)
    assert items(run)["NEW1"].remark == "SAP does not have it any more."
    assert items(run)[first].fate == ItemFate.CHANGED
    assert items(run)[first].remark
    assert writes(synced) == []


def test_an_invoice_that_changed_or_went_away_since_is_left_out(world):
    run = plan_of(world, "invoices")
    changed, gone, *_ = sorted(items(run, action="post"))
    world.tell("/basware/change", invoiceId=changed, changes={"invoiceNumber": "CHANGED-1"})
    world.tell("/basware/move", invoiceId=gone, status="Transferred")
    done = applied(world, run)
    assert (done.status, done.error_code) == ("partial", "plan_changed")
    left_out = items(run, fate=ItemFate.CHANGED)
    assert {key: item.remark for key, item in left_out.items()} == {
        changed: "Something else would be sent now.",
        gone: "The source does not offer it any more.",
    }
    assert not Record.objects.filter(key__in=[changed, gone]).exists()


def test_what_another_worker_has_taken_up_meanwhile_is_left_to_it(world):
    run = plan_of(world, "invoices")
    wanted = sorted(items(run, action="post"))[0]
    asked = applying.apply(run, PERSON, trigger="person")
    Record.objects.create(integration=world.integration, flow="invoices", key=wanted, status="waiting")
    world.finish(asked)
    assert items(run)[wanted].remark == "It is done, or on its way, already."


def stale_mapping(world: World, run: Run) -> None:
    rules = mappings.current(world.integration, "projects").rules
    mappings.save(world.integration, "projects", rules, {}, PERSON)


def stale_connection(world: World, run: Run) -> None:
    save_connection(world.integration, "basware", world.sandboxes.addresses["basware"], PERSON)


def sent_since(world: World, run: Run) -> None:
    world.run("projects")


def replayed_since(world: World, run: Run) -> None:
    replay.resend(world.records("projects")[0], PERSON, "P2P lost it")
    world.work()


def too_old(world: World, run: Run) -> None:
    Plan.objects.update(created_at=timezone.now() - timedelta(hours=25))


REASONS = {
    stale_mapping: "The field mapping was changed",
    stale_connection: "A connection was changed",
    sent_since: "has been sent since",
    replayed_since: "has been sent since",
    too_old: "older than 24 hours",
}


@pytest.mark.parametrize("happens", REASONS, ids=lambda one: one.__name__)
def test_a_stale_plan_is_refused_and_nothing_is_written(synced, happens):
    run = plan_of(synced, "projects")
    happens(synced, run)
    synced.quiet()
    with pytest.raises(ActionRefused, match=REASONS[happens]) as refused:
        applying.apply(run, PERSON, trigger="person")
    assert refused.value.code == "plan_stale"
    assert not Run.objects.filter(mode="apply").exists()
    assert synced.silent


@pytest.mark.parametrize("happens", [stale_mapping, stale_connection, replayed_since], ids=lambda one: one.__name__)
def test_a_plan_gone_stale_while_its_run_waited_is_refused_by_the_run(synced, happens):
    run = plan_of(synced, "projects")
    waiting = applying.apply(run, PERSON, trigger="person")
    Run.objects.filter(pk=waiting.pk).update(not_before=timezone.now() + timedelta(hours=1))
    happens(synced, run)
    Run.objects.filter(pk=waiting.pk).update(not_before=None)
    synced.quiet()
    done = synced.finish(waiting)
    assert (done.status, done.error_code) == ("failed", "plan_stale")
    assert REASONS[happens] in done.error_message
    assert writes(synced) == []


def test_a_dry_run_that_was_stopped_or_broke_off_has_no_plan_to_apply(synced):
    run = plan_of(synced, "projects")
    for broken in ({"status": "cancelled"}, {"error_code": "unavailable"}, {"status": "running", "error_code": ""}):
        Run.objects.filter(pk=run.pk).update(**broken)
        with pytest.raises(ActionRefused, match="has not come to a good end"):
            applying.apply(synced.again(run), PERSON, trigger="person")


def test_only_a_dry_run_has_a_plan_to_apply(synced):
    with pytest.raises(ActionRefused) as refused:
        applying.apply(synced.run("projects"), PERSON, trigger="person")
    assert refused.value.code == "no_plan"


def test_it_waits_for_no_other_run_of_the_flow(synced):
    run = plan_of(synced, "projects")
    synced.ask("projects")
    with pytest.raises(ActionRefused, match="under way") as refused:
        applying.apply(run, PERSON, trigger="person")
    assert refused.value.code == "run_open"
    assert Plan.objects.get(run=run).applied_in is None


def test_a_plan_that_went_with_its_run_is_not_sent(synced):
    run = plan_of(synced, "projects")
    asked = applying.apply(run, PERSON, trigger="person")
    Plan.objects.all().delete()
    done = synced.finish(asked)
    assert (done.status, done.error_message) == ("failed", "The plan is not there any more.")


# Several flows


def test_the_plans_of_several_flows_are_applied_one_after_another(world):
    runs = request_runs(world.integration, "all", "dry_run", trigger="person", actor=PERSON)
    for run in runs:
        world.finish(run)
    assert writes(world) == []
    wanted = [run for run in runs if run.flow in ("payment_terms", "vendors")]
    first, second = applying.apply_all(wanted, PERSON, trigger="person")
    assert second.after == first
    assert [world.finish(one).is_final for one in (first, second)] == [True, True]
    assert (
        len(world.records("vendors"))
        == applying.PlanItem.objects.filter(plan__run=wanted[1], fate=ItemFate.SENT).count()
    )


def test_one_stale_plan_among_several_keeps_all_of_them_back(world):
    runs = [world.run(flow, "dry_run") for flow in ("payment_terms", "projects")]
    Plan.objects.filter(run=runs[1]).update(created_at=timezone.now() - timedelta(hours=25))
    with pytest.raises(ActionRefused, match="older than"):
        applying.apply_all(runs, PERSON, trigger="person")
    assert not Run.objects.filter(mode="apply").exists()
    assert not Plan.objects.exclude(applied_in=None).exists()


def test_payments_are_confirmed_as_planned(world):
    for flow in ("payment_terms", "vendors", "gl_accounts", "tax_codes", "cost_centers", "projects"):
        world.run(flow)
    world.run("invoices")
    done = [one for one in world.records("invoices") if one.status == "done" and "Invoices" in one.target["entity_set"]]
    for record in done[:2]:
        world.tell("/sap/payments", entry=record.target_keys["DocEntry"])
    world.quiet()
    run = plan_of(world, "payments")
    planned_ = items(run, action="confirm")
    done = applied(world, run)
    assert (done.status, done.sent) == ("succeeded", len(planned_))
    assert planned_
    for record in world.records("payments"):
        assert payload(record) == planned_[record.key].fingerprint


def test_fates_of_judged_records_have_an_action():
    one = plans.Judged(Record(action="created"), Fate.WAITS)
    assert plans.action_of(one) == "wait"
