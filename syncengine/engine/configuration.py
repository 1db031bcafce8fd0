"""An integration's configuration as a file: exported, compared with what is in force, and applied as one deed.

The file holds settings, flows and mappings, no address and no secret: it may be kept beside code, and carried from a
test installation to the real one. What a file leaves out stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from syncengine.audit import record_event
from syncengine.engine import flow_states, integrations, mappings
from syncengine.flows import registry
from syncengine.flows.settings import FlowSettings
from syncengine.mapping import MappingRefused
from tenants.errors import FieldError, Refused, refuse
from tenants.models import Integration, User

VERSION = 1
PARTS = ("settings", "flows", "mappings")
HEADER = ("version", "name")  # the name tells people where a file is from; nobody is renamed by it

Configuration = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One thing that a file would change; rules and tables are compared as a whole."""

    path: str
    before: Any
    after: Any


def export(integration: Integration) -> dict[str, Any]:
    """The whole configuration in force; applying it where it came from changes nothing."""
    states = flow_states.states(integration)
    return {
        "version": VERSION,
        "name": integration.name,
        "settings": integrations.settings_of(integration).model_dump(mode="json"),
        "flows": {
            name: {field: getattr(state, field) for field in flow_states.WRITABLE} for name, state in states.items()
        },
        "mappings": {name: _mapping(integration, name) for name in registry.of(integration.settings)},
    }


def _mapping(integration: Integration, flow: str) -> dict[str, Any]:
    current = mappings.current(integration, flow)
    return {"rules": current.rules, "lookups": current.lookups}


def difference(integration: Integration, file: Any) -> list[Change]:
    """What the file would change, part by part. Refused names everything in it that cannot be used."""
    wanted = _checked(file)
    return list(_changes(export(integration), wanted))


@transaction.atomic
def apply(integration: Integration, file: Any, actor: str, user: User | None = None) -> list[Change]:
    """Change all that differs, or nothing; one event tells of the file beside those of each deed."""
    integration = Integration.objects.select_for_update(no_key=True, of=("self",)).get(pk=integration.pk)
    found = difference(integration, file)
    if not found:
        return []
    changed = {change.path for change in found}
    for flow in [flow for flow in registry.known() if any(path.startswith(f"mappings.{flow}.") for path in changed)]:
        wanted = {**_mapping(integration, flow), **file["mappings"][flow]}
        mappings.save(integration, flow, wanted["rules"], wanted["lookups"], actor, user=user)
    patch = {part: file[part] for part in ("settings", "flows") if any(path.startswith(part) for path in changed)}
    integrations.update(integration, patch, actor)
    record_event(
        integration.organization, actor, "configuration.imported", str(file.get("name", ""))[:120],
        integration=integration, changed=sorted(changed),
    )  # fmt: skip
    return found


def _changes(current: Configuration, wanted: Configuration) -> Iterator[Change]:
    for name, value in wanted["settings"].items():
        if current["settings"][name] != value:
            yield Change(f"settings.{name}", current["settings"][name], value)
    for part in ("flows", "mappings"):
        for flow, fields in wanted.get(part, {}).items():
            for field, value in fields.items():
                before = current[part][flow].get(field)
                if before != value:
                    yield Change(f"{part}.{flow}.{field}", before, value)


def _checked(file: Any) -> Configuration:
    """The file, every part of it looked at before anything is changed."""
    if not isinstance(file, Mapping):
        raise refuse("", "A configuration is an object.")
    if file.get("version") != VERSION:
        raise refuse("version", f"This portal reads configurations of version {VERSION}.", "unknown")
    errors = [FieldError(str(name)[:80], "There is no such part.", "unknown") for name in {*file} - {*PARTS, *HEADER}]
    errors += [FieldError(part, "Enter an object.") for part in PARTS if not isinstance(file.get(part, {}), Mapping)]
    if not errors:
        settings = integrations.setting_errors(None, file.get("settings", {}))
        errors += [*settings, *_flow_errors(file), *_mapping_errors(file)]
    if errors:
        raise Refused(errors)
    return {**file, "settings": _in_full(file.get("settings", {}))}


def _in_full(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are named, as they would be shown; null is the default."""
    given = {name: value for name, value in settings.items() if value is not None}
    shown = FlowSettings.model_validate(given).model_dump(mode="json")
    return {name: shown[name] for name in settings}


def _flow_errors(file: Configuration) -> Iterator[FieldError]:
    try:
        flow_states.check(file.get("flows", {}))
    except Refused as refused:
        yield from refused.errors
    for name, fields in file.get("flows", {}).items():
        for field in {*fields} & {*flow_states.READ_ONLY} if isinstance(fields, Mapping) else ():
            yield FieldError(f"flows.{name}.{field}", "This is no configuration.", "unknown")


def _mapping_errors(file: Configuration) -> Iterator[FieldError]:
    for name, wanted in file.get("mappings", {}).items():
        path = f"mappings.{name}"
        if name not in registry.known():
            yield FieldError(path, f"There is no flow {name}.", "unknown")
        elif not isinstance(wanted, Mapping) or {*wanted} - {"rules", "lookups"}:
            yield FieldError(path, "Enter an object of rules and lookups.")
        else:
            yield from _rule_errors(name, wanted)


def _rule_errors(name: str, wanted: Mapping[str, Any]) -> Iterator[FieldError]:
    path, flow = f"mappings.{name}", registry.get(name)
    rules = wanted.get("rules", flow.default_rules())
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        yield FieldError(f"{path}.rules", "Enter a list of rules.")
        return
    try:
        mappings.check_lookups(wanted.get("lookups", {}))
        mappings.with_rules(flow, rules, wanted.get("lookups", {}))
    except Refused as refused:
        for error in refused.errors:
            yield FieldError(f"{path}.{error.field}", error.message, error.code)
    except MappingRefused as refused:
        for problem in refused.problems:
            yield FieldError(f"{path}.rules.{problem.index}.{problem.field}", problem.message, "bad_rule")
