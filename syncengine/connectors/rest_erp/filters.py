"""The filters of the seam, evaluated here: the REST ERP has only a few query parameters of its own.

condition := term (("and" | "or") term)*      `and` binds tighter
term      := "(" condition ")" | FUNCTION "(" FIELD "," literal ")" | FIELD OPERATOR literal
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Predicate = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)")
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}
_FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {
    "startswith": lambda value, part: value.startswith(part),
    "contains": lambda value, part: part in value,
}


def matching(where: str, *, fold: bool = False) -> Predicate:
    """The filter as a function; an empty one lets all pass. Raises ValueError for what is no such filter."""
    if not where:
        return lambda row: True
    parser = _Parser(_TOKEN.findall(where), fold=fold)
    found = parser.either()
    if parser.tokens:
        raise ValueError(f"cannot read the filter at {parser.tokens[0]}: {where}")
    return found


class _Parser:
    def __init__(self, tokens: list[str], *, fold: bool) -> None:
        self.tokens = tokens
        self._fold = fold

    def _next(self) -> str:
        if not self.tokens:
            raise ValueError("the filter ends too early")
        return self.tokens.pop(0)

    def _joined(self, word: str, part: Callable[[], Predicate], decide: Callable[[list[bool]], bool]) -> Predicate:
        parts = [part()]
        while self.tokens[:1] == [word]:
            self._next()
            parts.append(part())
        return parts[0] if len(parts) == 1 else lambda row: decide([one(row) for one in parts])

    def either(self) -> Predicate:
        return self._joined("or", self._both, any)

    def _both(self) -> Predicate:
        return self._joined("and", self._term, all)

    def _term(self) -> Predicate:
        word = self._next()
        if word == "(":
            found = self.either()
            self._expect(")")
            return found
        if word in _FUNCTIONS:
            return self._function(_FUNCTIONS[word])
        compare, wanted = _COMPARE.get(self._next()), self._literal()
        if compare is None:
            raise ValueError(f"cannot compare {word}")
        return lambda row: _holds(compare, self._folded(row.get(word)), wanted)

    def _function(self, function: Callable[[str, str], bool]) -> Predicate:
        self._expect("(")
        name = self._next()
        self._expect(",")
        part = str(self._literal())
        self._expect(")")
        return lambda row: function(str(self._folded(row.get(name)) or ""), part)

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise ValueError(f"the filter lacks {token}")

    def _literal(self) -> Any:
        text = self._next()
        if text.startswith("'"):
            return self._folded(text[1:-1].replace("''", "'"))
        return None if text == "null" else Decimal(text)

    def _folded(self, value: Any) -> Any:
        return value.casefold() if self._fold and isinstance(value, str) else value


def _holds(compare: Callable[[Any, Any], Any], value: Any, wanted: Any) -> bool:
    """Nothing compares with null but null itself; a number never with a text."""
    if value is None or wanted is None:
        return compare in {operator.eq, operator.ne} and bool(compare(value, wanted))
    if isinstance(value, str) is not isinstance(wanted, str):
        return False
    return bool(compare(value, wanted))
