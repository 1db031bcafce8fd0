"""What a dry run found: counts, and a bounded number of examples with what would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncengine.engine.comparing import Fate, Judged
from syncengine.engine.rehearsals import Rehearsal
from syncengine.flows.desk import Found

MOST_EXAMPLES = 200
"""Of each kind."""

NAMES = {
    "post": "would_be_posted",
    "adopt": "would_be_linked",
    "confirm": "would_be_confirmed",
    "fail": "would_fail",
    "ask": "would_need_a_decision",
    "wait": "would_wait",
    "stop": "would_stop",
    "nothing": "unchanged",
}
"""How a rehearsal's end is counted."""


class DryResult:
    """Collects what a run would do; nothing of it is stored but the result on the run."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._totals: dict[str, dict[str, Decimal]] = {}
        self._examples: list[dict[str, Any]] = []

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> DryResult:
        """What a worker before has found out, to go on with."""
        result = cls()
        if stored:
            result._counts.update(stored.get("counts", {}))
            result._examples = list(stored.get("examples", ()))
            for action, totals in stored.get("totals", {}).items():
                result._totals[action] = {currency: Decimal(total) for currency, total in totals.items()}
        return result

    def add(self, judged: Sequence[Judged]) -> None:
        for one in judged:
            name = one.record.action if one.fate is Fate.SEND else str(one.fate)
            self._counts[name] += 1
            if one.fate in (Fate.SEND, Fate.FAILED, Fate.WAITS):
                self._add_example(name, one)

    def add_rehearsal(self, found: Found, done: Rehearsal | None) -> None:
        """One document, and how it would end; None for one that a run would leave as it is."""
        action = NAMES[done.would] if done else "unchanged"
        self._counts[action] += 1
        if found.amount is not None and found.currency:
            sums = self._totals.setdefault(action, {})
            sums[found.currency] = sums.get(found.currency, Decimal(0)) + found.amount
        if done is not None:
            example = {"action": action, "key": found.key, "title": found.title, "message": done.message}
            self._append({**example, "changes": [], "problems": list(done.problems)})

    def as_dict(self) -> dict[str, Any]:
        """`totals` are decimal texts by kind and currency, where there are amounts."""
        totals = {
            action: {currency: f"{total:f}" for currency, total in sums.items()}
            for action, sums in self._totals.items()
        }
        found = {"counts": dict(self._counts), "examples": self._examples}
        return {**found, "totals": totals} if totals else found

    def _add_example(self, action: str, one: Judged) -> None:
        record = one.record
        changes = list(differences(record.confirmed_target or {}, record.target or {}))
        self._append(
            {
                "action": action,
                "key": record.key,
                "title": record.title,
                "changes": changes,
                "problems": record.problems,
            }
        )

    def _append(self, example: dict[str, Any]) -> None:
        if sum(1 for one in self._examples if one["action"] == example["action"]) < MOST_EXAMPLES:
            self._examples.append(example)


def differences(old: Any, new: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Field by field: path, old and new value; what is only on one side has None on the other."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif old != new:
        yield {"path": path, "old": old, "new": new}
