"""The picture of the two systems: each flow's health by colour and word, and what needs a person first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.views.flow_rows import flow_rows
from syncengine.engine import flow_states
from syncengine.flows import registry
from syncengine.models import DayFigures, Figures, FlowState, Run
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


def fresh_as_of(integration, flow="vendors"):
    return next(row for row in flow_rows(integration) if row.flow.name == flow).fresh_as_of


@pytest.mark.parametrize(
    ("status", "mode", "fresh"),
    [
        ("succeeded", "incremental", True),
        ("partial", "full", True),
        ("succeeded", "dry_run", False),
        ("failed", "incremental", False),
        ("cancelled", "full", False),
    ],
)
def test_only_a_run_that_read_to_the_end_makes_a_flow_fresh(connected, status, mode, fresh):
    ended = timezone.now()
    last_run(connected, status, mode=mode, finished_at=ended)
    assert fresh_as_of(connected) == (ended if fresh else None)
    assert fresh_as_of(connected, "projects") is None


def test_a_flow_stays_as_fresh_as_its_last_good_run_whatever_comes_after(connected):
    good = timezone.now() - timedelta(hours=3)
    last_run(connected, "succeeded", finished_at=good - timedelta(hours=1))
    last_run(connected, "succeeded", finished_at=good)
    last_run(connected, "failed", finished_at=timezone.now())
    last_run(connected, "running")
    assert fresh_as_of(connected) == good


def test_every_flow_is_drawn_with_its_direction(root, people):
    page = people["viewer"].get(root).content.decode()
    for flow in registry.flows().values():
        assert flow.title in page
    assert "from Basware P2P to SAP Business One" in page


def test_failures_are_grouped_by_cause_with_the_most_money_first(root, connected, people):
    for _ in range(3):
        factories.FailedRecordFactory(integration=connected, error_code="import_failed")
    given = {"status": "failed", "error_code": "problems", "cause": "problems: Account 4010 is closed."}
    factories.invoice(connected, **given, amount=Decimal("81204"))
    factories.invoice(connected, **given, amount=Decimal(50), currency="SEK")
    page = people["viewer"].get(root).content.decode()
    assert page.index("Invoices: Problems") < page.index("Vendors: Import failed")
    assert "81,204.00 EUR" in page
    assert "50.00 SEK" in page
    assert "3 records, the first" in page
    assert "cause=problems%3A%20Account%204010%20is%20closed." in page


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


def test_a_row_of_the_picture_leads_to_its_flow(root, people):
    assert f'href="{root}flows/vendors/"' in people["viewer"].get(root).content.decode()


def counted(integration, **figures):
    """As the worker leaves it."""
    stages = [
        {"stage": "checked", "currency": "EUR", "count": 12, "failed": 2, "amount": Decimal("81204.1")},
        {"stage": "checked", "currency": "SEK", "count": 1, "failed": 0, "amount": Decimal("0.07")},
    ]
    Figures.objects.create(integration=integration, stages=stages, counted_at=timezone.now())
    DayFigures.objects.create(integration=integration, day=timezone.now().date(), **figures)


def test_the_plots_show_what_the_worker_counted_as_shapes_and_as_tables(root, connected, people):
    counted(connected, done=1250, failed=2, posted=40, median_seconds=300.0, slow_seconds=600.0)
    page = people["viewer"].get(root).content.decode()
    assert "1,250 done and 2 failed in 30 days." in page
    assert "minutes by day" in page
    assert page.count('<svg class="plot-drawing"') == 2
    assert page.count("As a table") == 2
    assert "style=" not in page


def test_invoices_by_stage_lead_to_the_records_and_never_add_up_two_currencies(root, connected, people):
    counted(connected)
    page = people["viewer"].get(f"{root}figures/").content.decode()
    assert "81,204.10 EUR" in page
    assert "0.07 SEK" in page
    assert "81,204.17" not in page
    assert "?flow=invoices&amp;stage=checked" in page
    assert "2 failed" in page


def test_before_anything_was_counted_every_plot_says_why_it_is_empty(root, people):
    page = people["viewer"].get(root).content.decode()
    assert "counted for the first time within a minute" in page
    assert "No record was brought over" in page
    assert "was posted in these days" in page
    assert "No invoice has come yet" in page
    assert "plot-drawing" not in page


@pytest.mark.parametrize("part", ["live/", "figures/"])
def test_the_parts_renew_themselves_without_the_frame(root, people, part):
    page = people["viewer"].get(root + part).content.decode()
    assert "<html" not in page
    assert f'hx-get="{root}{part}"' in people["viewer"].get(root).content.decode()


def test_looking_at_the_dashboard_writes_nothing(root, connected, people):
    people["viewer"].get(root)
    assert not FlowState.objects.exists()
    assert not Run.objects.exists()
