"""Source and target payload side by side: pretty lines, with a mark on what did not come straight from the source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncengine.connectors import jsonio

MOST_LINES = 2000


@dataclass(frozen=True)
class Line:
    """One line of pretty JSON. `mark` is "made" (not in the source as it is), "changed" (since the target
    confirmed) or nothing."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Comparison:
    """`cut` says that there was more than a page should show."""

    source: list[Line]
    target: list[Line]
    cut: bool

    @property
    def made(self) -> bool:
        return any(line.mark == "made" for line in self.target)

    @property
    def changed(self) -> bool:
        return any(line.mark == "changed" for line in self.target)


def compare(source: Any, target: Any, confirmed: Any = None) -> Comparison:
    """Both payloads as lines; a target line is marked by comparing values, whatever the two systems call their fields.

    `confirmed` is what the target confirmed last: lines that it does not hold are what changes now.
    """
    known = {_plain(value) for value in _leaves(source)}
    confirmed_lines = set(_pretty(confirmed)) if confirmed is not None else None
    target_lines = [Line(text, _mark(text, value, known, confirmed_lines)) for text, value in _shown(target)]
    source_lines = [Line(text) for text, _ in _shown(source)]
    cut = max(len(source_lines), len(target_lines)) > MOST_LINES
    return Comparison(source_lines[:MOST_LINES], target_lines[:MOST_LINES], cut)


def _shown(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(()) if value is None else _lines(value)


def _mark(text: str, value: Any, known: set[str], confirmed: set[str] | None) -> str:
    if confirmed is not None and value is not _NO_VALUE and text not in confirmed:
        return "changed"
    if value is _NO_VALUE or value in (None, "") or _plain(value) in known:
        return ""
    return "made"


_NO_VALUE = object()


def _plain(value: Any) -> str:
    """Equal for what people take as equal: 10, "10" and 10.00."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value).strip().casefold()


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _pretty(value: Any) -> list[str]:
    return [text for text, _ in _lines(value)]


def pretty(value: Any) -> str:
    """Indented JSON with every amount digit by digit."""
    return "\n".join(_pretty(value))


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else jsonio.dumps(value)


def _lines(value: Any, indent: int = 0, label: str = "", end: str = "") -> Iterator[tuple[str, Any]]:
    """Each line of pretty JSON with the scalar that it holds, or _NO_VALUE for brackets."""
    space = "  " * indent
    if not isinstance(value, dict | list) or not value:
        yield f"{space}{label}{_scalar(value)}{end}", (_NO_VALUE if isinstance(value, dict | list) else value)
        return
    if isinstance(value, dict):
        opening, closing = "{", "}"
        items = [(f"{_scalar(str(key))}: ", item) for key, item in value.items()]
    else:
        opening, closing = "[", "]"
        items = [("", item) for item in value]
    yield f"{space}{label}{opening}", _NO_VALUE
    for number, (name, item) in enumerate(items, 1):
        yield from _lines(item, indent + 1, name, "," if number < len(items) else "")
    yield f"{space}{closing}{end}", _NO_VALUE
