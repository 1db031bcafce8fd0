"""Plans in the API: added up, item by item, and applied."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from syncengine.models import Plan, Run
from tests import factories


@pytest.fixture
def caller(api):
    return api("operator")


@pytest.fixture
def plan(connected) -> Plan:
    result = {"counts": {"create": 2}, "totals": {"create": {"EUR": "1.10"}}, "causes": []}
    run = factories.RunFactory(integration=connected, mode="dry_run", status="succeeded", result=result)
    made = factories.PlanFactory(run=run, kept=2)
    change = {"path": "price", "old": None, "new": Decimal("10.10")}
    factories.PlanItemFactory(plan=made, key="V1", amount=Decimal("1.10"), currency="EUR", changes=[change])
    factories.PlanItemFactory(plan=made, key="V2", action="fail", cause="problems: x")
    return made


def test_a_plan_is_added_up_and_says_whether_it_can_be_applied(plan, caller):
    shown = caller.get(f"runs/{plan.run_id}/plan/").json()
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "run": plan.run_id,
        "mapping_version": 0,
        "counts": {"create": 2},
        "totals": {"create": {"EUR": "1.10"}},
        "causes": [],
        "kept": 2,
        "left_out": 0,
        "applied_in": None,
        "refusal": "",
    }
    Plan.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert caller.get(f"runs/{plan.run_id}/plan/").json()["refusal"] == "The plan is older than 24 hours."


def test_a_plan_that_has_found_nothing_yet_is_empty(connected, caller):
    plan = factories.PlanFactory(run=factories.RunFactory(integration=connected, mode="dry_run", status="running"))
    shown = caller.get(f"runs/{plan.run_id}/plan/").json()
    assert (shown["counts"], shown["totals"], shown["causes"]) == ({}, {}, [])
    assert "good end" in shown["refusal"]


def test_items_are_listed_with_exact_amounts_and_narrowed(plan, caller):
    path = f"runs/{plan.run_id}/plan/items/"
    results = caller.get(path).json()["results"]
    assert [one["key"] for one in results] == ["V2", "V1"]
    assert results[1]["amount"] == "1.10"
    assert results[1]["changes"] == [{"path": "price", "old": None, "new": "10.10"}]
    assert [one["key"] for one in caller.get(f"{path}?action=fail").json()["results"]] == ["V2"]
    assert [one["key"] for one in caller.get(f"{path}?cause=problems:+x").json()["results"]] == ["V2"]
    assert caller.get(f"{path}?action=nonsense").status_code == 400


def test_a_run_without_a_plan_has_none(connected, caller):
    run = factories.RunFactory(integration=connected)
    assert caller.get(f"runs/{run.pk}/plan/").status_code == 404
    assert caller.get(f"runs/{run.pk}/plan/items/").status_code == 404
    refused = caller.post(f"runs/{run.pk}/apply/")
    assert (refused.status_code, refused.json()["code"]) == (400, "no_plan")


def test_a_plan_is_applied_once(plan, caller):
    first = caller.post(f"runs/{plan.run_id}/apply/")
    assert first.status_code == 202
    run = Run.objects.get(mode="apply")
    assert (first.json()["id"], first.json()["mode"], run.trigger) == (run.pk, "apply", "api")
    assert caller.post(f"runs/{plan.run_id}/apply/").json()["id"] == run.pk
    shown = caller.get(f"runs/{plan.run_id}/plan/").json()
    assert (shown["applied_in"], shown["refusal"]) == (run.pk, "It was applied.")


def test_a_stale_plan_is_a_problem_by_name(plan, caller):
    Plan.objects.update(mapping_version=7)
    refused = caller.post(f"runs/{plan.run_id}/apply/")
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "plan_stale"
    assert "field mapping was changed" in refused.json()["detail"]


def test_nobody_asks_for_a_run_that_applies_without_a_plan(connected, caller):
    refused = caller.post(f"integrations/{connected.pk}/runs/", {"flow": "vendors", "mode": "apply"})
    assert refused.status_code == 400
    assert not Run.objects.exists()
