"""What two versions of a mapping differ in, rule by rule and row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.connectors import jsonio
from syncengine.engine.mappings import CurrentMapping

MOST_SHOWN = 200


@dataclass(frozen=True)
class Step:
    """One rule or one row of a table; "" where a version has none."""

    where: str
    before: str
    after: str


def steps(old: CurrentMapping, new: CurrentMapping) -> list[Step]:
    """From the old version to the new one, as many as one page should show."""
    return [*_rules(old, new), *_tables(old, new)][:MOST_SHOWN]


def _rules(old: CurrentMapping, new: CurrentMapping) -> Iterator[Step]:
    before, after = ({rule["target"]: _words(rule) for rule in one.rules} for one in (old, new))
    yield from _steps(before, after, "")


def _tables(old: CurrentMapping, new: CurrentMapping) -> Iterator[Step]:
    for name in {**old.lookups, **new.lookups}:
        yield from _steps(old.lookups.get(name, {}), new.lookups.get(name, {}), f"table {name}: ")


def _steps(before: Mapping[str, str], after: Mapping[str, str], lead: str) -> Iterator[Step]:
    for name in {**before, **after}:
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield Step(f"{lead}{name}", old, new)


def _words(rule: Mapping[str, Any]) -> str:
    """A rule in a line."""
    more = (
        f"through table {rule['lookup']}" if rule.get("lookup") else "",
        f"else {jsonio.dumps(rule['default'])}" if rule.get("default") is not None else "",
        "required" if rule.get("required") else "",
    )
    return ", ".join(filter(None, (str(rule["source"]), *more)))
