"""Schedules in words, running now, watching a run, stopping it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.engine import flow_states
from syncengine.models import FlowState, Run
from tests import factories


def test_a_schedule_is_saved_and_told_in_words(root, connected, people):
    people["admin"].post(f"{root}flows/vendors/", {"enabled": "on", "schedule": "*/15 * * * *"})
    stored = FlowState.objects.get(integration=connected, flow="vendors")
    assert stored.schedule == "*/15 * * * *"
    assert stored.next_due_at is not None
    assert stored.full_schedule is None
    assert "Every 15 minutes" in people["viewer"].get(f"{root}flows/").content.decode()


@pytest.mark.parametrize("field", ["schedule", "full_schedule"])
def test_a_wrong_schedule_is_refused_at_its_field(root, people, field):
    answer = people["admin"].post(f"{root}flows/vendors/", {"enabled": "on", field: "61 * * * *"})
    assert "no cron expression" in answer.context["form"].errors[field][0]


def test_a_wrong_resend_field_is_refused_at_its_field(root, people):
    answer = people["admin"].post(f"{root}flows/vendors/", {"enabled": "on", "resend_field": "vendorCode"})
    assert "free text field" in answer.context["form"].errors["resend_field"][0]


def test_a_flow_is_switched_off_and_on(root, connected, people):
    people["admin"].post(f"{root}flows/vendors/toggle/", {"enabled": "false"})
    assert not flow_states.states(connected)["vendors"].enabled
    page = people["admin"].post(f"{root}flows/vendors/toggle/", {"enabled": "true"}, follow=True)
    assert "Vendors is on" in page.content.decode()


@pytest.mark.parametrize("path", ["flows/nonsense/", "mappings/nonsense/"])
def test_a_flow_that_does_not_exist_is_404(root, people, path):
    assert people["owner"].get(root + path).status_code == 404


def test_switching_a_flow_that_does_not_exist_is_404(root, people):
    assert people["owner"].post(f"{root}flows/nonsense/toggle/").status_code == 404


def test_a_dry_run_leads_to_its_plan(root, organization, connected, people):
    answer = people["operator"].post(f"{root}runs/start/", {"flow": "vendors", "mode": "dry_run"})
    run = Run.objects.get()
    assert answer["Location"] == f"/o/{organization.slug}/runs/{run.pk}/plan/"
    assert (run.mode, run.trigger, run.requested_by) == ("dry_run", "person", "operator@nordic-paper.example.com")


def test_asking_twice_leads_to_the_run_that_is_open(root, people):
    first = people["operator"].post(f"{root}runs/start/", {"flow": "vendors", "mode": "full"})
    second = people["owner"].post(f"{root}runs/start/", {"flow": "vendors", "mode": "incremental"})
    assert first["Location"] == second["Location"]


def test_run_all_starts_one_run_for_each_flow(root, people):
    answer = people["operator"].post(f"{root}runs/start/", {"flow": "all", "mode": "incremental"}, follow=True)
    assert Run.objects.count() == 9
    assert "9 runs are on their way" in answer.content.decode()


@pytest.mark.parametrize("data", [{}, {"flow": "nonsense", "mode": "full"}, {"flow": "vendors", "mode": "nonsense"}])
def test_a_run_that_makes_no_sense_is_refused(root, people, data):
    page = people["operator"].post(f"{root}runs/start/", data, follow=True).content.decode()
    assert "no such flow or kind of run" in page
    assert not Run.objects.exists()


@pytest.mark.parametrize(("status", "asks_again"), [("running", True), ("settling", True), ("succeeded", False)])
def test_the_progress_asks_again_until_the_run_is_final(organization, connected, people, status, asks_again):
    run = factories.RunFactory(integration=connected, status=status, expected=10, read=4)
    page = people["viewer"].get(f"/o/{organization.slug}/runs/{run.pk}/progress/").content.decode()
    assert ('hx-trigger="every 1s"' in page) is asks_again
    assert ("<progress" in page) is asks_again


def test_a_failed_run_says_why_and_what_to_do(organization, connected, people):
    run = factories.RunFactory(
        integration=connected, status="failed", error_message="SAP is away.", error_hint="Ask its operator."
    )
    page = people["viewer"].get(f"/o/{organization.slug}/runs/{run.pk}/").content.decode()
    assert "SAP is away." in page
    assert "Ask its operator." in page


def test_a_run_is_stopped_once(organization, connected, people):
    run = factories.RunFactory(integration=connected, status="queued")
    path = f"/o/{organization.slug}/runs/{run.pk}/cancel/"
    assert "The run stops" in people["operator"].post(path, follow=True).content.decode()
    assert "ended already" in people["operator"].post(path, follow=True).content.decode()


def test_a_yes_to_closings_leads_to_the_run_that_closes(organization, connected, people):
    run = factories.RunFactory(
        integration=connected, status="partial", error_code="closing_needs_approval", closings_held=9
    )
    answer = people["operator"].post(f"/o/{organization.slug}/runs/{run.pk}/confirm-closings/")
    follow_up = Run.objects.exclude(pk=run.pk).get()
    assert answer["Location"] == f"/o/{organization.slug}/runs/{follow_up.pk}/"
    assert follow_up.mode == "full"


@pytest.mark.parametrize(("query", "count"), [("", 3), ("?flow=projects", 1), ("?status=failed", 1), ("?flow=x", 3)])
def test_runs_are_filtered_by_the_url(root, connected, people, query, count):
    factories.RunFactory(integration=connected, flow="projects", status="succeeded")
    factories.RunFactory(integration=connected, flow="vendors", status="failed")
    factories.RunFactory(integration=connected, flow="vendors", status="succeeded")
    assert len(people["viewer"].get(f"{root}runs/{query}").context["page"].rows) == count


@pytest.mark.parametrize("page", ["runs/", "flows/"])
def test_htmx_is_answered_with_the_table_alone(root, people, page):
    text = people["viewer"].get(root + page, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert "<html" in people["viewer"].get(root + page).content.decode()


def shown(people, organization, run):
    return people["operator"].get(f"/o/{organization.slug}/runs/{run.pk}/").content.decode()


def test_a_run_shows_its_rate_and_the_time_that_is_left(organization, connected, people):
    begun = timezone.now() - timedelta(seconds=100)
    run = factories.RunFactory(integration=connected, status="running", read=400, expected=1000, started_at=begun)
    page = shown(people, organization, run)
    assert "<strong>400</strong> of about 1,000 read" in page
    assert "4.0 records/s" in page
    assert "min left" in page


def test_a_run_that_waits_says_for_what(organization, connected, people):
    first = factories.RunFactory(integration=connected, status="queued")
    second = factories.RunFactory(integration=connected, status="queued", flow="projects", after=first)
    third = factories.RunFactory(
        integration=connected, status="queued", flow="tax_codes", not_before=timezone.now() + timedelta(minutes=5)
    )
    assert "Waits for a free worker" in shown(people, organization, first)
    assert "the run before it" in shown(people, organization, second)
    assert "Goes on" in shown(people, organization, third)


def test_stopping_is_asked_back_first(organization, connected, people):
    run = factories.RunFactory(integration=connected, status="running")
    page = shown(people, organization, run)
    assert "Stop …" in page
    assert page.index("<details") < page.index("Yes, stop this run")


def test_counts_lead_to_the_records_of_that_run_with_that_outcome(root, organization, connected, people):
    run = factories.RunFactory(integration=connected, status="partial", read=9, sent=2, failed=1)
    mine = factories.FailedRecordFactory(integration=connected, run=run)
    factories.FailedRecordFactory(integration=connected)
    factories.RecordFactory(integration=connected, run=run, status="done", action="created")
    path = f"{root}records/?flow=vendors&run={run.pk}&status=failed"
    assert path.replace("&", "&amp;") in shown(people, organization, run)
    listed = people["viewer"].get(path)
    assert [row.pk for row in listed.context["page"].rows] == [mine.pk]
    assert f"run {run.pk}" in listed.content.decode()
    created = people["viewer"].get(f"{root}records/?run={run.pk}&action=created")
    assert len(created.context["page"].rows) == 1


def test_a_bulk_replay_from_the_records_of_a_run_stays_with_that_run(root, connected, people):
    run = factories.RunFactory(integration=connected, status="partial")
    factories.FailedRecordFactory(integration=connected, run=run)
    factories.FailedRecordFactory(integration=connected)
    asked = people["operator"].post(f"{root}replays/", {"all_failed": "yes", "status": "failed", "run": run.pk})
    assert asked.context["count"] == 1
    assert ("run", str(run.pk)) in asked.context["posted"]


def test_held_closings_show_which_records_would_be_closed(organization, connected, people):
    run = factories.RunFactory(
        integration=connected, status="partial", error_code="closing_needs_approval", closings_held=60
    )
    given = {"integration": connected, "status": "done", "confirmed_fingerprint": "f"}
    gone = [factories.RecordFactory(**given, title=f"Gone {number:02}") for number in range(52)]
    factories.RecordFactory(**given, title="Still there", seen_run=run.pk)
    page = shown(people, organization, run)
    assert "Gone 00" in page
    assert "Gone 49" in page
    assert gone[50].title not in page
    assert "Still there" not in page
    assert "The first 50 of 60" in page
    assert page.index("Gone 49") < page.index("Yes, close 60 records")


def test_a_run_that_another_worker_has_taken_up_says_from_where(organization, connected, people):
    cursor = {"resumed": "resumed after V00123"}
    run = factories.RunFactory(integration=connected, status="running", resumes=2, cursor=cursor)
    page = " ".join(shown(people, organization, run).split())
    assert "A worker was lost 2 times on the way; the run was last resumed after V00123." in page


def test_a_dry_run_tells_actions_and_sums_and_leads_to_its_plan(organization, connected, people):
    result = {"counts": {"post": 3}, "totals": {"post": {"EUR": "81204.10", "SEK": "5"}}}
    run = factories.RunFactory(integration=connected, status="succeeded", mode="dry_run", result=result)
    page = shown(people, organization, run)
    assert "Post" in page
    assert "81,204.10 EUR" in page
    assert "5.00 SEK" in page
    assert f'href="/o/{organization.slug}/runs/{run.pk}/plan/"' in page


def test_a_run_that_sends_a_plan_leads_to_it(organization, connected, people):
    run = factories.RunFactory(integration=connected, status="running", mode="apply")
    plan = factories.PlanFactory(run__integration=connected, applied_in=run)
    assert f'href="/o/{organization.slug}/runs/{plan.run_id}/plan/"' in shown(people, organization, run)


def test_both_schedules_of_a_flow_are_listed_with_what_comes_next(root, connected, people):
    flow_states.apply(connected, {"vendors": {"schedule": "*/15 * * * *", "full_schedule": "0 2 * * *"}}, "owner")
    page = people["viewer"].get(f"{root}flows/").content.decode()
    assert "Every 15 minutes" in page
    assert "Everything: Every night at 2" in page
