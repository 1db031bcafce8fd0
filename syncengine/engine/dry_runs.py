"""What a dry run found, added up: counts, money and causes of failure, and the difference of two payloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncengine.models import PlanItem

MOST_CAUSES = 100
UNCHANGED = "unchanged"

Totals = dict[str, Decimal]
"""By currency."""


class DryResult:
    """What hangs on the run: it is the same size however much was read. The items are the run's plan."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._totals: dict[str, Totals] = {}
        self._causes: dict[str, dict[str, Any]] = {}

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> DryResult:
        """What a worker before has found out, to go on with."""
        result = cls()
        if stored:
            result._counts.update(stored.get("counts", {}))
            result._totals = {action: _exact(totals) for action, totals in stored.get("totals", {}).items()}
            result._causes = {
                one["cause"]: {**one, "totals": _exact(one["totals"])} for one in stored.get("causes", ())
            }
        return result

    def add_unchanged(self, number: int) -> None:
        if number:
            self._counts[UNCHANGED] += number

    def add(self, items: Sequence[PlanItem]) -> None:
        for item in items:
            self._counts[item.action] += 1
            _add_up(self._totals.setdefault(item.action, {}), item)
            if item.cause:
                self._add_cause(item)

    def _add_cause(self, item: PlanItem) -> None:
        """The causes beyond the most are counted under their action alone."""
        if item.cause in self._causes or len(self._causes) < MOST_CAUSES:
            cause = self._causes.setdefault(item.cause, {"cause": item.cause, "count": 0, "totals": {}})
            cause["count"] += 1
            _add_up(cause["totals"], item)

    def as_dict(self) -> dict[str, Any]:
        """`totals` are decimal texts by action and currency, `causes` come most frequent first."""
        causes = sorted(self._causes.values(), key=lambda one: -one["count"])
        return {
            "counts": dict(self._counts),
            "totals": {action: _texts(totals) for action, totals in self._totals.items() if totals},
            "causes": [{**one, "totals": _texts(one["totals"])} for one in causes],
        }


def _add_up(totals: Totals, item: PlanItem) -> None:
    if item.amount is not None and item.currency:
        totals[item.currency] = totals.get(item.currency, Decimal(0)) + item.amount


def _exact(totals: Mapping[str, str]) -> Totals:
    return {currency: Decimal(total) for currency, total in totals.items()}


def _texts(totals: Totals) -> dict[str, str]:
    return {currency: f"{total:f}" for currency, total in totals.items()}


def differences(old: Any, new: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Field by field: path, old and new value; what is only on one side has None on the other."""
    if isinstance(new, Mapping) and (isinstance(old, Mapping) or (old is None and new)):
        known = old or {}
        for name in sorted({*known, *new}):
            yield from differences(known.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(new, list) and new and (old is None or (isinstance(old, list) and len(old) == len(new))):
        for index, one in enumerate(new):
            yield from differences(old[index] if old else None, one, f"{path}[{index}]")
    elif old != new:
        yield {"path": path, "old": old, "new": new}
