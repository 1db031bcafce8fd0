"""What each property was tried with, printed as a table at the end of `pytest tests/security`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import pytest

PROVED = "proved"
HEADINGS = ("property", "cases tried", "failures")
Prove = Callable[[str, int, Collection[object]], None]


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """`prove(property, cases, failures)`: a row of the table, and a failed test unless `failures` is empty."""

    def proved(what: str, cases: int, failures: Collection[object] = ()) -> None:
        request.node.user_properties.append((PROVED, {"property": what, "cases": cases, "failures": len(failures)}))
        shown = "\n".join(str(one) for one in list(failures)[:20])
        assert cases, f"{what}: nothing was tried"
        if failures:
            pytest.fail(f"{what}: {len(failures)} of {cases} failed:\n{shown}", pytrace=False)

    return proved


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One row for each property; the numbers come with the reports, so that they add up under xdist too."""
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
