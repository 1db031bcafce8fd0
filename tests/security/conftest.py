"""What each property was tried with, printed as a table at the end of `pytest tests/security`."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from tests.summaries import PROVED

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
