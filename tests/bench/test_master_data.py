"""Vendors from SAP to Basware: all of them, all of them unchanged, and nothing changed since."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.house import Database, House
from tests.bench.processes import Cost
from tests.bench.reports import median, pairs, report, report_pairs
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench
SENDERS = 4


@pytest.fixture(scope="module")
def house(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house"), database, SIZES.vendors, SIZES.latency).open() as house:
        house.prepare("payment_terms")
        house.run("full", "vendors", "full", tape=True)
        yield house


def test_all_vendors_go_about_as_fast_as_the_wire(house):
    found = pairs(
        SIZES.pairs, lambda: house.run("measured", "vendors", "full"), lambda: house.wire("full", SENDERS)
    )  # fmt: skip
    each = 1000 * median(cost.cpu for cost, _ in found) / SIZES.vendors
    report_pairs("vendors, all", house.database.name, f"{SIZES.vendors} vendors", found, cpu_ms_per_vendor=each)
    assert not any(cost.about["failed"] for cost, _ in found)


def test_unchanged_vendors_are_only_read(house):
    house.run("again", "vendors", "full")
    house.run("again", "vendors", "full", fresh=False, tape=True)
    found = pairs(
        SIZES.pairs,
        lambda: house.run("again", "vendors", "full", fresh=False),
        lambda: house.wire("again", SENDERS),
    )
    each = 1000 * median(cost.cpu for cost, _ in found) / SIZES.vendors
    name, workload = house.database.name, f"{SIZES.vendors} vendors"
    report_pairs("vendors, unchanged", name, workload, found, cpu_ms_per_vendor=each)
    assert not any(cost.about["sent"] for cost, _ in found)


def test_nothing_changed_costs_three_calls(house):
    house.run("since", "vendors", "full")
    found = [house.run("since", "vendors", "incremental", fresh=False) for _ in range(SIZES.pairs)]
    _report_alone("vendors, nothing changed", house, found)
    assert max(cost.about["calls"] for cost in found) <= 3


def _report_alone(benchmark: str, house: House, found: list[Cost]) -> None:
    report(
        benchmark, house.database.name, f"{SIZES.vendors} vendors",
        calls=found[0].about["calls"],
        wall_s=median(cost.wall for cost in found),
        cpu_s=median(cost.cpu for cost in found),
        rss_mb=max(cost.rss for cost in found),
    )  # fmt: skip
