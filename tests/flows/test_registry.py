"""Flows are found by walking the package and come in the order of their dependencies."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.flows.master import MasterDataFlow

MASTER_DATA = [
    "payment_terms", "tax_codes", "gl_accounts", "cost_centers", "projects", "vendors", "purchase_orders",
]  # fmt: skip


def test_master_data_comes_first_and_in_the_order_of_the_first_load():
    assert list(registry.flows())[:7] == MASTER_DATA


def test_every_flow_comes_after_what_it_depends_on():
    names = list(registry.flows())
    for name, flow in registry.flows().items():
        assert all(names.index(other) < names.index(name) for other in flow.depends_on if other in names)


def test_a_flow_is_got_by_its_name():
    assert isinstance(registry.get("vendors"), MasterDataFlow)


def test_an_unknown_flow_is_a_key_error():
    with pytest.raises(KeyError):
        registry.get("nosuch")


def a_flow(name: str, depends_on: tuple[str, ...] = (), position: int = 100) -> Flow:
    class AFlow(Flow):
        def default_rules(self) -> list[dict[str, Any]]:
            return []

    AFlow.name, AFlow.depends_on, AFlow.position = name, depends_on, position
    return AFlow()


def test_flows_without_dependencies_keep_their_position():
    found = {flow.name: flow for flow in (a_flow("b", position=2), a_flow("a", position=3), a_flow("c", position=1))}
    assert list(registry.in_order(found)) == ["c", "b", "a"]


def test_a_dependency_goes_before_a_lower_position():
    found = {flow.name: flow for flow in (a_flow("a", ("z",), position=1), a_flow("z", position=9))}
    assert list(registry.in_order(found)) == ["z", "a"]


def test_a_dependency_that_does_not_exist_holds_nothing_up():
    assert list(registry.in_order({"a": a_flow("a", ("missing",))})) == ["a"]


def test_flows_that_wait_for_each_other_are_refused():
    found = {"a": a_flow("a", ("b",)), "b": a_flow("b", ("a",))}
    with pytest.raises(RuntimeError, match="circle: a, b"):
        registry.in_order(found)


def test_a_flow_has_no_lookup_tables_unless_it_says_so():
    assert a_flow("a").default_lookups() == {}
