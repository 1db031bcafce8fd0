"""What a benchmark says: one line of JSON on standard output, kept in var/bench.jsonl, and the table made of them."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.processes import CHECKOUT, Cost

KEPT = CHECKOUT / "var" / "bench.jsonl"
COLUMNS = ("benchmark", "database", "workload", "calls", "wall_s", "cpu_s", "rss_mb", "ratio", "more")


def median(numbers: Iterable[float]) -> float:
    return statistics.median(list(numbers))


def percentile(numbers: Sequence[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(share * len(numbers)))]


def pairs(number: int, ours: Callable[[], Cost], theirs: Callable[[], Cost]) -> list[tuple[Cost, Cost]]:
    """Both sides in turn, the other one first each time, so that what else the machine does meets both alike."""
    found = []
    for turn in range(number):
        if turn % 2:
            wire = theirs()
            found.append((ours(), wire))
        else:
            found.append((ours(), theirs()))
    return found


def report_pairs(benchmark: str, database: str, workload: str, found: Sequence[tuple[Cost, Cost]], **more: Any) -> None:
    """Tell medians, and the median of the pairs' ratios."""
    ours, wire = [one for one, _ in found], [other for _, other in found]
    report(
        benchmark, database, workload,
        calls=ours[0].about.get("calls", 0),
        wall_s=median(one.wall for one in ours),
        cpu_s=median(one.cpu for one in ours),
        rss_mb=max(one.rss for one in ours),
        ratio=median(one.wall / other.wall for one, other in found),
        wire_calls=wire[0].about.get("calls", 0),
        wire_wall_s=median(one.wall for one in wire),
        wire_cpu_s=median(one.cpu for one in wire),
        ratios=[round(one.wall / other.wall, 2) for one, other in found],
        **more,
    )  # fmt: skip


def report(benchmark: str, database: str, workload: str, **figures: Any) -> None:
    line = {"benchmark": benchmark, "database": database, "workload": workload}
    line |= {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    text = json.dumps(line)
    sys.stdout.write(f"\n{text}\n")
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as kept:
        kept.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **line}) + "\n")


def table(lines: Iterable[str]) -> str:
    """The newest line of each benchmark as a table for docs/performance.md."""
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in lines:
        row = json.loads(line)
        newest[row["benchmark"], row["database"], row["workload"]] = row
    head = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    return "\n".join([*head, *(f"| {' | '.join(_cells(row))} |" for row in newest.values())])


def _cells(row: dict[str, Any]) -> list[str]:
    rest = {name: value for name, value in row.items() if name not in {*COLUMNS, "at"}}
    more = ", ".join(f"{name} {value}" for name, value in rest.items())
    return [*(str(row.get(name, "")) for name in COLUMNS[:-1]), more]


if __name__ == "__main__":
    sys.stdout.write(table(Path(KEPT).read_text(encoding="utf-8").splitlines()) + "\n")
