"""Where each value of a mapped record came from: the rule, the row of a table, the default, or nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_INDEX = re.compile(r"\[\d+\]")


class Maker(StrEnum):
    """What made a value."""

    RULE = "rule"
    TABLE = "table"
    DEFAULT = "default"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Looked:
    """One question to a lookup table; `found` is None where the table has no row for the value."""

    table: str
    value: str
    found: str | None


@dataclass(frozen=True)
class Origin:
    """One target field of one record: its path, the expression of its rule, what came out, and what made it."""

    path: str
    source: str
    value: Any
    maker: Maker
    looked: tuple[Looked, ...] = ()

    @property
    def target(self) -> str:
        """The target as rules name it: `lines[].name` for `lines[3].name`."""
        return _INDEX.sub("[]", self.path)

    @property
    def row(self) -> Looked | None:
        """The row of a table that had an answer; the last one asked, where several had."""
        return next((looked for looked in reversed(self.looked) if looked.found is not None), None)

    @property
    def missed(self) -> tuple[Looked, ...]:
        """The values for which a table had no row."""
        return tuple(looked for looked in self.looked if looked.found is None and looked.value)


def maker_of(value: Any, *, by_default: bool, looked: list[Looked]) -> Maker:
    """What made a value, of all that its rule asked."""
    if value is None:
        return Maker.NOTHING
    if by_default:
        return Maker.DEFAULT
    return Maker.TABLE if any(one.found is not None for one in looked) else Maker.RULE
