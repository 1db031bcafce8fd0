"""A table of every page at the end, with its figures."""

from __future__ import annotations

from typing import Any

LINES = "scale"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    lines = [value for one in reports for name, value in one.user_properties if name == LINES]
    if lines:
        terminalreporter.section("a million records, ten million audit events")
    for line in lines:
        terminalreporter.write_line(line)
