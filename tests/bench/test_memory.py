"""A worker's greatest size does not depend on how much it carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.house import Database, House
from tests.bench.processes import Cost
from tests.bench.reports import report
from tests.bench.sizes import SIZES

pytestmark = pytest.mark.bench
MOST = 1.2
MOST_MB = 150.0


@pytest.fixture(scope="module")
def few(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Cost:
    return _carried(database, tmp_path_factory.mktemp("few"), SIZES.few_vendors)


@pytest.mark.parametrize("number", SIZES.many_vendors)
def test_many_vendors_take_no_more_memory_than_few(database: Database, few: Cost, number: int, tmp_path: Path):
    many = _carried(database, tmp_path, number)
    report(
        "memory of a worker", database.name, f"{SIZES.few_vendors} and {number} vendors",
        calls=many.about["calls"], wall_s=many.wall, cpu_s=many.cpu, rss_mb=many.rss, ratio=many.rss / few.rss,
        rss_mb_of_the_few=few.rss,
    )  # fmt: skip
    assert many.rss / few.rss <= MOST
    assert many.rss <= MOST_MB


def _carried(database: Database, folder: Path, vendors: int) -> Cost:
    with House(folder, database, vendors, latency=0).open() as house:
        house.prepare("payment_terms")
        return house.run("memory", "vendors", "full")
