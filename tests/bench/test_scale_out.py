"""One, two and four workers on what mostly waits for the other side: twice the workers, twice as much done.

A worker takes one customer's batch at a time, so many customers are what several workers share. Two cores must not be
what is measured: few calls are in flight for each customer, and the line says how much of the cores was used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncengine.engine.runs import request_runs
from syncengine.models import FINAL_STATUSES, Record, RecordStatus, Run
from tenants.models import Integration
from tests.bench.house import Database, House
from tests.bench.reports import median, report
from tests.bench.sizes import SIZES
from tests.bench.town import Workers, houses, settle, until
from tests.postgres import moved_to

pytestmark = pytest.mark.bench
WORKERS = (1, 2, 4)
IN_FLIGHT = 2
"""Documents at once for each customer, half of the default: the fewer, the less CPU a second of waiting costs."""
LEAST = 0.9
PATIENCE = 3600.0


@dataclass(frozen=True)
class Round:
    """What so many workers did: documents per second, and CPU seconds per second of them and of the database."""

    per_second: float
    cpu: float


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[list[House]]:
    if database.name == "sqlite":
        pytest.skip("several workers share PostgreSQL")
    with houses(tmp_path, database, SIZES.companies, SIZES.far) as found:
        yield found


def test_twice_the_workers_do_twice_as_much(town, database, tmp_path, monkeypatch, django_db_blocker):
    monkeypatch.setenv("CALLS_IN_FLIGHT", str(IN_FLIGHT))
    with django_db_blocker.unblock():
        with moved_to(database.make("template")):
            for number, house in enumerate(town):
                settle(house, f"Customer {number}")
        rounds = [
            {number: _round(town, database, number, tmp_path / "workers.log") for number in WORKERS}
            for _ in range(SIZES.rounds)
        ]
    rates = {number: median(one[number].per_second for one in rounds) for number in WORKERS}
    efficiency = {
        number: median(one[number].per_second / one[1].per_second / number for one in rounds) for number in WORKERS
    }
    cores = os.cpu_count() or 1
    report(
        "scale out", database.name,
        f"{SIZES.companies} customers with {SIZES.each} invoices each, {SIZES.far * 1000:.0f} ms, {IN_FLIGHT} at once",
        rounds=SIZES.rounds, cores=cores,
        **{f"per_second_{number}": rate for number, rate in rates.items()},
        **{f"efficiency_{number}": share for number, share in efficiency.items()},
        **{f"cpu_share_{number}": median(one[number].cpu for one in rounds) / cores for number in WORKERS},
    )  # fmt: skip
    assert min(efficiency.values()) >= LEAST


def _round(town: list[House], database: Database, workers: int, log: Path) -> Round:
    """All customers' invoices at the same moment, until the last is confirmed; the workers are there already."""
    for house in town:
        house.issue(SIZES.each)
    url = database.make("measured", "template")
    with moved_to(url, migrated=False), Workers(town[0], url, workers, log).running() as running:
        before, begun = running.cpu() + database.cpu(), time.perf_counter()
        for integration in Integration.objects.order_by("pk"):
            request_runs(integration, "invoices", "incremental", trigger="command", actor="bench")
        until(lambda: _all_ended(running), PATIENCE)
        wall, cpu = time.perf_counter() - begun, running.cpu() + database.cpu() - before
        expected = SIZES.each * len(town)
        assert Record.objects.filter(flow="invoices", status=RecordStatus.DONE).count() == expected
    return Round(expected / wall, cpu / wall)


def _all_ended(running: Workers) -> bool:
    running.check()
    return not Run.objects.exclude(status__in=FINAL_STATUSES).exists()
