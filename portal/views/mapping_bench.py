"""The mapping tried on a record at hand: what each rule made of it and why, as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.forms.mappings import MappingForm, RuleForm
from portal.views.payloads import compare
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import mapping_cases, mappings, previews, samples
from syncengine.engine.connections import NotConfigured
from syncengine.engine.mapping_cases import Check
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.samples import Leaf, Sample, short
from syncengine.engine.trials import Trial, try_out
from syncengine.flows.base import Flow
from syncengine.flows.target_fields import TargetField, target_fields
from syncengine.mapping import Maker, MappingRefused, Origin, RuleProblem
from tenants.models import Integration

MOST_ROWS = 4


@dataclass(frozen=True)
class Made:
    """What a rule made of one row: the value, what made it, and what no table knew."""

    shown: str
    words: str
    missed: tuple[str, ...]
    is_nothing: bool


@dataclass
class RuleRow:
    """A rule's row of the page. `refused` are the reasons why the rule cannot be tried."""

    form: RuleForm
    contract: TargetField | None = None
    made: list[Made] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def first(self) -> list[Made]:
        return self.made[:1]

    @property
    def others(self) -> list[Made]:
        return self.made[1:MOST_ROWS]

    @property
    def left_out(self) -> int:
        return max(len(self.made) - MOST_ROWS, 0)


@dataclass
class Bench:
    """The record at hand and what came of it; `error` says why there is none."""

    sample: Sample | None = None
    trial: Trial | None = None
    problems: Sequence[Mapping[str, Any]] = ()
    refused: Sequence[RuleProblem] = ()
    groups: Mapping[str, list[Leaf]] = field(default_factory=dict)
    comparison: Any = None
    cases: Check | None = None
    error: str = ""
    hint: str = ""


def try_rules(
    integration: Integration, flow: Flow, data: Mapping[str, Any], rules: mappings.Rules, lookups: mappings.Lookups
) -> Bench:
    """The rules as they stand on the record that was chosen; rules that do not compile are left out and named."""
    bench = Bench()
    mapping = _usable(flow, rules, lookups, bench)
    try:
        bench.sample = _chosen(integration, flow, data)
    except NotConfigured as missing:
        bench.error, bench.hint = str(missing), "Enter the connection, then press Ping systems."
    except previews.NothingToPreview as nothing:
        bench.error, bench.hint = str(nothing), "Leave the key empty to take any record, or enter another one."
    except ConnectorError as failed:
        bench.error, bench.hint = failed.message, failed.hint
    if bench.sample is not None:
        bench.groups = samples.groups(flow.name, bench.sample.source)
        if mapping is not None:
            _fill(bench, integration, flow, mapping)
    return bench


def _usable(flow: Flow, rules: mappings.Rules, lookups: mappings.Lookups, bench: Bench) -> CurrentMapping | None:
    try:
        return mappings.with_rules(flow, rules, lookups)
    except MappingRefused as refused:
        bench.refused = refused.problems
    bad = {problem.index for problem in bench.refused}
    try:
        return mappings.with_rules(flow, [rule for index, rule in enumerate(rules) if index not in bad], lookups)
    except MappingRefused:
        return None


def _chosen(integration: Integration, flow: Flow, data: Mapping[str, Any]) -> Sample | None:
    """The record asked for: read now, by its key, by its id, the one kept in the page, or the first stored."""
    key, record = str(data.get("key", "")).strip()[:120], str(data.get("record", ""))
    if data.get("do") == "live":
        return samples.read_now(integration, flow.name, key or None)
    if data.get("do") == "use" and key:
        found = samples.stored(integration, flow.name, asked=key)
        if found is None:
            raise previews.NothingToPreview(f"No stored record has the key or number {key}. Read it from the source.")
        return found
    if record.isascii() and record.isdigit() and len(record) < 19:
        return samples.stored(integration, flow.name, pk=int(record))
    return samples.of_text(str(data.get("sample", ""))) or samples.stored(integration, flow.name)


def _fill(bench: Bench, integration: Integration, flow: Flow, mapping: CurrentMapping) -> None:
    if bench.sample is None:
        return
    bench.trial = trial = try_out(flow, bench.sample.source, mapping)
    found = [problem.to_dict() for problem in trial.problems]
    known = {problem["path"] for problem in found}
    bench.problems = [*found, *(problem for problem in bench.sample.problems if problem["path"] not in known)]
    bench.comparison = compare(bench.sample.source, trial.target)
    bench.cases = mapping_cases.check_cases(integration, flow.name, mapping)


def rule_rows(flow: Flow, form: MappingForm, bench: Bench) -> list[RuleRow]:
    """The rules of the page with the contract of their target and what they made."""
    fields = target_fields(flow)
    kept = {id(one): index for index, one in enumerate(form.kept_rules)} if form.rules.is_bound else {}
    rows: list[RuleRow] = []
    for position, rule in enumerate(form.rules.forms):
        target = str(rule["target"].value() or "")
        index = kept.get(id(rule), -1) if form.rules.is_bound else position
        refused = [problem.message for problem in bench.refused if problem.index == index]
        origins = bench.trial.of_target(target) if bench.trial and not refused else []
        rows.append(RuleRow(rule, fields.get(target), [_made(origin) for origin in origins], refused))
    return rows


def _made(origin: Origin) -> Made:
    missed = tuple(f"{looked.value} is not in table {looked.table}" for looked in origin.missed)
    nothing = origin.maker == Maker.NOTHING
    return Made("" if nothing else short(origin.value), _words(origin), missed, nothing)


def _words(origin: Origin) -> str:
    row = origin.row
    if origin.maker == Maker.TABLE and row is not None:
        return f"by row {row.value} of table {row.table}"
    return {
        Maker.RULE: "by the rule",
        Maker.DEFAULT: "by the default",
        Maker.NOTHING: "no value: left out",
    }.get(origin.maker, "")
