"""What a dry run found: counts, and a bounded number of examples with what would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncengine.engine.comparing import Fate, Judged

MOST_EXAMPLES = 200


class DryResult:
    """Collects what a run would do; nothing of it is stored but the result on the run."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: list[dict[str, Any]] = []

    def add(self, judged: Sequence[Judged]) -> None:
        for one in judged:
            name = one.record.action if one.fate is Fate.SEND else str(one.fate)
            self._counts[name] += 1
            if one.fate in (Fate.SEND, Fate.FAILED, Fate.WAITS):
                self._add_example(name, one)

    def note(self, action: str, key: str, title: str, *, changes: Any = (), problems: Any = ()) -> None:
        """One object of a document flow."""
        self._counts[action] += 1
        self._append(
            {"action": action, "key": key, "title": title, "changes": list(changes), "problems": list(problems)}
        )

    def as_dict(self) -> dict[str, Any]:
        return {"counts": dict(self._counts), "examples": self._examples}

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
        if len(self._examples) < MOST_EXAMPLES:
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
