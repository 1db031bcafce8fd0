"""The field mapping in force for a flow: the customer's newest version, or the flow's defaults as version 0."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from syncengine import mapping
from syncengine.audit import record_event
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.flows.master import MasterDataFlow
from syncengine.flows.target_fields import missing_targets
from syncengine.mapping import MappingRefused
from syncengine.mapping.rules import MAX_NAME, Rule
from syncengine.models import Record
from tenants.errors import FieldError, Refused
from tenants.models import FieldMapping, Integration, User

MOST_TABLES, MOST_ENTRIES, LONGEST_ENTRY = 100, 20_000, 250
_TABLE_NAME = re.compile(r"[A-Za-z_]\w*")

Rules = Sequence[Mapping[str, Any]]
Lookups = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class CurrentMapping:
    """`lookups` has every table that the flow knows, empty ones too; `compiled` is shared between threads."""

    rules: list[dict[str, Any]]
    lookups: dict[str, dict[str, str]]
    version: int
    compiled: mapping.FieldMapping


class VersionGone(Exception):
    """A version of the mapping that cannot be used any more; the text is a sentence for people."""


class VersionTaken(Exception):
    """Somebody else saved a mapping of this flow at the same moment; ask again."""


def current(integration: Integration, flow_name: str) -> CurrentMapping:
    """The mapping in force. KeyError for a flow that does not exist."""
    flow = registry.get(flow_name)
    row = FieldMapping.objects.filter(integration=integration, flow=flow_name).order_by("-version").first()
    if row is None:
        return _current(flow, flow.default_rules(), {}, 0)
    return _current(flow, row.rules, row.lookups, row.version)


def versions(integration: Integration) -> dict[str, int]:
    """The newest version by flow; flows with the defaults in force are not among them."""
    rows = FieldMapping.objects.filter(integration=integration).values("flow").annotate(last=Max("version"))
    return {row["flow"]: row["last"] for row in rows}


def of_version(integration: Integration, flow_name: str, version: int) -> CurrentMapping:
    """The mapping of then, checked anew: what the product cannot use any more is refused. Raises VersionGone."""
    newest = current(integration, flow_name)
    if version == newest.version:
        return newest
    flow = registry.get(flow_name)
    row = FieldMapping.objects.filter(integration=integration, flow=flow_name, version=version).first()
    if row is None and version:
        raise VersionGone(f"Version {version} of the mapping is not there any more; use today's.")
    try:
        if row is None:
            return with_rules(flow, flow.default_rules(), {})
        return with_rules(flow, row.rules, row.lookups, row.version)
    except MappingRefused as refused:
        message = f"Version {version} of the mapping does not compile any more ({refused}); use today's."
        raise VersionGone(message) from refused


def for_record(record: Record) -> CurrentMapping:
    """The mapping that a person pinned to the record for this replay, else the one in force. Raises VersionGone."""
    if record.pinned_version is None:
        return current(record.integration, record.flow)
    return of_version(record.integration, record.flow, record.pinned_version)


def with_rules(flow: Flow, rules: Rules, lookups: Lookups, version: int = 0) -> CurrentMapping:
    """A mapping that is not saved, checked like one that is. Raises MappingRefused."""
    compiled = mapping.compile_rules(list(rules), targets=targets(flow), lookups=_tables(flow, lookups))
    return CurrentMapping([dict(rule) for rule in rules], _tables(flow, lookups), version, compiled)


def _current(flow: Flow, rules: Rules, lookups: Lookups, version: int) -> CurrentMapping:
    """What was saved once stays in force: its targets are checked when it is saved, not when it is used."""
    compiled = mapping.compile_rules(list(rules))
    return CurrentMapping([dict(rule) for rule in rules], _tables(flow, lookups), version, compiled)


def _tables(flow: Flow, lookups: Lookups) -> dict[str, dict[str, str]]:
    return {name: dict(table) for name, table in {**flow.default_lookups(), **lookups}.items()}


def targets(flow: Flow) -> Collection[str] | None:
    """The fields that a rule of this flow may fill; None when the flow does not say."""
    if isinstance(flow, MasterDataFlow):
        return flow.targets()
    named = getattr(flow, "targets", None)
    return named() if callable(named) else None


def missing(integration: Integration, flow_name: str) -> list[str]:
    """The required target fields that no rule of the mapping in force fills: it may not go live without them."""
    return missing_targets(registry.get(flow_name), current(integration, flow_name).rules)


def save(
    integration: Integration,
    flow_name: str,
    rules: Rules,
    lookups: Any,
    actor: str,
    *,
    user: User | None = None,
    accepted: Sequence[str] = (),
) -> CurrentMapping:
    """A new version. Raises MappingRefused with every bad rule, Refused with every bad table, VersionTaken.

    `accepted` names the cases and posted documents whose output changes, to which the actor has said yes.
    """
    flow = registry.get(flow_name)
    check_lookups(lookups)
    checked = with_rules(flow, rules, lookups)
    kept = [Rule.from_dict(rule).to_dict() for rule in rules]
    rows = FieldMapping.objects.filter(integration=integration, flow=flow_name)
    yes: dict[str, Any] = {"accepted_by": actor, "accepted": list(accepted)} if accepted else {}
    try:
        with transaction.atomic():
            version = (rows.aggregate(last=Max("version"))["last"] or 0) + 1
            FieldMapping.objects.create(
                integration=integration,
                flow=flow_name,
                version=version,
                rules=kept,
                lookups=checked.lookups,
                created_by=user,
            )
            record_event(
                integration.organization, actor, "mapping.saved", f"{flow_name}, version {version}",
                integration=integration, flow=flow_name, version=version,
                **yes,
            )  # fmt: skip
    except IntegrityError as error:
        raise VersionTaken from error
    return current(integration, flow_name)


def check_lookups(lookups: Any) -> None:
    """Refuse tables with every one that is wrong."""
    errors = list(_lookup_errors(lookups))
    if errors:
        raise Refused(errors)


def _lookup_errors(lookups: Any) -> Iterator[FieldError]:
    if not isinstance(lookups, Mapping):
        yield FieldError("lookups", "Enter an object of tables by name.")
        return
    if len(lookups) > MOST_TABLES:
        yield FieldError("lookups", f"There may be {MOST_TABLES} tables at most.")
    for name, table in lookups.items():
        if not _TABLE_NAME.fullmatch(name) or len(name) > MAX_NAME:
            yield FieldError(f"lookups.{name[:MAX_NAME]}", "A table's name has letters, digits and _ only.")
        elif not isinstance(table, Mapping) or not all(map(_is_entry, table.items())):
            yield FieldError(f"lookups.{name}", f"A table holds texts of at most {LONGEST_ENTRY} characters by text.")
        elif len(table) > MOST_ENTRIES:
            yield FieldError(f"lookups.{name}", f"A table may have {MOST_ENTRIES} entries at most.")


def _is_entry(entry: tuple[Any, Any]) -> bool:
    # PostgreSQL cannot keep NUL.
    return all(isinstance(text, str) and len(text) <= LONGEST_ENTRY and "\0" not in text for text in entry)
