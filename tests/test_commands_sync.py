"""`manage.py sync`: runs flows in this process, prints a line of counts each, and its exit code tells."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from syncengine.flows import registry
from syncengine.management.commands.sync import Command
from syncengine.models import Call, Run
from tests.engine.processes import manage
from tests.engine.world import World, quick, running_sandboxes, sandboxes, world

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]  # fixtures of this module


def sync(world: World, *flows: str, **options: Any) -> list[dict[str, Any]]:
    """The lines that the command printed."""
    out = StringIO()
    call_command("sync", str(world.integration.pk), *flows, stdout=out, stderr=StringIO(), **options)
    return lines(out.getvalue())


def lines(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_it_prints_one_line_of_counts_per_flow(world):
    terms, projects = sync(world, "payment_terms", "projects")
    assert (terms["flow"], projects["flow"]) == ("payment_terms", "projects")
    for name in ("read", "unchanged", "sent", "confirmed", "failed", "created", "updated", "closed"):
        assert isinstance(projects[name], int)
    assert (projects["status"], projects["read"], projects["confirmed"]) == ("succeeded", 15, 15)


def test_a_second_time_it_sends_nothing(world):
    sync(world, "projects")
    (line,) = sync(world, "projects")
    assert (line["unchanged"], line["sent"]) == (15, 0)


def test_its_run_says_who_asked(world):
    sync(world, "projects")
    run = Run.objects.get()
    assert (run.trigger, run.requested_by, run.mode) == ("command", "sync", "incremental")


@pytest.mark.parametrize("mode", ["full", "dry_run"])
def test_it_takes_a_mode(world, mode):
    sync(world, "projects", mode=mode)
    assert Run.objects.get().mode == mode


def test_it_counts_the_calls_of_each_flow(world):
    (line,) = sync(world, "projects")
    made = line["calls"]
    assert sum(made.values()) == Call.objects.filter(run_id=line["run"]).count()
    assert made["sap_b1 GET"] >= 1
    assert made["basware POST"] >= 1


def test_without_a_flow_it_asks_for_all_of_them(world, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(Command, "_work_off", lambda _, runs: asked.extend(run.flow for run in runs))
    sync(world)
    assert asked == list(registry.flows())


def test_an_unknown_integration_is_refused(world):
    with pytest.raises(CommandError, match="no integration 999"):
        call_command("sync", "999")


def test_an_unknown_flow_is_refused_and_the_known_ones_are_named(world):
    with pytest.raises(CommandError, match=r"weather.*payment_terms"):
        sync(world, "weather")
    assert Run.objects.count() == 0


def test_it_exits_with_1_when_a_record_failed(world):
    world.tell("/basware/outcome", externalCode="1000-PT-1", status="Error")
    with pytest.raises(SystemExit) as ended:
        sync(world, "payment_terms")
    assert ended.value.code == 1


def test_it_exits_with_1_and_says_why_when_a_flow_could_not_run(world):
    world.connection("basware").delete()
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sync", str(world.integration.pk), "projects", stdout=out, stderr=StringIO())
    (line,) = lines(out.getvalue())
    assert ended.value.code == 1
    assert (line["status"], "not set up" in line["error"]) == ("failed", True)


def test_as_a_process_its_standard_output_is_nothing_but_json(world):
    with manage("sync", str(world.integration.pk), "projects", "tax_codes") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert [line["flow"] for line in lines(out)] == ["projects", "tax_codes"]
    assert "Peak memory" in err


def test_as_a_process_it_exits_with_1_when_a_record_failed(world):
    world.tell("/basware/outcome", externalCode="1000-PT-1", status="Error")
    with manage("sync", str(world.integration.pk), "payment_terms") as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert lines(out)[0]["failed"] == 1
