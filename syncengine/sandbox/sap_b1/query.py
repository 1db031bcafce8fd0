"""Reading a set: options, order, pages and links (contracts: SAP §4, §5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from syncengine.sandbox.sap_b1.errors import query_error
from syncengine.sandbox.sap_b1.filters import Filter, parse_filter
from syncengine.sandbox.sap_b1.model import EntitySet, default
from syncengine.sandbox.server import SandboxRequest
from syncengine.sandbox.store import Collection

Document = dict[str, Any]

DEFAULT_PAGE = 20
KNOWN = {"$select", "$filter", "$orderby", "$top", "$skip", "$count", "$inlinecount", "$expand", "$format"}
EVERYTHING = Filter(lambda _: True)


@dataclass(frozen=True)
class Options:
    """What a read asks for. `page` 0 is paging switched off."""

    select: list[str] | None
    filter: Filter
    order: list[tuple[str, bool]]
    top: int | None
    skip: int
    count: bool
    page: int


@dataclass(frozen=True)
class Page:
    rows: list[Document]
    count: int | None
    next_skip: int | None
    next_top: int | None


def read_options(request: SandboxRequest, entity_set: EntitySet, kinds: dict[str, str], *, v1: bool) -> Options:
    """Raises code 201 for anything that is no query option or names an unknown property."""
    params = request.params
    unknown = {name for name in params if name.startswith("$")} - KNOWN
    if unknown:
        raise query_error(f"Query string error - Invalid query option '{min(unknown)}'")
    fold = request.header("b1s-caseinsensitive").lower() == "true"
    text = params.get("$filter")
    parsed = parse_filter(text, kinds, v1=v1, fold=fold, key=entity_set.key) if text else EVERYTHING
    return Options(
        select=_select(params.get("$select"), kinds),
        filter=parsed,
        order=_order(params.get("$orderby"), kinds),
        top=_whole(params.get("$top")),
        skip=_whole(params.get("$skip")) or 0,
        count=params.get("$count") == "true" or params.get("$inlinecount") == "allpages",
        page=_page_size(request),
    )


def _select(text: str | None, kinds: dict[str, str]) -> list[str] | None:
    if not text or text == "*":
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        _known(name, kinds)
    return names


def _order(text: str | None, kinds: dict[str, str]) -> list[tuple[str, bool]]:
    order = []
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, _, direction = part.strip().partition(" ")
        if _known(name, kinds).endswith(("[]", "{}")) or direction.strip() not in {"", "asc", "desc"}:
            raise query_error("Query string error - Invalid orderby")
        order.append((name, direction.strip() == "desc"))
    return order


def _known(name: str, kinds: dict[str, str]) -> str:
    if name not in kinds:
        raise query_error(f"Property '{name}' is invalid")
    return kinds[name]


def _whole(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise query_error("Query string error - Invalid paging value")
    return int(text)


def _page_size(request: SandboxRequest) -> int:
    found = re.search(r"odata\.maxpagesize=(\d+)", request.header("prefer"))
    wanted = found.group(1) if found else request.header("b1s-pagesize")
    return int(wanted) if wanted.isdigit() else DEFAULT_PAGE


class Reader:
    """Reads pages of one store's collections; sorted keys are kept until the collection changes."""

    def __init__(self) -> None:
        self._sorted: dict[tuple[str, tuple[tuple[str, bool], ...]], tuple[int, list[Any]]] = {}

    def page(self, collection: Collection, entity_set: EntitySet, options: Options) -> Page:
        wanted = _wanted(options)
        found = self._matching(collection, entity_set, options)
        count = None
        if options.count:
            everything = list(found)
            count, found = len(everything), iter(everything)
        rows = _slice(found, options.skip, wanted)
        full = options.page > 0 and len(rows) == options.page
        left = None if options.top is None else options.top - len(rows)
        more = full and (left is None or left > 0)
        return Page(rows, count, options.skip + len(rows) if more else None, left if more else None)

    def count(self, collection: Collection, entity_set: EntitySet, options: Options) -> int:
        return sum(1 for _ in self._matching(collection, entity_set, options))

    def _matching(self, collection: Collection, entity_set: EntitySet, options: Options) -> Iterator[Document]:
        keys, start = self._keys(collection, entity_set, options)
        matches = options.filter.matches
        for index in range(start, len(keys)):
            document = collection[keys[index]]
            if matches(document):
                yield document

    def _keys(self, collection: Collection, entity_set: EntitySet, options: Options) -> tuple[list[Any], int]:
        order = options.order
        if not order or order[0] == (entity_set.key, False):
            after = options.filter.after
            if after is None:
                return collection.keys(), 0
            return collection.keys(), collection.after(str(after) if entity_set.key_kind == "s" else int(after))
        return self._ordered(collection, entity_set, order), 0

    def _ordered(self, collection: Collection, entity_set: EntitySet, order: list[tuple[str, bool]]) -> list[Any]:
        slot = (collection.name, tuple(order))
        kept = self._sorted.get(slot)
        if kept is None or kept[0] != collection.version:
            keys = list(collection.keys())
            for name, descending in reversed(order):
                kind = entity_set.type.kinds.get(name, "s")
                keys.sort(key=lambda key: _sortable(collection[key].get(name), kind), reverse=descending)
            self._sorted[slot] = kept = (collection.version, keys)
        return kept[1]


def _sortable(value: Any, kind: str) -> tuple[bool, Any]:
    """Nulls first."""
    held = default(kind) if value is None else value
    return (held is not None, held if held is not None else 0)


def _wanted(options: Options) -> int | None:
    limits = [limit for limit in (options.top, options.page or None) if limit is not None]
    return min(limits) if limits else None


def _slice(found: Iterator[Document], skip: int, wanted: int | None) -> list[Document]:
    rows: list[Document] = []
    if wanted == 0:
        return rows
    for place, document in enumerate(found):
        if place < skip:
            continue
        rows.append(document)
        if wanted is not None and len(rows) == wanted:
            break
    return rows


def next_link(entity_set: str, query: str, page: Page) -> str | None:
    """Relative to the service root, with the options as they came and a new $skip."""
    if page.next_skip is None:
        return None
    kept = [part for part in query.split("&") if unquote(part.partition("=")[0]) not in {"$skip", "$top", ""}]
    if page.next_top is not None:
        kept.append(f"$top={page.next_top}")
    return f"{entity_set}?{'&'.join([*kept, f'$skip={page.next_skip}'])}"
