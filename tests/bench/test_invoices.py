"""Approved invoices from Basware to SAP, each with all of its careful calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.house import Database, House
from tests.bench.processes import Cost
from tests.bench.reports import median, pairs, report_pairs
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench
IN_FLIGHT = 4
"""Calls per connection (CALLS_IN_FLIGHT)."""
MANY = 4 * IN_FLIGHT
"""Threads enough for the loop to have as many calls under way at each system as it may."""
MOST_CALLS = 9


@pytest.fixture(scope="module")
def house(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house"), database, 0, SIZES.latency).open() as house:
        house.prepare("payment_terms", "tax_codes", "gl_accounts", "cost_centers", "projects", "vendors")
        house.issue(SIZES.invoices)
        house.run("invoices", "invoices", "incremental", tape=True)
        yield house


def _ours(house: House) -> Cost:
    house.issue(SIZES.invoices)
    return house.run("measured", "invoices", "incremental")


def _wire(house: House, threads: int) -> Cost:
    house.issue(SIZES.invoices)
    return house.wire("invoices", threads, IN_FLIGHT)


@pytest.mark.parametrize(
    ("threads", "name"), [(IN_FLIGHT, "4 threads in all"), (MANY, "4 calls in flight at each system")]
)
def test_invoices_go_as_fast_as_the_wire(house, threads, name):
    found = pairs(SIZES.pairs, lambda: _ours(house), lambda: _wire(house, threads))
    calls = found[0][0].about["calls"] / SIZES.invoices
    each = 1000 * median(cost.cpu for cost, _ in found) / SIZES.invoices
    workload = f"{SIZES.invoices} invoices, wire loop of {name}"
    report_pairs(
        "invoices", house.database.name, workload, found, cpu_ms_per_invoice=each, calls_per_invoice=calls
    )  # fmt: skip
    assert not any(cost.about["failed"] for cost, _ in found)
    assert calls <= MOST_CALLS
