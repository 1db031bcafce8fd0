"""Evaluates compiled expressions within a budget of work and space: a customer's rule may be clumsy, never harmful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from syncengine.mapping.functions import Lookups, MappingFunctions
from syncengine.mapping.problems import TooMuchWork
from syncengine.mapping.tracing import Looked

MAX_WORK = 200_000
"""Steps that all rules together may take for one record: well under a second."""
MAX_NODES = 20_000
"""Values in one result, nested ones counted as often as they appear."""
MAX_TEXT = 100_000
"""Characters of one text."""


class BoundedInterpreter(TreeInterpreter):
    """JMESPath's interpreter that counts what it does; made anew for each record.

    The weight of what expressions build is remembered, since `[@, @] | [@, @] | …` makes a tree of billions from two
    lists of two: whatever walks such a value (a comparison, a function, our own clean-up) would never come back.
    """

    def __init__(self, lookups: Lookups) -> None:
        self._own_functions = MappingFunctions(lookups)
        super().__init__(Options(custom_functions=self._own_functions))
        self._work = 0
        self._weights: dict[int, tuple[Any, int]] = {}

    @property
    def looked(self) -> list[Looked]:
        """What `lookup()` has asked the tables; whoever evaluates a rule empties it first."""
        return self._own_functions.looked

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluates one node of the expression and charges for it and for what it made."""
        result = super().visit(node, *args, **kwargs)
        self._charge(1)
        if isinstance(result, str):
            self._limit(len(result), MAX_TEXT, "text")
        elif isinstance(result, (list, dict)) and node["type"] not in {"field", "current", "identity", "index"}:
            self._charge(len(result))
            self.weigh(result)
        return result

    def follow(self, names: Sequence[str], value: Any) -> Any:
        """What `visit` gives for a path of plain names (`plain_path`), as most rules are, at a fraction of its cost."""
        for name in names:
            value = value.get(name) if hasattr(value, "get") else None  # as JMESPath has it
        self._charge(len(names))
        if isinstance(value, str):
            self._limit(len(value), MAX_TEXT, "text")
        return value

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """Charges for both sides, whose comparison takes time by their weight."""
        sides = [self.visit(child, value) for child in node["children"]]
        self._charge(sum(self.weigh(side) for side in sides))
        literals: list[Any] = [{"type": "literal", "value": side, "children": []} for side in sides]
        compared: Any = dict(node, children=literals)
        return super().visit_comparator(compared, value)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        """Charges for the arguments, which functions walk through."""
        arguments = [self.visit(child, value) for child in node["children"]]
        self._charge(sum(self.weigh(argument) for argument in arguments))
        return self._own_functions.call_function(node["value"], arguments)

    def weigh(self, value: Any) -> int:
        """How many values are in `value`, nested ones counted as often as they appear."""
        if not isinstance(value, (list, dict)):
            return 1
        known = self._weights.get(id(value))
        if known is None:
            items = value.values() if isinstance(value, dict) else value
            nested = [self.weigh(item) - 1 for item in items if isinstance(item, (list, dict))]
            weight = 1 + len(value) + sum(nested)
            self._limit(weight, MAX_NODES, "result")
            # The value is kept with its weight: an id means nothing once its object is gone.
            known = self._weights[id(value)] = (value, weight)
        return known[1]

    def _charge(self, steps: int) -> None:
        self._work += steps
        self._limit(self._work, MAX_WORK, "amount of work")

    @staticmethod
    def _limit(size: int, most: int, what: str) -> None:
        if size > most:
            raise TooMuchWork(f"the {what} exceeds the limit of {most:,}")


def plain_path(ast: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of an expression that is a field or a path of fields; empty for any other."""
    if ast["type"] == "field":
        return (ast["value"],)
    if ast["type"] != "subexpression":
        return ()
    parts = [plain_path(child) for child in ast["children"]]
    return tuple(name for part in parts for name in part) if all(parts) else ()
