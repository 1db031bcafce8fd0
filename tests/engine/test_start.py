"""The guided start: each step's state follows from what is there."""

from __future__ import annotations

import pytest

from syncengine.connectors.outcomes import Unavailable
from syncengine.engine import mappings, previews, start
from syncengine.engine.runs import ActionRefused
from syncengine.engine.start import PRESETS, StepName, StepState
from syncengine.flows import registry
from syncengine.models import AuditEvent, FlowState, Run, Sandbox
from tenants.models import Connection
from tests import factories

ANNA = "anna@nordic-paper.example.com"
NEXT, DONE, BLOCKED, WORKING = StepState.NEXT, StepState.DONE, StepState.BLOCKED, StepState.WORKING


@pytest.fixture
def integration(db):
    return factories.IntegrationFactory()


@pytest.fixture
def pinged(integration):
    factories.connect(integration)
    Connection.objects.update(last_ping={"ok": True})
    return integration


@pytest.fixture
def seen(monkeypatch):
    """What the preview of each flow finds; problems by flow."""
    problems: dict[str, list[dict[str, str]]] = {}
    monkeypatch.setattr(previews, "preview", lambda integration, flow: {"problems": problems.get(flow, [])})
    return problems


@pytest.fixture
def mapped(pinged, seen):
    start.check_mapping(pinged, ANNA)
    return pinged


@pytest.fixture
def rehearsed(mapped):
    start.rehearse(mapped, ANNA)
    Run.objects.update(status="succeeded")
    return mapped


def states(integration):
    return [step.state for step in start.progress(integration).steps]


def step(integration, name):
    return next(one for one in start.progress(integration).steps if one.name == name)


def test_both_systems_may_be_connected_first_and_all_else_waits(integration):
    assert states(integration) == [NEXT, NEXT, *[BLOCKED] * 5]
    assert step(integration, StepName.PING).blocked_by is StepName.SAP


def test_connected_systems_are_pinged_next(integration):
    factories.connect(integration)
    assert states(integration) == [DONE, DONE, NEXT, *[BLOCKED] * 4]
    assert step(integration, StepName.LIVE).blocked_by is StepName.PING


def test_a_failing_ping_names_the_side(integration):
    factories.connect(integration)
    Connection.objects.filter(system="basware").update(last_ping={"ok": False})
    assert "Basware P2P" in step(integration, StepName.PING).remark


def test_a_sandbox_that_starts_is_under_way_and_says_what_is_wrong(integration):
    Sandbox.objects.create(integration=integration, requested_by=ANNA, problem="No port is free.")
    found = start.progress(integration)
    assert [one.state for one in found.steps][:2] == [WORKING, WORKING]
    assert found.steps[0].remark == "No port is free."
    assert found.is_waiting


def test_the_mapping_is_checked_for_every_flow_that_is_on(pinged, seen):
    FlowState.objects.create(integration=pinged, flow="projects", enabled=False)
    setup = start.check_mapping(pinged, ANNA)
    assert set(setup.mapping_check) == set(registry.flows()) - {"projects"}
    assert states(pinged)[:5] == [DONE, DONE, DONE, DONE, NEXT]
    assert AuditEvent.objects.get(action="mapping.checked").actor == ANNA


def test_problems_hold_the_way_until_somebody_says_they_are_known(pinged, seen):
    seen["vendors"] = [{"message": "name is required", "hint": "Fill it."}]
    start.check_mapping(pinged, ANNA)
    assert step(pinged, StepName.MAPPING).state is NEXT
    assert step(pinged, StepName.DRY_RUN).state is BLOCKED
    start.accept_mapping(pinged, ANNA)
    assert step(pinged, StepName.MAPPING).state is DONE
    assert start.setup_of(pinged).accepted_by == ANNA


def test_accepting_what_nobody_has_looked_at_is_nothing(pinged):
    start.accept_mapping(pinged, ANNA)
    assert step(pinged, StepName.MAPPING).state is NEXT
    assert not AuditEvent.objects.filter(action="mapping.problems_accepted").exists()


def test_a_changed_mapping_wants_to_be_checked_again(mapped):
    vendors = mappings.current(mapped, "vendors")
    mappings.save(mapped, "vendors", vendors.rules, vendors.lookups, ANNA)
    assert "changed since" in step(mapped, StepName.MAPPING).remark


@pytest.mark.parametrize(
    ("failure", "state"),
    [(previews.NothingToPreview("none"), "nothing"), (Unavailable("SAP is away.", code="away"), "problems")],
)
def test_a_flow_without_a_record_or_a_system_says_so(pinged, monkeypatch, failure, state):
    def fail(_integration, _flow):
        raise failure

    monkeypatch.setattr(previews, "preview", fail)
    assert {one["state"] for one in start.check_mapping(pinged, ANNA).mapping_check.values()} == {state}


def test_a_dry_run_is_under_way_until_every_flow_has_ended(mapped):
    started = start.rehearse(mapped, ANNA)
    assert {run.mode for run in started} == {"dry_run"}
    assert step(mapped, StepName.DRY_RUN).state is WORKING
    Run.objects.exclude(pk=started[-1].pk).update(status="succeeded")
    assert step(mapped, StepName.DRY_RUN).remark == f"{len(started) - 1} of {len(started)} flows are done."
    Run.objects.update(status="partial")
    assert step(mapped, StepName.DRY_RUN).state is DONE


def test_a_dry_run_that_failed_is_named_and_may_be_started_again(rehearsed):
    Run.objects.filter(flow="vendors").update(status="failed")
    assert step(rehearsed, StepName.DRY_RUN).remark == "The dry run did not come through: Vendors."
    start.rehearse(rehearsed, ANNA)
    Run.objects.filter(status="queued").update(status="succeeded")
    assert step(rehearsed, StepName.DRY_RUN).state is DONE


def test_a_chosen_schedule_begins_with_going_live_and_not_before(rehearsed):
    start.choose_schedule(rehearsed, "always", ANNA)
    assert states(rehearsed) == [*[DONE] * 6, NEXT]
    assert not FlowState.objects.exclude(schedule=None).exists()
    runs = start.go_live(rehearsed, ANNA)
    assert {run.mode for run in runs} == {"incremental"}
    schedules = dict(FlowState.objects.values_list("flow", "schedule"))
    assert schedules["invoices"] == PRESETS["always"].documents
    assert schedules["vendors"] == PRESETS["always"].master
    assert start.setup_of(rehearsed).schedule == ""
    assert set(states(rehearsed)) == {DONE}


def test_by_hand_is_a_choice_too(rehearsed):
    start.choose_schedule(rehearsed, "by_hand", ANNA)
    start.go_live(rehearsed, ANNA)
    assert not FlowState.objects.exclude(schedule=None).exists()
    assert start.is_live(rehearsed)


def test_schedules_entered_on_the_pages_of_flows_count_and_stay(rehearsed):
    FlowState.objects.filter(flow="invoices").update(schedule="0 4 * * *")
    assert step(rehearsed, StepName.SCHEDULE).state is DONE
    start.go_live(rehearsed, ANNA)
    assert FlowState.objects.get(flow="invoices").schedule == "0 4 * * *"


def test_nobody_goes_live_with_a_step_missing(mapped):
    with pytest.raises(ActionRefused, match="still missing"):
        start.go_live(mapped, ANNA)
    assert not start.is_live(mapped)


def test_a_preset_chosen_later_holds_at_once(rehearsed):
    start.choose_schedule(rehearsed, "by_hand", ANNA)
    start.go_live(rehearsed, ANNA)
    start.choose_schedule(rehearsed, "office", ANNA)
    assert FlowState.objects.get(flow="invoices").schedule == PRESETS["office"].documents


def test_an_integration_set_up_without_the_guide_is_live_when_it_has_run(pinged):
    factories.RunFactory(integration=pinged, status="succeeded")
    assert set(states(pinged)) == {DONE}
    assert start.first_posted(pinged) is None
