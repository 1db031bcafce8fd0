"""Reading whole entity sets: by key, and where a collation makes that impossible, by link (contracts: SAP §5)."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from syncengine.connectors.outcomes import Unavailable
from syncengine.connectors.sap_b1.literals import all_of, literal, query_string

Row = dict[str, Any]
MOST_PAGES = 100_000
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_POSITIONS = ("$skiptoken", "$skip")


@dataclass(frozen=True)
class Query:
    """One read of a collection. `page_size` goes into the Prefer header, `position` is taken from a nextLink."""

    entity_set: str
    select: Sequence[str] = ()
    where: str = ""
    order_by: str = ""
    top: int | None = None
    page_size: int | None = None
    position: tuple[str, str] | None = None
    case_insensitive: bool = False

    @property
    def path(self) -> str:
        """Path and query below the service root."""
        options = {
            "$select": ",".join(self.select),
            "$filter": self.where,
            "$orderby": self.order_by,
            "$top": "" if self.top is None else str(self.top),
        }
        if self.position:
            options[self.position[0]] = self.position[1]
        query = query_string(options)
        return f"{self.entity_set}?{query}" if query else self.entity_set


@dataclass(frozen=True)
class Page:
    """The rows of one answer and where it says that the next ones are."""

    rows: list[Row]
    next_link: str | None


Fetch = Callable[[Query], Page]


def keyset_pages(fetch: Fetch, query: Query, key: str, after: str | int | None) -> Iterator[list[Row]]:
    """Pages in key order, each asked for by the last key *received*: nothing is lost while the data changes.

    Falls back to links, without repeating what was seen, when a string key comes again (a collation whose order and
    comparison disagree).
    """
    size = query.page_size or 100
    base = replace(query, order_by=key, where=_beyond(query.where, key, after))
    trail, asked = _Trail(key), replace(base, top=size)
    for _ in range(MOST_PAGES):
        page = fetch(asked)
        if not page.rows:
            return
        if trail.repeats(page.rows):
            yield from _unseen(linked_pages(fetch, base), trail)
            return
        trail.add(page.rows)
        yield page.rows
        if len(page.rows) < size and page.next_link is None:
            return
        asked = replace(asked, where=_beyond(query.where, key, page.rows[-1][key]))
    raise _endless(query)


def linked_pages(fetch: Fetch, query: Query) -> Iterator[list[Row]]:
    """Pages by nextLink. Only $skip or $skiptoken is taken from the link: some servers leave the rest out of it."""
    seen: set[tuple[str, str]] = set()
    left = query.top
    for _ in range(MOST_PAGES):
        page = fetch(query)
        if not page.rows:
            return
        yield page.rows
        left = None if left is None else left - len(page.rows)
        if page.next_link is None or (left is not None and left <= 0):
            return
        position = link_position(page.next_link)
        if position in seen:
            break
        seen.add(position)
        query = replace(query, position=position, top=left)
    raise _endless(query)


def link_position(link: str) -> tuple[str, str]:
    """`("$skip", "100")` of a nextLink. Raises Unavailable for a link that does not say where to go on."""
    options = dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))
    for name in _POSITIONS:
        if options.get(name):
            return name, options[name]
    raise Unavailable("SAP's link to the next page does not say where it begins.", code="paging_link")


def next_link(data: Mapping[str, Any]) -> str | None:
    """`@odata.nextLink` of v2, `odata.nextLink` of v1, in whatever case it is written."""
    names = {name.lstrip("@").lower(): name for name in data}
    return data.get(names.get("odata.nextlink", "")) or None


def check_link(link: str, root: str) -> None:
    """An absolute nextLink must point to the same service root (contracts: SAP §5)."""
    if "://" in link.partition("?")[0] and not _without_default_port(link).startswith(
        f"{_without_default_port(root)}/"
    ):
        raise Unavailable(
            "SAP's link to the next page leads to another server.",
            code="paging_link",
            hint="Check the base URL: it must be the address under which the Service Layer knows itself.",
        )


def _without_default_port(url: str) -> str:
    """In lower case, `https://host:443/…` as `https://host/…`: one server writes its own address either way."""
    scheme, _, rest = url.lower().partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}{slash}{path}"


class _Trail:
    """What was received so far, small enough for a million keys: eight bytes each, and the last page in full."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._hashes = array("q")
        self._turns: set[Any] = set()
        self._last_page: set[Any] = set()

    def repeats(self, rows: list[Row]) -> bool:
        """Whether the page goes back to what was received before, or the next one would."""
        keys = self.keys(rows)
        return keys[-1] in self._turns or len(set(keys)) < len(keys) or not self._last_page.isdisjoint(keys)

    def add(self, rows: list[Row]) -> None:
        keys = self.keys(rows)
        self._hashes.extend(map(_mark, keys))
        self._turns.add(keys[-1])
        self._last_page = set(keys)

    def keys(self, rows: list[Row]) -> list[Any]:
        try:
            return [row[self._key] for row in rows]
        except (KeyError, TypeError):
            raise Unavailable(f"SAP's rows lack their key {self._key}.", code="unexpected_answer") from None

    def seen(self) -> set[int]:
        return set(self._hashes)


def _unseen(pages: Iterator[list[Row]], trail: _Trail) -> Iterator[list[Row]]:
    seen = trail.seen()
    for rows in pages:
        new: list[Row] = []
        for row, key in zip(rows, trail.keys(rows), strict=True):
            if _mark(key) not in seen:
                seen.add(_mark(key))
                new.append(row)
        if new:
            yield new


def _mark(key: Any) -> int:
    """Eight bytes to know a key by. Of its text: the hash of the number -1 is that of -2."""
    return hash(str(key))


def _beyond(where: str, key: str, last: str | int | None) -> str:
    return all_of(where, "" if last is None else f"{key} gt {literal(last)}")


def _endless(query: Query) -> Unavailable:
    return Unavailable(
        f"Reading {query.entity_set} goes round in circles: SAP's pages do not come to an end.",
        code="paging_loop",
        hint="Stopped so that nothing is read twice; it is tried again by itself.",
    )
