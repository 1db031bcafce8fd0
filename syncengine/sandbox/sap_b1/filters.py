"""$filter: a tokenizer, a recursive-descent parser and the predicate it makes (contracts: SAP §4).

Grammar: `or` over `and` over `not` over comparison, function or parentheses. Comparisons with a null property are never
true, as in SQL; `eq null` and `ne null` ask for it. What the contract calls unreliable or unconfirmed is refused.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from syncengine.sandbox.sap_b1.errors import query_error
from syncengine.sandbox.sap_b1.model import default, is_enum, literals

Document = dict[str, Any]
Predicate = Callable[[Document], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?(?![\w-]))|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
    "substringof": operator.contains,
}
INVALID = "Query string error - Invalid filter condition"


@dataclass(frozen=True)
class Filter:
    """A parsed filter. `after` is X where all of it stands under `key gt X`, so that a read may start there."""

    matches: Predicate
    after: Any = None


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


class _Parser:
    def __init__(self, text: str, kinds: dict[str, str], *, v1: bool, fold: bool, key: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._kinds, self._v1, self._fold, self._key = kinds, v1, fold, key
        self._depth = 0
        self.after: Any = None

    def parse(self) -> Predicate:
        made = self._or()
        if self._at != len(self._tokens):
            raise query_error(INVALID)
        return made

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._take("or"):
            self.after = None  # a start that only one branch asks for is none
            self._depth += 1
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda document: any(part(document) for part in parts)

    def _and(self) -> Predicate:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda document: all(part(document) for part in parts)

    def _not(self) -> Predicate:
        if self._take("not"):
            self._depth += 1
            inner = self._not()
            self._depth -= 1
            return lambda document: not inner(document)
        return self._term()

    def _term(self) -> Predicate:
        token = self._next()
        if token.text == "(":
            return self._group()
        if token.kind != "name":
            raise query_error(INVALID)
        if self._peek() == "(":
            return self._function(token.text)
        return self._comparison(token.text)

    def _group(self) -> Predicate:
        before, depth = self.after, self._depth
        self.after = None
        inner = self._or()
        self.after = before if self.after is None else self.after
        self._depth = depth
        self._expect(")")
        return inner

    def _comparison(self, name: str) -> Predicate:
        kind = self._kind(name)
        word = self._next().text
        if word not in COMPARE:
            raise query_error(INVALID)
        literal = self._next()
        if literal.text == "null" and literal.kind == "name":
            return self._null(name, kind, word)
        value = self._literal(kind, literal)
        if name == self._key and word == "gt" and self._depth == 0:
            self.after = value if kind == "s" else math.floor(value)  # keys are whole numbers
        return self._compared(name, kind, COMPARE[word], value)

    def _compared(self, name: str, kind: str, compare: Callable[[Any, Any], bool], value: Any) -> Predicate:
        absent = default(kind)
        fold = self._fold and kind == "s"
        wanted = value.casefold() if fold else value

        def matches(document: Document) -> bool:
            held = document.get(name)
            held = absent if held is None else held
            if held is None:
                return False
            return compare(held.casefold() if fold else held, wanted)

        return matches

    def _null(self, name: str, kind: str, word: str) -> Predicate:
        if word not in {"eq", "ne"}:
            raise query_error(INVALID)
        wanted, absent = word == "eq", default(kind)
        return lambda document: ((absent if document.get(name) is None else document[name]) is None) == wanted

    def _function(self, function: str) -> Predicate:
        if function not in FUNCTIONS or function == ("contains" if self._v1 else "substringof"):
            raise query_error(INVALID)
        self._expect("(")
        first = self._next()
        self._expect(",")
        second = self._next()
        self._expect(")")
        field, literal = (second, first) if function == "substringof" else (first, second)
        if field.kind != "name" or literal.kind != "string" or self._kind(field.text) != "s":
            raise query_error(INVALID)
        if self._take("eq") and self._next().text != "true":
            raise query_error(INVALID)
        return self._compared(field.text, "s", FUNCTIONS[function], _unquoted(literal.text))

    def _kind(self, name: str) -> str:
        if name not in self._kinds:
            raise query_error(f"Property '{name}' is invalid")
        kind = self._kinds[name]
        if kind.endswith(("[]", "{}")):
            raise query_error(INVALID)
        return kind

    def _literal(self, kind: str, token: _Token) -> Any:
        if token.kind not in {"string", "number"}:
            raise query_error(INVALID)
        quoted = token.kind == "string"
        text = _unquoted(token.text) if quoted else token.text
        if kind in "in":
            return _number(text)
        if not quoted:
            raise query_error(INVALID)
        if is_enum(kind):
            return _enum(kind, text)
        return {"d": calendar_date, "t": _time}.get(kind, str)(text)

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise query_error(INVALID)
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _take(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise query_error(INVALID)


def parse_filter(text: str, kinds: dict[str, str], *, v1: bool, fold: bool, key: str) -> Filter:
    """Raises code 201 for an unknown property or anything outside the grammar. `fold` ignores case."""
    parser = _Parser(text, kinds, v1=v1, fold=fold, key=key)
    matches = parser.parse()
    return Filter(matches, None if fold else parser.after)


def calendar_date(text: str) -> str:
    """ "2026-11-01", "20261101" and "2026-11-01T00:00:00Z" are the same day."""
    found = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})(?:T[\d:.]+Z?)?", text)
    try:
        return date(*map(int, found.groups())).isoformat() if found else _refuse()
    except ValueError:  # the 31st of February
        return _refuse()


def _refuse() -> NoReturn:
    raise query_error(INVALID)


def _time(text: str) -> str:
    if not re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", text):
        raise query_error(INVALID)
    return text if len(text) == 8 else f"{text}:00"


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise query_error(INVALID) from None


def _enum(kind: str, text: str) -> str:
    if text not in literals(kind):
        raise query_error(INVALID)
    return literals(kind)[text]


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _tokens(text: str) -> list[_Token]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise query_error(INVALID)
        tokens.append(_Token(found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return tokens
