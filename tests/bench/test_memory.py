"""A worker's greatest size does not depend on how much it carries."""

from __future__ import annotations

import pytest

from tests.bench.house import Database, House
from tests.bench.reports import report
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench
MOST = 1.2


def test_a_million_vendors_take_no_more_memory_than_ten_thousand(database: Database, tmp_path):
    sizes = {number: _size(database, tmp_path / str(number), number) for number in (
        SIZES.few_vendors, SIZES.many_vendors
    )}  # fmt: skip
    few, many = sizes.values()
    workload = f"{SIZES.few_vendors} and {SIZES.many_vendors} vendors"
    report("memory of a worker", database.name, workload, rss_mb=many, ratio=many / few, rss_mb_of_the_few=few)
    assert many / few <= MOST


def _size(database: Database, folder, vendors: int) -> float:
    with House(folder, database, vendors, latency=0).open() as house:
        house.prepare("payment_terms")
        return house.run("memory", "vendors", "full").rss
