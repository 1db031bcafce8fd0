"""A lookup table with one more line, and a rule that asks it: what a clerk's choice of another code comes down to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.engine import mappings
from syncengine.engine.mappings import CurrentMapping
from syncengine.flows import registry
from syncengine.repairs.cures import Cure
from tenants.models import Integration, User

_ASKED = re.compile(r"lookup\(\s*'(\w+)'")


class NoRule(Exception):
    """The mapping has no rule for the field that the translation is for; the text is a sentence for people."""


@dataclass(frozen=True)
class Translated:
    """A mapping that is not saved. `words` say what is new; `base` is the version that it came from."""

    mapping: CurrentMapping
    words: str
    base: int


def translated(integration: Integration, flow_name: str, cure: Cure, replacement: str) -> Translated:
    """The mapping in force, in which `cure.value` becomes `replacement`. Raises NoRule, MappingRefused."""
    current = mappings.current(integration, flow_name)
    rules, table = [dict(rule) for rule in current.rules], cure.table
    if cure.target:
        rule = next((rule for rule in rules if rule["target"] == cure.target), None)
        if rule is None:
            raise NoRule(f"The mapping has no rule for {cure.target}. An admin adds one on the mapping page.")
        table = _let_ask(rule, cure.table)
    lookups = {**current.lookups, table: _with_line(current.lookups.get(table, {}), cure.value, replacement)}
    flow = registry.get(flow_name)
    made = mappings.with_rules(flow, rules, lookups, current.version)
    return Translated(made, f"{cure.value} → {replacement} in {table}", current.version)


def _let_ask(rule: dict[str, Any], table: str) -> str:
    """The table that the rule asks; one that asks none is wrapped, so that what has no line passes as it is."""
    if rule.get("lookup"):
        return str(rule["lookup"])
    asked = _ASKED.search(rule["source"])
    if asked:
        return asked[1]
    source = rule["source"].strip()
    rule["source"] = f"lookup('{table}', ({source}), ({source}))" if _is_compound(source) else _plain(table, source)
    return table


def _is_compound(source: str) -> bool:
    return not re.fullmatch(r"[\w.]+", source)


def _plain(table: str, source: str) -> str:
    return f"lookup('{table}', {source}, {source})"


def _with_line(table: Mapping[str, str], value: str, replacement: str) -> dict[str, str]:
    """Whatever led to the code that does not work leads to the other one from now on, and so does the code itself."""
    moved = {before: replacement if after == value else after for before, after in table.items()}
    return {**moved, value: replacement}


def save(integration: Integration, flow_name: str, chosen: Translated, actor: str, user: User | None) -> CurrentMapping:
    """A new version of the mapping. Raises VersionTaken when another was saved since it was looked at."""
    if mappings.current(integration, flow_name).version != chosen.base:
        raise mappings.VersionTaken
    made = chosen.mapping
    return mappings.save(integration, flow_name, made.rules, made.lookups, actor, user=user)
