"""What a dry run adds up: counts, money, causes up to a bound, and field by field what would change."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.engine.dry_runs import MOST_CAUSES, DryResult, differences
from syncengine.models import PlanItem
from syncengine.sandbox.dataset import Dataset
from tests.engine.world import World


def item(action: str, **fields) -> PlanItem:
    return PlanItem(key="V1", title="Vendor", action=action, **fields)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({}, {"a": 1}, [("a", None, 1)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [("a[1].b", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
        ({"a": Decimal("1.10")}, {"a": Decimal("1.1")}, []),
        ({"a": {"b": 1}}, {"a": None}, [("a", {"b": 1}, None)]),
        ({}, {"a": {"b": [{"c": 1}, 2]}}, [("a.b[0].c", None, 1), ("a.b[1]", None, 2)]),
        ({}, {"a": {}, "b": []}, [("a", None, {}), ("b", None, [])]),
    ],
)
def test_differences_name_path_old_and_new(old, new, changes):
    assert list(differences(old, new)) == [{"path": path, "old": was, "new": now} for path, was, now in changes]


def test_items_are_counted_and_added_up_by_action_and_currency():
    result = DryResult()
    for amount, currency in [("0.10", "EUR"), ("0.20", "EUR"), ("5", "USD")]:
        result.add([item("post", amount=Decimal(amount), currency=currency)])
    result.add([item("create")])
    result.add_unchanged(7)
    result.add_unchanged(0)
    assert result.as_dict() == {
        "counts": {"post": 3, "create": 1, "unchanged": 7},
        "totals": {"post": {"EUR": "0.30", "USD": "5"}},
        "causes": [],
    }


def test_causes_come_most_frequent_first_with_their_money():
    result = DryResult()
    for cause in ("a", "b", "b"):
        result.add([item("fail", cause=cause, amount=Decimal("1.10"), currency="EUR")])
    assert result.as_dict()["causes"] == [
        {"cause": "b", "count": 2, "totals": {"EUR": "2.20"}},
        {"cause": "a", "count": 1, "totals": {"EUR": "1.10"}},
    ]


def test_causes_are_bounded_and_counts_are_not():
    result = DryResult()
    for number in range(MOST_CAUSES + 5):
        result.add([item("fail", cause=f"problems: {number}")])
    result.add([item("fail", cause="problems: 0")])
    shown = result.as_dict()
    assert shown["counts"] == {"fail": MOST_CAUSES + 6}
    assert (len(shown["causes"]), shown["causes"][0]["count"]) == (MOST_CAUSES, 2)


def test_what_another_worker_found_is_gone_on_with():
    first = DryResult()
    first.add([item("fail", cause="x", amount=Decimal("1.10"), currency="EUR")])
    second = DryResult.of(first.as_dict())
    second.add([item("fail", cause="x", amount=Decimal("2.20"), currency="EUR")])
    second.add_unchanged(1)
    assert second.as_dict() == {
        "counts": {"fail": 2, "unchanged": 1},
        "totals": {"fail": {"EUR": "3.30"}},
        "causes": [{"cause": "x", "count": 2, "totals": {"EUR": "3.30"}}],
    }
    assert DryResult.of(None).as_dict() == {"counts": {}, "totals": {}, "causes": []}


def writes(world: World) -> list[str]:
    """What was called that may change something: logging in does not, nor do SAP's reading functions."""
    calls = [call for system in ("sap_b1", "basware") for call in world.calls(system) if call["method"] != "GET"]
    harmless = ("/Login", "/Logout", "/tokens")
    return [
        f"{call['method']} {call['path']}"
        for call in calls
        if not call["path"].endswith(harmless) and "/CompanyService_Get" not in call["path"]
    ]


def test_a_dry_run_of_invoices_leaves_no_record_and_no_write(world: World):
    before = world.tell("/basware/documents", "GET")
    waiting = [one for one in before if one["processingStatus"] == "WaitingForTransfer"]
    world.quiet()
    run = world.run("invoices", "dry_run")
    assert (run.status, run.read) == ("succeeded", len(waiting))
    assert sum(run.result["counts"].values()) == len(waiting)
    assert set(run.plan.items.values_list("key", flat=True)) == {one["invoiceId"] for one in waiting}
    bad = Dataset().bad_invoices()
    failing = {one.key: one for one in run.plan.items.filter(action="fail")}
    assert set(bad.values()) <= set(failing)
    named = " ".join(problem["message"] for problem in failing[bad["unknown_codes"]].problems)
    assert all(word in named for word in ("699999", "I99", "NOWHERE"))
    assert world.records("invoices") == []
    assert world.calls("basware", "GET")
    assert writes(world) == []
    assert world.tell("/basware/documents", "GET") == before
