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
        house.prepare()
        _begin(house, "full")
        house.run("full", "vendors", "full", fresh=False, tape=True)
        yield house


def _begin(house: House, name: str) -> None:
    """Basware without any vendor, and with the payment terms that all of them name."""
    house.begin_anew()
    house.run(name, "payment_terms", "full")


def _ours(house: House) -> Cost:
    _begin(house, "measured")
    return house.run("measured", "vendors", "full", fresh=False)


def _wire(house: House) -> Cost:
    _begin(house, "measured")
    return house.wire("full", SENDERS)


def test_all_vendors_go_about_as_fast_as_the_wire(house):
    found = pairs(SIZES.pairs, lambda: _ours(house), lambda: _wire(house))
    each = 1000 * median(cost.cpu for cost, _ in found) / SIZES.vendors
    report_pairs("vendors, all", house.database.name, f"{SIZES.vendors} vendors", found, cpu_ms_per_vendor=each)
    assert not any(cost.about["failed"] for cost, _ in found)


def test_unchanged_vendors_are_only_read(house):
    _begin(house, "again")
    house.run("again", "vendors", "full", fresh=False)
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
    _begin(house, "since")
    house.run("since", "vendors", "full", fresh=False)
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
