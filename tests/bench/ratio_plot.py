"""How much longer than the wire loop, by the newest lines of var/bench.jsonl: bars, each with its target across.

Draw them with `python -m tests.bench.ratio_plot docs/images/ratios.svg`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from tests.bench.reports import KEPT

TARGETS = {
    ("invoices", "4 threads in all"): 0.9,
    ("invoices", "4 calls in flight at each system"): 1.1,
    ("vendors, all", "vendors"): 1.15,
    ("vendors, unchanged", "vendors"): 1.15,
}
COLOURS = {"sqlite": "#1b6ec2", "postgresql": "#2e7d32"}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
WIDTH, LEFT, RIGHT, ROW, GAP, TOP = 860, 300, 60, 20, 18, 24

Bars = Mapping[str, tuple[float, Mapping[str, float]]]
"""By what was done: the target, and the ratio on each database."""


def newest(lines: Iterable[str]) -> Bars:
    rows = [json.loads(line) for line in lines]
    return {
        benchmark if ending == "vendors" else f"{benchmark}, {ending}": (
            target,
            {
                row["database"]: row["ratio"]
                for row in rows
                if row["benchmark"] == benchmark and row["workload"].endswith(ending)
            },
        )
        for (benchmark, ending), target in TARGETS.items()
    }


def drawn(bars: Bars) -> str:
    """SVG."""
    most = max(ratio for _, by_database in bars.values() for ratio in by_database.values())
    parts: list[str] = []
    top = TOP

    def x(ratio: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ratio / most

    for name, (target, by_database) in bars.items():
        height = ROW * len(by_database)
        parts.append(f'<text x="{LEFT - 12}" y="{top + height / 2 + 4}" text-anchor="end">{escape(name)}</text>')
        for place, (database, ratio) in enumerate(sorted(by_database.items(), reverse=True)):
            level = top + ROW * place
            parts.append(
                f'<rect x="{LEFT}" y="{level + 2}" width="{x(ratio) - LEFT:.1f}" height="{ROW - 4}" '
                f'fill="{COLOURS[database]}"/>'
                f'<text x="{x(max(ratio, target)) + 6:.1f}" y="{level + 14}">{ratio:.2f}</text>'
            )
        parts.append(f'<path d="M{x(target):.1f} {top - 3}v{height + 6}" stroke="#b3261e" stroke-width="2"/>')
        top += height + GAP
    legend = "".join(
        f'<rect x="{LEFT + 130 * place}" y="{top}" width="14" height="14" fill="{colour}"/>'
        f'<text x="{LEFT + 130 * place + 20}" y="{top + 12}">{NAMES[database]}</text>'
        for place, (database, colour) in enumerate(COLOURS.items())
    )
    legend += f'<path d="M{LEFT + 267} {top - 1}v16" stroke="#b3261e" stroke-width="2"/>'
    legend += f'<text x="{LEFT + 275}" y="{top + 12}">target</text>'
    height = top + ROW + GAP
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
    return f'{start}font-size="13"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}{legend}</svg>\n'


if __name__ == "__main__":
    picture = drawn(newest(KEPT.read_text(encoding="utf-8").splitlines()))
    Path(sys.argv[1]).write_text(picture, encoding="utf-8")
