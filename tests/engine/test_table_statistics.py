"""A first run fills its tables faster than PostgreSQL looks at them; rows are found by their keys all the same."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.engine.storing import store_records
from syncengine.engine.table_statistics import FEW, LOOK_SECONDS, TableStatistics
from syncengine.models import Record
from tenants.row_security import bound_to
from tests import factories
from tests.engine.test_prints import comparison
from tests.flows.world import vendor
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]
MANY = 10_000
AS_WIDE = {"as wide as a vendor": 1000 * "x"}


@pytest.fixture
def integration(transactional_db, postgres_url):
    with moved_to(create_database(postgres_url, f"statistics_{uuid4().hex}")):
        yield factories.IntegrationFactory()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def statistics(clock):
    return TableStatistics(clock)


def store(integration, numbers):
    keys = [f"V{number}" for number in numbers]
    store_records([Record(integration=integration, flow="vendors", key=key, source=AS_WIDE) for key in keys])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")


def counted() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = 'syncengine_record'")
        (number,) = cursor.fetchone()
    return int(number)


def plan_of_a_page(integration) -> str:
    page = [vendor(CardCode=f"V{number}") for number in range(200)]
    with CaptureQueriesContext(connection) as captured:
        comparison(integration).prints.known(page)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured[-1]['sql']}")
        return "\n".join(line for (line,) in cursor.fetchall())


def is_by_key(plan: str) -> bool:
    return any("Index Cond" in line and "(key)::text" in line for line in plan.splitlines())


def test_a_page_is_looked_up_by_its_keys_as_soon_as_there_are_many(integration, statistics):
    with bound_to(integration.organization):
        store(integration, range(MANY))
        assert not is_by_key(plan_of_a_page(integration))  # as if there were next to none
        statistics.keep()
        assert is_by_key(plan_of_a_page(integration))
    assert counted() == MANY


def test_they_are_counted_again_when_they_have_outgrown_that_and_not_before(integration, statistics, clock):
    for rows, expected in ((FEW // 2, -1), (FEW + 100, FEW + 100), (2 * FEW, FEW + 100), (3 * FEW, 3 * FEW)):
        clock.now += LOOK_SECONDS
        store(integration, range(Record.objects.count(), rows))
        statistics.keep()
        assert counted() == expected


def test_it_looks_once_a_second_at_most(integration, statistics, clock):
    statistics.keep()
    store(integration, range(2 * FEW))
    clock.now += LOOK_SECONDS / 2
    statistics.keep()
    assert counted() == -1
    clock.now += LOOK_SECONDS / 2
    statistics.keep()
    assert counted() == 2 * FEW


def test_a_run_has_them_counted(integration, request):
    world = request.getfixturevalue("world")  # on PostgreSQL too
    store(world.integration, range(2 * FEW))
    assert counted() == -1
    world.run("gl_accounts", "full")
    assert counted() >= 2 * FEW
