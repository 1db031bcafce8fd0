"""Generic lists and distribution rules: which entity fills which list is a setting, what is gone is closed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from syncengine.connectors.basware.resources import check
from syncengine.flows import registry
from syncengine.flows.distribution_rules import DistributionRules
from syncengine.flows.generic_lists import GenericLists
from syncengine.flows.lists import ListFlow
from syncengine.flows.master import ReadWindow
from syncengine.flows.settings import FlowSettings
from syncengine.flows.target_fields import missing_targets, target_fields
from tests.engine.world import World
from tests.flows.contract import Record, build
from tests.flows.world import FakeSap, context, distribution_rule, project

PROJECTS = "ACC_LIST_12=Projects/Code/Name/Active?Active eq 'tYES'"
TABLES = {
    "Projects": [project(Code="B"), project(Code="A", Name="x" * 80), project(Code="C", Active="tNO")],
    "DistributionRules": [
        distribution_rule(FactorCode="R2", InWhichDimension=2),
        distribution_rule(FactorCode="R3", InWhichDimension=3, Active="tNO"),
    ],
}


def ctx(**settings: Any) -> Any:
    return context(settings=settings)


def basware_list(world: World, list_key: str) -> dict[str, Record]:
    """What P2P holds of the list, by external code."""
    return {found["externalCode"]: found for found in world.tell("/basware/p2p/lists", "GET", listKey=list_key)}


def read(flow: ListFlow, **settings: Any) -> list[Record]:
    return [row for page in flow.pages(FakeSap(**TABLES), ReadWindow(), ctx(**settings)) for row in page.records]


def test_an_entity_set_fills_the_list_that_the_setting_names():
    flow = GenericLists()
    rows = read(flow, list_sources=[PROJECTS])
    assert [flow.key(row) for row in rows] == ["ACC_LIST_12/A", "ACC_LIST_12/B"]
    built = build(flow, rows[1], ctx())
    assert built.payload == {
        "ACC_LIST_12": [
            {
                "externalCode": built.payload["ACC_LIST_12"][0]["externalCode"],
                "text_1": "B",
                "text_2": "New warehouse",
                "companies": [{"companyCode": "1000", "active": True}],
            }
        ]
    }
    assert not built.problems


def test_a_name_is_cut_where_its_list_ends_and_the_cut_is_noted():
    built = build(GenericLists(), read(GenericLists(), list_sources=[PROJECTS])[0], ctx())
    assert built.payload["ACC_LIST_12"][0]["text_2"] == "x" * 50
    assert built.notes == ("the name was cut from 80 to 50 characters",)


def test_dimensions_go_to_lists_of_their_own_with_their_rules_state():
    flow = DistributionRules()
    rows = read(flow, dimension_lists=["2=ACC_LIST_1", "3=INV_LIST_4"])
    sent = {key: bodies[0] for row in rows for key, bodies in build(flow, row, ctx()).payload.items()}
    assert {key: (body["text_1"], body["companies"][0]["active"]) for key, body in sent.items()} == {
        "ACC_LIST_1": ("R2", True),
        "INV_LIST_4": ("R3", False),
    }


def test_what_leaves_is_sent_once_more_as_inactive():
    flow = GenericLists()
    built = build(flow, read(flow, list_sources=[PROJECTS])[1], ctx())
    left = flow.left(built.payload, ctx())
    assert left["ACC_LIST_12"][0]["companies"][0]["active"] is False


def test_a_record_is_found_again_by_its_key_while_its_list_is_named():
    flow, keys = GenericLists(), ["ACC_LIST_12/A", "ACC_LIST_9/A"]
    found = flow.by_keys(FakeSap(**TABLES), keys, ctx(list_sources=[PROJECTS]))
    assert [flow.key(row) for row in found] == ["ACC_LIST_12/A"]
    assert flow.by_keys(FakeSap(**TABLES), keys, ctx()) == []


def test_a_resend_marks_the_fifth_column_that_every_list_has():
    flow = GenericLists()
    built = build(flow, read(flow, list_sources=[PROJECTS])[1], ctx())
    assert flow.resend(built.payload, "r2")["ACC_LIST_12"][0]["text_5"] == "r2"


@pytest.mark.parametrize(
    ("list_key", "column", "value"), [("INV_LIST_1", "number_1", 1), ("ACC_LIST_11", "text_1", "x" * 51)]
)
def test_a_column_that_a_list_does_not_have_is_refused_before_it_is_sent(list_key: str, column: str, value: Any):
    body = {"externalCode": "1", column: value}
    assert [problem.path for problem in check(f"lists/{list_key}", body)] == [column]
    assert check("lists/ACC_LIST_31", {"externalCode": "1", "text_25": "x"}) == []


@pytest.mark.parametrize("flow", [GenericLists(), DistributionRules()])
def test_rules_name_columns_whatever_the_list(flow: ListFlow):
    assert {"text_25", "number_15", "dateValue_15"} <= set(target_fields(flow))
    assert missing_targets(flow, flow.default_rules()) == []
    assert {rule["target"] for rule in flow.default_rules()} <= flow.targets()


@pytest.mark.parametrize(
    "wrong",
    [
        {"list_sources": ["ACC_LIST_36=Projects/Code/Name"]},
        {"list_sources": ["ACC_LIST_1=Projects/Code"]},
        {"list_sources": ["ACC_LIST_1=Projects(1)/Code/Name"]},
        {"list_sources": [PROJECTS, PROJECTS]},
        {"dimension_lists": ["6=ACC_LIST_1"]},
        {"dimension_lists": ["2=ACC_LIST_1", "3=ACC_LIST_1"]},
        {"optional_flows": ["vendors"]},
    ],
)
def test_a_setting_that_names_no_list_or_one_twice_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        FlowSettings(**wrong)


def test_optional_flows_are_there_only_for_who_names_them():
    assert "generic_lists" not in registry.flows()
    assert set(registry.of({"optional_flows": ["generic_lists"]})) == {*registry.flows(), "generic_lists"}
    assert registry.of({}) == registry.flows()


def test_lists_come_to_basware_and_what_sap_has_no_more_is_closed_there(world: World):
    world.integration.settings = {
        "optional_flows": ["generic_lists", "distribution_rules"],
        "list_sources": ["ACC_LIST_3=Projects/Code/Name"],
        "dimension_lists": ["1=ACC_LIST_21"],
    }
    world.integration.save()
    assert world.run("generic_lists").status == "succeeded"
    assert world.run("distribution_rules").status == "succeeded"
    rules, items = basware_list(world, "ACC_LIST_21"), basware_list(world, "ACC_LIST_3")
    assert len(rules) == len(world.records("distribution_rules")) > 0
    assert len(items) == len(world.sap("Projects"))
    code = world.sap("Projects")[0]["Code"]
    world.remove("Projects", code)
    run = world.run("generic_lists", "full")
    assert (run.status, run.closed) == ("succeeded", 1)
    gone = world.record("generic_lists", f"ACC_LIST_3/{code}").target_keys["external_code"]
    assert basware_list(world, "ACC_LIST_3")[gone]["companies"][0]["active"] is False
