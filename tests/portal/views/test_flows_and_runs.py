"""Schedules in words, running now, watching a run, stopping it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from portal.views.flows import words_of
from syncengine.engine import flow_states
from syncengine.models import FlowState, Run
from tests import factories

BERLIN = datetime(2026, 5, 4, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))


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


def test_words_and_next_times_are_in_the_organizations_zone():
    told = words_of("0 2 * * *", BERLIN)
    assert told["words"] == "Every night at 2"
    assert [time.hour for time in told["times"]] == [2] * 5
    assert told["times"][0].tzinfo == BERLIN.tzinfo


@pytest.mark.parametrize("expression", ["nonsense", "* * *", "99 * * * *"])
def test_a_schedule_that_is_none_says_how_it_should_look(expression):
    assert "five fields" in words_of(expression, BERLIN)["error"]


def test_no_schedule_has_no_words():
    assert words_of("", BERLIN) == {}


def test_run_now_leads_to_the_run(root, organization, connected, people):
    answer = people["operator"].post(f"{root}runs/start/", {"flow": "vendors", "mode": "dry_run"})
    run = Run.objects.get()
    assert answer["Location"] == f"/o/{organization.slug}/runs/{run.pk}/"
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


def test_a_dry_run_shows_what_would_happen(organization, connected, people):
    run = factories.RunFactory(integration=connected, status="succeeded", mode="dry_run", result={"would": ["V00001"]})
    page = people["viewer"].get(f"/o/{organization.slug}/runs/{run.pk}/").content.decode()
    assert "What would happen" in page
    assert "V00001" in page


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
