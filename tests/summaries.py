"""Tables at the end of a run: the fault matrix, and what the security tests have tried.

Their numbers come with the reports, so that they are whole under xdist too. The folders' own conftests would not do:
the process that prints does not load them when all tests run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

CELL, NOTE = "cell", "note"
COLUMNS = ("database", "step", "fault", "outcome", "tries", "seconds")
PROVED = "proved"
HEADINGS = ("property", "cases tried", "failures")


def fault_matrix(terminalreporter: Any) -> None:
    """The matrix as a table, after the notes of its tests."""
    for note in _told(terminalreporter, NOTE):
        terminalreporter.write_line(note)
    cells = _told(terminalreporter, CELL)
    if not cells:
        return
    rows = [COLUMNS, *(tuple(str(cell[name]) for name in COLUMNS) for cell in cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    terminalreporter.section(f"fault matrix: {len(cells)} cells")
    for row in rows:
        terminalreporter.write_line("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)))


def _told(terminalreporter: Any, what: str) -> list[Any]:
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    return [value for one in reports for name, value in one.user_properties if name == what]


def security(terminalreporter: Any) -> None:
    """One row for each property."""
    cases: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for row in (value for name, value in report.user_properties if name == PROVED):
                cases[row["property"]] += row["cases"]
                failures[row["property"]] += row["failures"]
    if not cases:
        return
    rows = [HEADINGS, *((name, f"{cases[name]:,}", str(failures[name])) for name in sorted(cases))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    terminalreporter.section(f"security: {len(cases)} properties, {sum(cases.values()):,} cases")
    for name, tried, failed in rows:
        terminalreporter.write_line(f"{name.ljust(widths[0])}  {tried.rjust(widths[1])}  {failed.rjust(widths[2])}")
