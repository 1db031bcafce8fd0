"""Field by field: what the source had, what was sent, and what the target confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MOST_FIELDS = 400
SAME, CHANGED, NEW, GONE = "same", "changed", "not confirmed yet", "no longer sent"
COPIED, MADE = "as in the source", "made by the mapping"
TONES = {CHANGED: "warn", NEW: "info", GONE: "warn", MADE: "info"}
_NOTHING = object()


@dataclass(frozen=True)
class Field:
    """One field of the target. `origin` is the source's field of the same value; `word` says what is with it."""

    path: str
    origin: str
    sent: Any
    confirmed: Any
    word: str

    @property
    def tone(self) -> str:
        return TONES.get(self.word, "quiet")

    @property
    def differs(self) -> bool:
        return self.word in {CHANGED, NEW, GONE}


def fields_of(source: Any, target: Any, confirmed: Any, *, answered: bool = False) -> list[Field]:
    """Each field of the target, those that differ first. `answered`: `confirmed` is what the target made of it, so it
    has fields of its own and need not repeat ours."""
    known: dict[str, str] = {}
    for path, value in _leaves(source):
        known.setdefault(_plain(value), path)
    sent, held = dict(_leaves(target)), dict(_leaves(confirmed))
    rows = [
        Field(path, known.get(_plain(value), ""), value, held.get(path), _word(path, value, held, known, answered))
        for path, value in sent.items()
    ]
    if not answered:
        rows += [Field(path, "", None, value, GONE) for path, value in held.items() if path not in sent]
    return sorted(rows, key=lambda row: not row.differs)


def _word(path: str, value: Any, held: dict[str, Any], known: dict[str, str], answered: bool) -> str:
    there = held.get(path, _NOTHING)
    if there is not _NOTHING:
        return SAME if _plain(there) == _plain(value) else CHANGED
    if held and not answered:
        return NEW
    return COPIED if _plain(value) in known else MADE


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    elif value not in (None, ""):
        yield path, value


def _plain(value: Any) -> str:
    """Equal for what people take as equal: 10, "10" and 10.00, a day and the midnight it begins with."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value).strip().casefold().removesuffix("t00:00:00z")
