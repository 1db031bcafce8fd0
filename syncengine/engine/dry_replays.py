"""A replay tried without writing anything: what it would do, what is in the way, and what would be sent differently."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from syncengine.engine import mappings
from syncengine.engine.comparing import Comparison, Fate, Judged
from syncengine.engine.connections import Systems, systems
from syncengine.engine.context import flow_context
from syncengine.engine.dry_runs import differences
from syncengine.engine.gate import Caller
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.rehearsals import read_only, rehearse
from syncengine.engine.replay import MappingOf, again, version_of
from syncengine.flows import registry
from syncengine.flows.company import FlowContext
from syncengine.flows.document import DocumentFlow
from syncengine.flows.master import MasterDataFlow
from syncengine.models import FlowState, Record, RecordStatus
from tenants.models import Integration

WORDS = {
    "created": "It would be sent to {target} for the first time.",
    "updated": "It would be sent to {target} as changed.",
    "closed": "It would be closed in {target}.",
}


@dataclass(frozen=True)
class Tried:
    """`would` is what a replay would end in, `difference` what its payload has other than the one before."""

    would: str
    message: str
    problems: Sequence[Mapping[str, str]]
    source: Any
    target: Any
    difference: Sequence[Mapping[str, Any]]
    mapping_version: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def try_replay(record: Record, mapping: str = MappingOf.TODAY) -> Tried:
    """What a replay of the record would do now; nothing is written anywhere, the record is as it was.

    Raises ActionRefused for a mapping that cannot be used, NotConfigured, and ConnectorError.
    """
    record = Record.objects.select_related("integration__organization").get(pk=record.pk)
    chosen = _mapping(record, version_of(record, mapping))
    with closing(try_together(record.integration, record.flow, [record], chosen)) as tried:
        return next(tried)


def try_together(
    integration: Integration, flow_name: str, records: Iterable[Record], mapping: CurrentMapping
) -> Generator[Tried]:
    """The same of several records of one flow, with that mapping, saved or not; they are changed in memory.

    What was read in SAP for one is known for the next. Whoever stops early closes it.
    """
    flow = registry.get(flow_name)
    with systems(integration, Caller.PERSON) as writing:
        both = read_only(writing)
        context = replace(flow_context(integration, flow, both), lookups=mapping.lookups)
        for record in records:
            if isinstance(flow, MasterDataFlow):
                yield _of_master_data(flow, record, both, context, mapping)
            else:
                assert isinstance(flow, DocumentFlow)  # flows are of one kind or the other
                yield _of_document(flow, record, both, context, mapping)


def _mapping(record: Record, version: int | None) -> CurrentMapping:
    if version is None:
        return mappings.current(record.integration, record.flow)
    return mappings.of_version(record.integration, record.flow, version)


def _of_document(
    flow: DocumentFlow, record: Record, both: Systems, context: FlowContext, mapping: CurrentMapping
) -> Tried:
    before = record.target
    _as_replayed(record)
    done = rehearse(flow, record, both, context, mapping.compiled)
    return Tried(
        done.would,
        f"{done.message} {done.hint}".strip(),
        done.problems,
        done.source,
        done.target,
        list(differences(before or {}, done.target)) if done.target is not None else [],
        mapping.version,
    )


def _as_replayed(record: Record) -> None:
    """As it would be when its turn comes, in memory; one that a worker holds now, once that has let go of it."""
    if record.status == RecordStatus.IN_PROGRESS:
        record.status = RecordStatus.PENDING
    again(record)


def _of_master_data(
    flow: MasterDataFlow, record: Record, both: Systems, context: FlowContext, mapping: CurrentMapping
) -> Tried:
    confirmed = record.confirmed_target or {}
    state = FlowState.objects.filter(integration=record.integration, flow=flow.name).first()
    resend_field = state.resend_field if state else flow.resend_field
    comparison = _Comparison(record.integration, flow, mapping, context, None, resend_field=resend_field)
    found = flow.by_keys(both.sap, [record.key], context)
    judged = comparison.judge(found, again=True) or comparison.gone(list(comparison.existing([record.key]).values()))
    return _tried(judged[0], flow, confirmed, mapping)


class _Comparison(Comparison):
    """Looks at the record as it would stand once it was replayed; what it changes is never stored."""

    def existing(self, keys: Sequence[str]) -> dict[str, Record]:
        rows = super().existing(keys)
        for row in rows.values():
            _as_replayed(row)
        return rows


def _tried(judged: Judged, flow: MasterDataFlow, confirmed: Any, mapping: CurrentMapping) -> Tried:
    record = judged.record
    target = flow.target.replace("basware", "Basware").replace("sap_b1", "SAP")
    message = record.error_message
    problems: Sequence[Mapping[str, str]] = record.problems
    match judged.fate:
        case Fate.SEND:
            would, message = "send", WORDS[record.action].format(target=target)
        case Fate.FAILED:
            would = "ask" if record.decisions else "fail"
        case Fate.WAITS:
            would = "wait"
        case _:
            would, message = "nothing", f"{target} holds already what would be sent."
    built = record.target if judged.fate is not Fate.FAILED or not problems else None
    difference = list(differences(confirmed, built)) if built is not None else []
    return Tried(would, message, problems, record.source, built, difference, mapping.version)
