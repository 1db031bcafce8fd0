"""Source record → target fields by compiled rules: a pure function that collects every problem and never raises."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jmespath.exceptions import JMESPathError

from syncengine.mapping.cleaning import TEXT_CUT, Cleaner
from syncengine.mapping.functions import Lookups
from syncengine.mapping.interpreter import BoundedInterpreter
from syncengine.mapping.problems import Problem, TooMuchWork
from syncengine.mapping.rules import CompiledRule, Rule, check_rules
from syncengine.mapping.text import as_text, is_empty
from syncengine.mapping.tracing import Looked, Origin, maker_of

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

# What evaluating an expression over hostile data can raise inside JMESPath itself: text compared with a number,
# a number too large to compute with, a structure nested beyond Python's stack.
_EVALUATION_ERRORS = (
    TooMuchWork,
    JMESPathError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
)


@dataclass
class Mapped:
    """What the rules made of one record; to be sent only when there are no problems."""

    target: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)


class FieldMapping:
    """Compiled rules of one flow of one customer; immutable and shared between threads."""

    def __init__(self, compiled: Iterable[CompiledRule]) -> None:
        self._plain: list[CompiledRule] = []
        self._rows: dict[str, list[CompiledRule]] = {}
        for item in compiled:
            kind, separator, target = item.rule.target.partition("[].")
            if separator:
                row_rule = replace(item.rule, target=target)
                self._rows.setdefault(kind, []).append(replace(item, rule=row_rule))
            else:
                self._plain.append(item)

    @property
    def targets(self) -> list[str]:
        """The targets as the rules name them."""
        rows = [f"{kind}[].{item.rule.target}" for kind, items in self._rows.items() for item in items]
        return [*(item.rule.target for item in self._plain), *rows]

    def apply(
        self,
        source: Mapping[str, Any],
        *,
        rows: Rows | None = None,
        lookups: Lookups | None = None,
        limits: Mapping[str, int] | None = None,
        origins: list[Origin] | None = None,
    ) -> Mapped:
        """The target of one record: same input, same output, every problem with its path.

        rows     source of each kind of row, for rules with `kind[].` in front
        lookups  this customer's tables by name
        limits   greatest length of each text field by path, list and row positions left out (`lines.description`)
        origins  takes down where each field's value came from
        """
        work = _Work(lookups or {}, limits or {}, origins)
        target: dict[str, Any] = {}
        for item in self._plain:
            work.fill(target, item, source, item.rule.target, item.rule.target)
        for kind, items in self._rows.items():
            target[kind] = []
            for index, row in enumerate((rows or {}).get(kind, ())):
                filled: dict[str, Any] = {}
                for item in items:
                    name = item.rule.target
                    work.fill(filled, item, row, f"{kind}[{index}].{name}", f"{kind}.{name}")
                target[kind].append(filled)
        return work.mapped(target)


def compile_rules(
    rules: Sequence[Mapping[str, Any] | Rule],
    *,
    targets: Collection[str] | None = None,
    lookups: Collection[str] | None = None,
) -> FieldMapping:
    """Rules in interface.md's shape, ready to be applied; MappingRefused names every bad one.

    targets  the fields that the target knows, if they are to be checked
    lookups  the names of the customer's tables, if they are to be checked
    """
    return FieldMapping(check_rules(rules, targets=targets, lookups=lookups))


class _Work:
    """One record's evaluation: the budget, the tables, and what was found on the way."""

    def __init__(self, lookups: Lookups, limits: Mapping[str, int], origins: list[Origin] | None) -> None:
        self._interpreter = BoundedInterpreter(lookups)
        self._lookups = lookups
        self._cleaner = Cleaner(limits)
        self._problems: list[Problem] = []
        self._origins = origins

    def mapped(self, target: dict[str, Any]) -> Mapped:
        notes = self._cleaner.notes
        return Mapped(target, [*self._problems, *self._cleaner.problems], notes, {TEXT_CUT} if notes else set())

    def fill(self, target: dict[str, Any], item: CompiledRule, source: Any, path: str, shape: str) -> None:
        found = len(self._problems)
        self._interpreter.looked.clear()
        made, by_default = self._value(item, source, path)
        value = self._cleaner.clean(made, path, shape)
        if self._origins is not None:
            looked = self._interpreter.looked
            maker = maker_of(value, by_default=by_default, looked=looked)
            self._origins.append(Origin(path, item.rule.source, value, maker, tuple(looked)))
        if value is not None:
            _put(target, item.rule.target, value)
        elif item.rule.required and len(self._problems) == found:
            message = f"{path} is required, but {item.rule.source} has no value"
            hint = "Fill the field in the source system, or give the mapping rule a default."
            self._problems.append(Problem(path, message, hint, "required"))

    def _value(self, item: CompiledRule, source: Any, path: str) -> tuple[Any, bool]:
        """What the rule gives, and whether its default stood in."""
        try:
            interpreter = self._interpreter
            value = interpreter.follow(item.path, source) if item.path else interpreter.visit(item.ast, source)
            self._interpreter.weigh(value)
        except _EVALUATION_ERRORS as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else _first_line(error)
            message = f"{path}: the rule {_short(item.rule.source)} cannot be evaluated: {reason}"
            self._problems.append(Problem(path, message, "Change the mapping rule.", "mapping"))
            return None, False
        if item.rule.lookup is not None and not is_empty(value):
            value = self._look_up(item.rule, value, path)
        return (item.rule.default, True) if is_empty(value) else (value, False)

    def _look_up(self, rule: Rule, value: Any, path: str) -> Any:
        text = as_text(value)
        found = self._lookups.get(rule.lookup or "", {}).get(text)
        self._interpreter.looked.append(Looked(rule.lookup or "", text, found))
        if found is None and rule.default is None:
            message = f"{path}: the lookup table {rule.lookup} has no entry for {_short(text)}"
            hint = f"Add {_short(text)} to the lookup table {rule.lookup} on the mapping page."
            self._problems.append(Problem(path, message, hint, "lookup_missing"))
        return found


def _put(target: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
    target[name] = value


def _first_line(error: Exception) -> str:
    return _short((str(error).splitlines() or [type(error).__name__])[0])


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
