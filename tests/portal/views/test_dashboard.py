"""The picture of the two systems: each flow's health by colour and word, and what needs a person first."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.views.flow_rows import flow_rows
from syncengine.engine import flow_states
from syncengine.flows import registry
from syncengine.models import FlowState, Run
from tests import factories


def last_run(integration, status, **fields):
    flow_states.states(integration)
    run = factories.RunFactory(integration=integration, status=status, **fields)
    FlowState.objects.filter(integration=integration, flow=run.flow).update(last_run=run)
    return run


def health_of(integration, flow="vendors"):
    return next(row for row in flow_rows(integration) if row.flow.name == flow).health


@pytest.mark.parametrize(
    ("status", "tone", "word"),
    [
        ("queued", "info", "Waiting to run"),
        ("running", "info", "Running"),
        ("settling", "info", "Waiting for answers"),
        ("succeeded", "ok", "Up to date"),
        ("partial", "ok", "Up to date"),
        ("failed", "bad", "Failing"),
        ("cancelled", "quiet", "Cancelled"),
    ],
)
def test_a_flow_is_as_well_as_its_last_run(connected, status, tone, word):
    last_run(connected, status)
    found = health_of(connected)
    assert (found.tone, found.word) == (tone, word)


def test_a_flow_that_never_ran_says_so(connected):
    assert health_of(connected).word == "Never run"


def test_a_flow_that_is_off_says_so_whatever_happened_before(connected):
    last_run(connected, "failed")
    FlowState.objects.filter(integration=connected, flow="vendors").update(enabled=False)
    assert health_of(connected).word == "Switched off"


def test_a_good_run_with_failed_records_left_needs_attention(connected):
    last_run(connected, "succeeded")
    factories.FailedRecordFactory(integration=connected)
    assert health_of(connected).word == "Needs attention"


def test_a_partial_run_with_its_records_mended_since_is_up_to_date_but_held_closings_are_not(connected):
    run = last_run(connected, "partial", failed=1)
    assert health_of(connected).word == "Up to date"
    Run.objects.filter(pk=run.pk).update(error_code="closing_needs_approval")
    assert health_of(connected).word == "Needs attention"


def test_a_schedule_that_passed_without_a_run_is_late(connected):
    last_run(connected, "succeeded")
    past = timezone.now() - timedelta(hours=1)
    FlowState.objects.filter(integration=connected, flow="vendors").update(next_due_at=past)
    assert health_of(connected).word == "Late"


def test_only_a_run_that_read_to_the_end_makes_a_flow_fresh(connected):
    ended = timezone.now()
    for status, mode, fresh in [
        ("succeeded", "incremental", ended),
        ("partial", "full", ended),
        ("succeeded", "dry_run", None),
        ("failed", "incremental", None),
    ]:
        last_run(connected, status, mode=mode, finished_at=ended)
        row = next(row for row in flow_rows(connected) if row.flow.name == "vendors")
        assert row.fresh_as_of == fresh


def test_every_flow_is_drawn_with_its_direction(root, people):
    page = people["viewer"].get(root).content.decode()
    for flow in registry.flows().values():
        assert flow.title in page
    assert "from Basware P2P to SAP Business One" in page


def test_failures_are_grouped_by_cause_with_the_largest_first(root, connected, people):
    factories.FailedRecordFactory(integration=connected, error_code="import_failed")
    for _ in range(3):
        factories.FailedRecordFactory(integration=connected, error_code="mapping")
    page = people["viewer"].get(root).content.decode()
    assert page.index("Vendors: Mapping") < page.index("Vendors: Import failed")
    assert "3 records" in page
    assert "error_code=mapping" in page


def test_when_nothing_failed_the_page_says_so(root, people):
    assert "Nothing needs you" in people["viewer"].get(root).content.decode()


@pytest.mark.parametrize("missing", ["sap_b1", "basware"])
def test_a_missing_connection_is_named_with_the_way_to_it(root, connected, people, missing):
    connected.connections.filter(system=missing).delete()
    page = people["viewer"].get(root).content.decode()
    assert "not connected yet" in page
    assert f"{root}connections/" in page


def test_a_pause_says_why_and_how_it_ends(root, connected, people):
    connected.paused_since, connected.paused_reason = timezone.now(), "SAP refused the log-in."
    connected.save()
    page = people["viewer"].get(root).content.decode()
    assert "SAP refused the log-in." in page
    assert "a good ping ends the pause" in page


def test_held_closings_ask_for_a_decision(root, connected, people):
    run = last_run(connected, "partial", closings_held=12, error_code="closing_needs_approval")
    page = people["viewer"].get(root).content.decode()
    assert "12 vendors are gone from the source" in page
    assert f"/runs/{run.pk}/" in page


def test_the_plot_adds_up_confirmed_and_failed_by_day(root, connected, people):
    now = timezone.now()
    factories.RunFactory(integration=connected, status="partial", finished_at=now, confirmed=5, failed=2)
    factories.RunFactory(integration=connected, status="partial", finished_at=now, confirmed=1, flow="projects")
    factories.RunFactory(integration=connected, status="succeeded", finished_at=now - timedelta(days=40), confirmed=99)
    days, confirmed, failed = json.loads(people["viewer"].get(root).context["plot"])
    assert len(days) == 14
    assert (sum(confirmed), confirmed[-1]) == (6, 6)
    assert (sum(failed), failed[-1]) == (2, 2)


def test_without_runs_there_is_no_plot(root, people):
    assert people["viewer"].get(root).context["plot"] == ""


def test_looking_at_the_dashboard_writes_nothing(root, connected, people):
    people["viewer"].get(root)
    assert not FlowState.objects.exists()
    assert not Run.objects.exists()
