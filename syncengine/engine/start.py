"""The guided start: what is done and what comes next, read from what is there. Nothing of it is stored twice.

Two things leave no trace of their own and are kept in `Setup`: that somebody looked at what the mapping makes of real
records, and which schedule is to begin when the integration goes live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import flow_states, mappings, previews, runs
from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from syncengine.models import FlowState, PostedDocument, Run, RunMode, RunStatus, RunTrigger, Sandbox, Setup
from tenants.models import Connection, Integration, System

RUNS_LOOKED_AT = 300
"""The newest ones: whoever has more than that is long past the start."""
GONE_WELL = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)


class StepName(StrEnum):
    """The way, in its order."""

    SAP = "sap_b1"
    BASWARE = "basware"
    PING = "ping"
    MAPPING = "mapping"
    DRY_RUN = "dry_run"
    SCHEDULE = "schedule"
    LIVE = "live"


class StepState(StrEnum):
    """NEXT is what to do now; WORKING goes on by itself; BLOCKED waits for the step named in `blocked_by`."""

    DONE = "done"
    NEXT = "next"
    WORKING = "working"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Step:
    """One step. `remark` says what was found when it was tried."""

    name: StepName
    state: StepState
    blocked_by: StepName | None = None
    remark: str = ""


@dataclass(frozen=True)
class Preset:
    """Schedules in plain words. `documents` and `master` are cron expressions, "" for by hand."""

    name: str
    title: str
    words: str
    documents: str = ""
    master: str = ""
    master_full: str = ""

    def patch(self) -> dict[str, dict[str, Any]]:
        """What flow_states.apply takes."""
        return {name: self._of(isinstance(flow, MasterDataFlow)) for name, flow in registry.flows().items()}

    def _of(self, is_master: bool) -> dict[str, Any]:
        if is_master:
            return {"schedule": self.master or None, "full_schedule": self.master_full or None}
        return {"schedule": self.documents or None}


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "office",
            "In office hours",
            "Invoices and payments every 15 minutes on working days from 6 to 20 h, master data every night at 2.",
            "*/15 6-20 * * 1-5",
            "0 2 * * *",
            "0 3 * * 0",
        ),
        Preset(
            "always",
            "Around the clock",
            "Invoices and payments every 5 minutes, day and night. Master data every hour, and whole every night at 2.",
            "*/5 * * * *",
            "0 * * * *",
            "0 2 * * *",
        ),
        Preset("by_hand", "By hand for now", "Nothing starts by itself, except what Basware notifies us of."),
    )
}


@dataclass(frozen=True)
class Progress:
    """Where an integration stands on its way. `runs` are the newest, the newest first."""

    integration: Integration
    sandbox: Sandbox | None
    setup: Setup
    connections: Mapping[str, Connection]
    runs: list[Run] = field(repr=False)
    mapping_versions: Mapping[str, int] = field(repr=False)
    flows_on: frozenset[str] = field(repr=False)
    has_schedule: bool = False

    @property
    def is_live(self) -> bool:
        return any(run.mode != RunMode.DRY_RUN for run in self.runs)

    @property
    def is_waiting(self) -> bool:
        """Whether something goes on by itself, so that the page had better look again."""
        return any(step.state is StepState.WORKING for step in self.steps) or self.is_getting_live

    @property
    def is_getting_live(self) -> bool:
        return self.is_live and any(not run.is_final for run in self.runs)

    @property
    def steps(self) -> list[Step]:
        found: list[Step] = []
        missing: StepName | None = None
        for name in StepName:
            state, remark = self._judge(name)
            if state is StepState.DONE or self.is_live:
                state = StepState.DONE
            elif missing is not None and name is not StepName.BASWARE:  # either system may be connected first
                state = StepState.BLOCKED
            found.append(Step(name, state, missing if state is StepState.BLOCKED else None, remark))
            missing = missing or (None if state is StepState.DONE else name)
        return found

    @property
    def mapping_problems(self) -> int:
        return sum(len(one["problems"]) for one in self.setup.mapping_check.values())

    @property
    def dry_runs(self) -> dict[str, Run]:
        """The newest dry run of each flow."""
        found: dict[str, Run] = {}
        for run in self.runs:
            if run.mode == RunMode.DRY_RUN:
                found.setdefault(run.flow, run)
        return {name: found[name] for name in registry.flows() if name in found}

    def _judge(self, name: StepName) -> tuple[StepState, str]:
        if name in (StepName.SAP, StepName.BASWARE):
            return self._connected(name)
        judges = {
            StepName.PING: self._pinged,
            StepName.MAPPING: self._mapped,
            StepName.DRY_RUN: self._rehearsed,
            StepName.SCHEDULE: self._scheduled,
        }
        return judges[name]() if name in judges else (StepState.NEXT, "")

    def _connected(self, system: str) -> tuple[StepState, str]:
        if system in self.connections:
            return StepState.DONE, ""
        if self.sandbox is not None:
            return StepState.WORKING, self.sandbox.problem
        return StepState.NEXT, ""

    def _pinged(self) -> tuple[StepState, str]:
        results = {name: connection.last_ping for name, connection in self.connections.items()}
        failing = [System(name).label for name, result in results.items() if result and not result["ok"]]
        if failing:
            return StepState.NEXT, f"The last ping failed: {' and '.join(failing)}."
        is_done = len(results) == len(System) and all(results.values())
        return (StepState.DONE if is_done else StepState.NEXT), ""

    def _mapped(self) -> tuple[StepState, str]:
        checked = self.setup.mapping_check
        if not checked:
            return StepState.NEXT, ""
        changed = [name for name, one in checked.items() if one["version"] != self.mapping_versions.get(name, 0)]
        if changed:
            return StepState.NEXT, "The mapping was changed since. Check it again."
        if self.mapping_problems and not self.setup.accepted_by:
            return StepState.NEXT, "Some records would not go through as they are."
        return StepState.DONE, ""

    def _rehearsed(self) -> tuple[StepState, str]:
        found = self.dry_runs
        if any(not run.is_final for run in found.values()):
            done = sum(run.is_final for run in found.values())
            return StepState.WORKING, f"{done} of {len(found)} flows are done."
        bad = [name for name, run in found.items() if run.status not in GONE_WELL and name in self.flows_on]
        if bad:
            titles = ", ".join(registry.get(name).title for name in bad)
            return StepState.NEXT, f"The dry run did not come through: {titles}."
        return (StepState.DONE if self.flows_on <= set(found) else StepState.NEXT), ""

    def _scheduled(self) -> tuple[StepState, str]:
        chosen = self.setup.schedule in PRESETS or self.has_schedule
        return (StepState.DONE if chosen else StepState.NEXT), ""


def progress(integration: Integration) -> Progress:
    """Where the integration stands; a handful of questions, however much it has done."""
    states = flow_states.with_defaults(integration, FlowState.objects.filter(integration=integration))
    rows = Run.objects.filter(integration=integration).defer("result").order_by("-pk")[:RUNS_LOOKED_AT]
    connections = Connection.objects.without_secrets().filter(integration=integration)
    return Progress(
        integration,
        Sandbox.objects.filter(integration=integration).first(),
        setup_of(integration),
        {row.system: row for row in connections},
        list(rows),
        mappings.versions(integration),
        frozenset(name for name, state in states.items() if state.enabled),
        any(state.schedule or state.full_schedule for state in states.values()),
    )


def setup_of(integration: Integration) -> Setup:
    return Setup.objects.filter(integration=integration).first() or Setup(integration=integration)


def is_live(integration: Integration) -> bool:
    """Whether it has ever run in earnest."""
    return Run.objects.filter(integration=integration).exclude(mode=RunMode.DRY_RUN).exists()


def first_posted(integration: Integration) -> PostedDocument | None:
    """The first document that this integration has made in SAP."""
    rows = PostedDocument.objects.filter(integration=integration).select_related("record")
    return rows.order_by("created_at").first()


def check_mapping(integration: Integration, actor: str) -> Setup:
    """What the rules make of one real record for each flow; nothing is saved of the records, nothing is sent."""
    versions = mappings.versions(integration)
    found = {name: {"version": versions.get(name, 0), **_checked(integration, name)} for name in _flows_on(integration)}
    setup, _ = Setup.objects.update_or_create(
        integration=integration,
        defaults={"mapping_check": found, "mapping_checked_at": timezone.now(), "accepted_by": ""},
    )
    record_event(integration.organization, actor, "mapping.checked", f"{len(found)} flows", integration=integration)
    return setup


def _flows_on(integration: Integration) -> Iterator[str]:
    off = set(FlowState.objects.filter(integration=integration, enabled=False).values_list("flow", flat=True))
    return (name for name in registry.of(integration.settings) if name not in off)


def _checked(integration: Integration, flow: str) -> dict[str, Any]:
    try:
        found = previews.preview(integration, flow)
    except previews.NothingToPreview as nothing:
        return {"state": "nothing", "message": str(nothing), "problems": []}
    except ConnectorError as error:
        return {"state": "problems", "problems": [{"message": error.message, "hint": error.hint}]}
    problems = [{"message": one.get("message", ""), "hint": one.get("hint", "")} for one in found["problems"]]
    return {"state": "problems" if problems else "ok", "problems": problems}


def accept_mapping(integration: Integration, actor: str) -> None:
    """Go on although some records would fail: a person says so by name."""
    changed = Setup.objects.filter(integration=integration).exclude(mapping_check={}).update(accepted_by=actor)
    if changed:
        record_event(integration.organization, actor, "mapping.problems_accepted", integration=integration)


def rehearse(integration: Integration, actor: str) -> list[Run]:
    """A dry run of every flow: reads both systems and writes to neither."""
    return runs.request_runs(integration, runs.ALL, RunMode.DRY_RUN, trigger=RunTrigger.PERSON, actor=actor)


def choose_schedule(integration: Integration, preset: str, actor: str) -> None:
    """What is to begin with going live; at once for an integration that is live. KeyError for an unknown preset."""
    chosen = PRESETS[preset]
    if is_live(integration):
        flow_states.apply(integration, chosen.patch(), actor)
        return
    Setup.objects.update_or_create(integration=integration, defaults={"schedule": chosen.name})
    record_event(integration.organization, actor, "schedule.chosen", chosen.title, integration=integration)


@transaction.atomic
def go_live(integration: Integration, actor: str) -> list[Run]:
    """The first runs in earnest, and the schedule from now on. Raises ActionRefused while a step is missing."""
    at = progress(integration)
    missing = next((step for step in at.steps if step.state is not StepState.DONE), None)
    if missing is not None and missing.name is not StepName.LIVE:
        raise runs.ActionRefused("A step before is still missing. Take it first.", code=missing.name)
    if at.setup.schedule in PRESETS and not at.is_live:
        flow_states.apply(integration, PRESETS[at.setup.schedule].patch(), actor)
        Setup.objects.filter(integration=integration).update(schedule="")  # the flows say it from now on
    if not at.is_live:
        record_event(integration.organization, actor, "integration.live", integration=integration)
    return runs.request_runs(integration, runs.ALL, RunMode.INCREMENTAL, trigger=RunTrigger.PERSON, actor=actor)
