"""Keyset reads of SAP for flows: pages with a cursor to resume at, and records by their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from syncengine.flows.values import day

NUMERIC_KEYS = {"DocEntry", "GroupNumber"}
# A line of a document has some 240 fields, and all of them come with it.
DOCUMENTS_A_PAGE = 100
RECORDS_A_PAGE = 200


@dataclass(frozen=True)
class Feed:
    """One keyset read: an entity set in the order of its key (contracts: SAP §5)."""

    entity_set: str
    key: str
    select: tuple[str, ...]
    filter: str = ""

    def key_value(self, text: str) -> str | int:
        """A key as SAP's filters want it, from how records and cursors write it."""
        return int(text) if self.key in NUMERIC_KEYS else text


@dataclass(frozen=True)
class Page:
    """Records as read, the cursor that resumes after them, and the source's own date as far as the page shows it."""

    records: list[dict[str, Any]]
    cursor: str
    server_date: date | None = None


class SapReader(Protocol):
    """What flows need of the SAP client (connectors/sap_b1)."""

    def pages(
        self,
        entity_set: str,
        *,
        key: str,
        select: Sequence[str],
        where: str = "",
        page_size: int = 100,
        after: str | int | None = None,
    ) -> Iterator[list[dict[str, Any]]]:
        """Pages in key order, each asked for by the last key received."""

        ...

    def by_keys(
        self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]
    ) -> list[dict[str, Any]]:
        """The records of these keys, in few calls; those that are gone are missing."""
        ...

    def service(self, name: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a service such as `SBOBobService_GetCurrencyRate` answers."""
        ...


def read(sap: SapReader, feed: Feed, after: str = "", stamps: Sequence[str] = ()) -> Iterator[Page]:
    """The feed's pages, from after the key `after`; `stamps` are the fields that show the source's own date."""
    resume = feed.key_value(after) if after else None
    rows = sap.pages(
        feed.entity_set,
        key=feed.key,
        select=feed.select,
        where=feed.filter,
        page_size=DOCUMENTS_A_PAGE if "DocumentLines" in feed.select else RECORDS_A_PAGE,
        after=resume,
    )
    for records in rows:
        seen = [found for record in records for stamp in stamps if (found := day(record.get(stamp)))]
        yield Page(records, str(records[-1][feed.key]), max(seen, default=None))


def read_keys(sap: SapReader, feed: Feed, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The records of these keys as they are now, whatever the feed's filter."""
    if not keys:
        return []
    return sap.by_keys(feed.entity_set, feed.key, [feed.key_value(key) for key in keys], feed.select)
