"""What a mapping makes of one real record, read from its source now and kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syncengine.engine import mappings
from syncengine.engine.connections import Systems, systems
from syncengine.engine.context import flow_context
from syncengine.engine.gate import Caller
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.flows.company import FlowContext, Payload
from syncengine.flows.master import MasterDataFlow, ReadWindow
from syncengine.mapping import Problem
from tenants.models import Integration

Preview = dict[str, Any]


class NothingToPreview(Exception):
    """The source has no such record, or none at all."""


def preview(
    integration: Integration,
    flow_name: str,
    key: str | None = None,
    rules: mappings.Rules | None = None,
    lookups: mappings.Lookups | None = None,
) -> Preview:
    """`{"source", "target", "problems"}` of the record with that key, or of the first that the source offers.

    `rules` and `lookups` are tried in place of those in force. Raises MappingRefused,
    NothingToPreview, NotConfigured and ConnectorError.
    """
    flow = registry.get(flow_name)
    mapping = mappings.current(integration, flow_name)
    if rules is not None or lookups is not None:
        tables = mapping.lookups if lookups is None else lookups
        mapping = mappings.with_rules(flow, mapping.rules if rules is None else rules, tables)
    with systems(integration, Caller.PERSON) as both:
        context = replace(flow_context(integration, flow, both), lookups=mapping.lookups)
        if isinstance(flow, MasterDataFlow):
            return _of_master_data(flow, mapping, both, context, key)
        return _of_document(flow, mapping, both, context, key)


def _of_master_data(
    flow: MasterDataFlow, mapping: mappings.CurrentMapping, both: Systems, context: FlowContext, key: str | None
) -> Preview:
    source = _read(flow, both, context, key)
    built = flow.build(source, mapping.compiled, context)
    return _shown(built.source, _target(built.payload), built.problems)


def _read(flow: MasterDataFlow, both: Systems, context: FlowContext, key: str | None) -> dict[str, Any]:
    if key is not None:
        found = _with_key(flow, both, key, context)
    else:
        pages = flow.pages(both.sap, ReadWindow(mode="full"), context)
        found = next((page.records for page in pages if page.records), [])
    inside = [source for source in found if flow.in_scope(source, context)]
    if not found:
        raise NothingToPreview(f"SAP has no such record: {key}." if key else "SAP has no record for this flow.")
    return (inside or found)[0]


def _with_key(flow: MasterDataFlow, both: Systems, key: str, context: FlowContext) -> list[dict[str, Any]]:
    try:
        return list(flow.by_keys(both.sap, [key], context))
    except ValueError:  # a word where SAP's key is a number names nothing
        return []


def _target(payload: Payload) -> Any:
    """One body is shown as itself, several by the name of their part."""
    bodies = [body for part in payload.values() for body in part]
    return bodies[0] if len(payload) == 1 and len(bodies) == 1 else payload


def _of_document(
    flow: Flow, mapping: mappings.CurrentMapping, both: Systems, context: FlowContext, key: str | None
) -> Preview:
    shown = getattr(flow, "preview", None)
    found = shown(both.sap, both.basware, key, mapping.compiled, context) if callable(shown) else None
    if found is None:
        raise NothingToPreview(f"There is no document {key}." if key else "There is no document to preview now.")
    source, target, problems = found
    return _shown(source, target, problems)


def _shown(source: Any, target: Any, problems: Any) -> Preview:
    return {"source": source, "target": target, "problems": [_problem(problem) for problem in problems]}


def _problem(problem: Problem) -> dict[str, str]:
    return problem.to_dict()
