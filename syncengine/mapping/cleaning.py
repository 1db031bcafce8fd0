"""The general rules of default-mapping.md for whatever is sent: trimmed, within its limit, nothing empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.mapping.problems import Problem
from syncengine.mapping.text import as_text, to_decimal

TEXT_CUT = "text_cut"
"""Flag of a record whose text was longer than the target takes."""

MAX_DEPTH = 40


class Cleaner:
    """Cleans values for their path and remembers what was cut.

    `limits` gives the greatest length of each text field by its path, list positions left out (`addresses.cityName`);
    a number that goes to such a field goes as decimal text.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def clean(self, value: Any, path: str, shape: str | None = None, depth: int = 0) -> Any:
        """`value` ready to be sent at `path`, None when nothing is left; `shape`: the path without list positions."""
        shape = path if shape is None else shape
        if type(value) is str:  # most values are
            return self._text(value, path, self._limits.get(shape))
        if value is None:
            return None
        if depth > MAX_DEPTH:
            self.problems.append(Problem(path, "the value is nested too deeply", code="mapping"))
            return None
        if isinstance(value, (str, int, Decimal)):
            return self._scalar(value, path, shape)
        if isinstance(value, (dict, Mapping)):
            return self._parts(value, path, shape, depth) or None
        if isinstance(value, (list, tuple)):
            items = [self.clean(item, f"{path}[{index}]", shape, depth + 1) for index, item in enumerate(value)]
            return [item for item in items if item is not None] or None
        return self._scalar(value, path, shape)

    def _parts(self, value: Mapping[Any, Any], path: str, shape: str, depth: int) -> dict[str, Any]:
        parts = {}
        for key, item in value.items():
            inner = f"{shape}.{key}"
            if type(item) is str and len(item) <= self._limits.get(inner, len(item)) and "\0" not in item:
                part = item.strip() or None  # as most are; spared the path that a note would name
            else:
                part = self.clean(item, f"{path}.{key}", inner, depth + 1)
            if part is not None:
                parts[str(key)] = part
        return parts

    def _scalar(self, value: Any, path: str, shape: str) -> Any:
        limit = self._limits.get(shape)
        if limit is None and type(value) is bool:
            return value
        if isinstance(value, date):
            value = value.isoformat()
        if isinstance(value, str) or limit is not None:
            return self._text(as_text(value), path, limit)
        number = to_decimal(value)
        return int(number) if number is not None and isinstance(value, int) else number

    def _text(self, text: str, path: str, limit: int | None) -> str | None:
        # PostgreSQL's text cannot hold NUL, and no target has a use for it.
        text = (text.replace("\0", "") if "\0" in text else text).strip()
        if limit is not None and len(text) > limit:
            self.notes.append(f"{path} was cut from {len(text)} to {limit} characters")
            text = text[:limit].rstrip()
        return text or None
