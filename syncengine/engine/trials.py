"""What a mapping makes of one record that is at hand: every field with what made it. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncengine.engine.mappings import CurrentMapping
from syncengine.flows.base import Flow
from syncengine.flows.company import Payload
from syncengine.flows.master import MasterDataFlow
from syncengine.mapping import Looked, Origin, Problem


@dataclass
class Trial:
    """`origins` has an entry for each rule, once for each row it was asked for."""

    target: dict[str, Any]
    origins: list[Origin] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of_target(self, target: str) -> list[Origin]:
        """What the rule of that target made, row by row."""
        return [origin for origin in self.origins if origin.target == target]

    @property
    def missed(self) -> list[Looked]:
        """The values that met no row of a table, each once."""
        return list(dict.fromkeys(looked for origin in self.origins for looked in origin.missed))


def try_out(flow: Flow, source: Mapping[str, Any], mapping: CurrentMapping) -> Trial:
    """The mapping on a prepared source record (`samples`); bounded in time like every evaluation of rules."""
    origins: list[Origin] = []
    mapped = mapping.compiled.apply(
        source, rows=flow.rows(source), lookups=mapping.lookups, limits=flow.limits(), origins=origins
    )
    known = {problem.path for problem in mapped.problems}
    refused = [problem for problem in _refusals(flow, mapped.target) if problem.path not in known]
    return Trial(mapped.target, origins, [*mapped.problems, *refused], mapped.notes)


def output_of(flow: Flow, source: Mapping[str, Any], mapping: CurrentMapping) -> dict[str, Any]:
    """The fields alone, for comparisons."""
    return mapping.compiled.apply(source, rows=flow.rows(source), lookups=mapping.lookups, limits=flow.limits()).target


def _refusals(flow: Flow, target: Mapping[str, Any]) -> list[Problem]:
    """What the target system would refuse of it by its schema."""
    if not isinstance(flow, MasterDataFlow):
        return []
    if not flow.several_parts:
        return flow.problems({flow.parts[0].name: [dict(target)]})
    payload: Payload = {
        part.name: target.get(part.name, []) if part.many else [target.get(part.name, {})] for part in flow.parts
    }
    return flow.problems(payload)
