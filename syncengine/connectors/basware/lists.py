"""Generic lists: sixty of them, each with its own number of columns (contracts: Basware §12).

Basware's schema allows every column in every list and P2P refuses later, so the table of columns is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from syncengine.connectors.basware.entities import EXTERNAL_CODE, PLAIN_COMPANY
from syncengine.connectors.basware.fields import Entity, many, moment, must, number, series, text

_GREATEST = 10**15  # the schema names no limit


@dataclass(frozen=True)
class Columns:
    """How many columns of each kind a list has, and how many characters a text holds."""

    texts: int
    most: int
    numbers: int = 0
    dates: int = 0

    @property
    def entity(self) -> Entity:
        return {
            "externalCode": must(EXTERNAL_CODE),
            **series("text_", self.texts, text(self.most)),
            **series("number_", self.numbers, number(-_GREATEST, _GREATEST)),
            **series("dateValue_", self.dates, moment()),
            "companies": many(PLAIN_COMPANY),
        }


_RANGES = (
    ("ACC_LIST_", 1, 10, Columns(5, 250, 3)),
    ("ACC_LIST_", 11, 20, Columns(5, 50, 3)),
    ("ACC_LIST_", 21, 30, Columns(10, 250, 5, 5)),
    ("ACC_LIST_", 31, 35, Columns(25, 250, 10, 10)),
    ("INV_LIST_", 1, 10, Columns(5, 250)),
    ("INV_LIST_", 11, 20, Columns(10, 250, 5, 5)),
    ("CUST_RESOLVER_", 1, 5, Columns(15, 250, 15, 15)),
)


def _lists() -> Iterator[tuple[str, Columns]]:
    for stem, first, last, columns in _RANGES:
        yield from ((f"{stem}{number}", columns) for number in range(first, last + 1))


LISTS: Mapping[str, Columns] = dict(_lists())
