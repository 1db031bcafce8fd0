"""Pages of long lists by key, newest first: never a count, never an offset (design.md, "Performance")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

PAGE_SIZE = 50

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[M]):
    """`older` and `newer` are the keys for `?before=` and `?after=`, None at the ends."""

    rows: list[M]
    older: int | None
    newer: int | None


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def keyset_page(rows: QuerySet[Any], params: Mapping[str, str], size: int = PAGE_SIZE) -> Page[Any]:
    """The page that `before` or `after` in the query string ask for; nonsense there means the first page."""
    before, after = _key(params.get("before", "")), _key(params.get("after", ""))
    if after is not None:
        return _towards_newer(rows, after, size)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: size + 1])
    kept = found[:size]
    return Page(
        kept,
        older=kept[-1].pk if len(found) > size else None,
        newer=kept[0].pk if before is not None and kept else None,
    )


def _towards_newer(rows: QuerySet[Any], after: int, size: int) -> Page[Any]:
    found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
    kept = found[:size][::-1]
    return Page(
        kept,
        older=kept[-1].pk if kept else None,
        newer=kept[0].pk if len(found) > size else None,
    )
