"""Mapping rules as customers write them, checked and compiled before they are kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncengine.mapping.expressions import compile_expression
from syncengine.mapping.interpreter import plain_path
from syncengine.mapping.problems import MappingRefused, RuleProblem

MAX_RULES = 500
MAX_NAME = 200

_TARGET = re.compile(r"[A-Za-z_]\w*(\[\])?(\.[A-Za-z_]\w*)*")
_LOOKUP = re.compile(r"[A-Za-z_]\w*")
_FIELDS = {"target", "source", "default", "required", "lookup"}


@dataclass(frozen=True)
class Rule:
    """One target field and the expression over the source record that fills it (interface.md, mappings).

    `target` is a dotted path; with `rows[].` in front it is filled once for each row. `default` stands in for an empty
    value and for one that the lookup table does not know.
    """

    target: str
    source: str
    default: Any = None
    required: bool = False
    lookup: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rule:
        """A rule from the shape of interface.md; ValueError says what does not fit."""
        if not isinstance(data, Mapping):
            raise ValueError("a rule is an object with target and source")
        unknown = set(data) - _FIELDS
        if unknown:
            raise ValueError(f"unknown field {', '.join(sorted(map(str, unknown)))}")
        for name, kind in (("target", str), ("source", str), ("required", bool), ("lookup", (str, type(None)))):
            if not isinstance(data.get(name, False if name == "required" else None if name == "lookup" else 0), kind):
                raise ValueError(f"{name} is missing or of the wrong type")
        return cls(**{key: value for key, value in data.items() if key in _FIELDS})

    def to_dict(self) -> dict[str, Any]:
        """The shape of interface.md, without what has its default."""
        optional = {"default": self.default, "required": self.required or None, "lookup": self.lookup}
        given = {key: value for key, value in optional.items() if value is not None}
        return {"target": self.target, "source": self.source, **given}


@dataclass(frozen=True)
class CompiledRule:
    """A rule with its expression parsed."""

    rule: Rule
    ast: Mapping[str, Any]
    path: tuple[str, ...] = ()
    """The names of the fields where the expression is nothing but a path."""


def check_rules(
    rules: Sequence[Mapping[str, Any] | Rule],
    *,
    targets: Collection[str] | None,
    lookups: Collection[str] | None,
) -> list[CompiledRule]:
    """Every rule compiled, or MappingRefused with all that is wrong with all of them."""
    if len(rules) > MAX_RULES:
        raise MappingRefused([RuleProblem(MAX_RULES, "target", None, f"more than {MAX_RULES} rules")])
    compiled: list[CompiledRule] = []
    problems: list[RuleProblem] = []
    taken: dict[str, int] = {}
    for index, given in enumerate(rules):
        try:
            rule = given if isinstance(given, Rule) else Rule.from_dict(given)
        except ValueError as error:
            problems.append(RuleProblem(index, "rule", None, str(error)))
            continue
        ast, expression_problems = compile_expression(rule.source)
        found = [*_target_problems(rule.target, targets, taken), *expression_problems, *_lookup_problems(rule, lookups)]
        problems += [RuleProblem(index, field, position, message) for field, position, message in found]
        taken.setdefault(rule.target, index)
        compiled.append(CompiledRule(rule, ast, plain_path(ast)))
    if problems:
        raise MappingRefused(problems)
    return compiled


Found = tuple[str, int | None, str]


def _target_problems(target: str, known: Collection[str] | None, taken: Mapping[str, int]) -> Iterator[Found]:
    if len(target) > MAX_NAME or not _TARGET.fullmatch(target):
        yield "target", None, f"{target[:MAX_NAME]!r} is no field name: use a dotted path like processingStatus.active"
        return
    if target in taken:
        yield "target", None, f"{target} is filled by rule {taken[target] + 1} already"
    for other, index in taken.items():
        if other != target and (f"{other}.".startswith(f"{target}.") or f"{target}.".startswith(f"{other}.")):
            yield "target", None, f"{target} and {other} of rule {index + 1} are parts of each other"
    if known is not None and target not in known:
        yield "target", None, f"{target} is not a field of the target"


def _lookup_problems(rule: Rule, known: Collection[str] | None) -> Iterator[Found]:
    if rule.lookup is None:
        return
    if len(rule.lookup) > MAX_NAME or not _LOOKUP.fullmatch(rule.lookup):
        yield "lookup", None, f"{rule.lookup[:MAX_NAME]!r} is no name of a lookup table"
    elif known is not None and rule.lookup not in known:
        yield "lookup", None, f"there is no lookup table {rule.lookup}"


def split_row_rules(rules: Sequence[Rule]) -> tuple[list[Rule], dict[str, list[Rule]]]:
    """The rules of the record itself, and those of each kind of row with `kind[].` taken off their targets."""
    plain: list[Rule] = []
    rows: dict[str, list[Rule]] = {}
    for rule in rules:
        kind, separator, target = rule.target.partition("[].")
        if separator:
            rows.setdefault(kind, []).append(Rule(target, rule.source, rule.default, rule.required, rule.lookup))
        else:
            plain.append(rule)
    return plain, rows
