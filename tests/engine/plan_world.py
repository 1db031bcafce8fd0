"""A few projects between two sandboxes, planned and applied."""

from __future__ import annotations

import pytest

from syncengine.engine import applying
from syncengine.mapping import fingerprint
from syncengine.models import PlanItem, Record, Run
from tests.engine.test_dry_runs import writes
from tests.engine.world import PERSON, World

FEW = 6


@pytest.fixture
def small(world: World) -> World:
    """SAP has six projects."""
    for key in world.sandboxes.sap.company.collection("Projects").keys()[FEW:]:
        world.remove("Projects", key)
    world.quiet()
    return world


@pytest.fixture
def synced(small: World) -> World:
    """Six projects that Basware has, of which one was changed in SAP since and one is new there."""
    first, *_, last = small.sandboxes.sap.company.collection("Projects").keys()
    source = next(one for one in small.sap("Projects") if one["Code"] == last)
    small.run("projects")
    small.change("Projects", first, Name="Changed in SAP")
    small.change("Projects", "NEW1", **{**source, "Code": "NEW1", "Name": "New in SAP"})
    small.quiet()
    return small


def plan_of(world: World, flow: str) -> Run:
    run = world.run(flow, "dry_run")
    assert writes(world) == []
    return run


def applied(world: World, run: Run) -> Run:
    return world.finish(applying.apply(run, PERSON, trigger="person"))


def items(run: Run, **of: object) -> dict[str, PlanItem]:
    return {item.key: item for item in PlanItem.objects.filter(plan__run=run, **of)}


def planned(run: Run) -> list[tuple[str, str]]:
    return sorted(PlanItem.objects.filter(plan__run=run).values_list("action", "key"))


def payload(record: Record) -> str:
    return fingerprint(record.target)
