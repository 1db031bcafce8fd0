"""Thousands of integrations: what is due is one question that an index answers."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from syncengine.engine import due, schedule
from syncengine.models import FlowState
from tenants.models import Integration, Organization
from tests.bench.house import Database
from tests.bench.reports import median, percentile, report
from tests.bench.sizes import SIZES
from tests.postgres import moved_to

pytestmark = pytest.mark.bench
FLOWS = 9
TIMES = 41


def test_what_is_due_of_thousands_is_one_quick_question(database: Database, django_db_blocker):
    with django_db_blocker.unblock(), moved_to(database.make("dispatcher")):
        _fill(SIZES.integrations)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        with CaptureQueriesContext(connection) as asked:
            assert len(_due()) == 1
        assert len(asked) == 1
        decision, whole = [_seconds(_due) for _ in range(TIMES)], [_seconds(_anything) for _ in range(TIMES)]
        report(
            "dispatcher", database.name, f"{SIZES.integrations} integrations of {FLOWS} flows, one due",
            wall_s=median(decision), p95_s=percentile(decision, 0.95), whole_second_s=median(whole),
            plan=_plan(),
        )  # fmt: skip


def _fill(number: int) -> None:
    organization = Organization.objects.create(name="Many", slug="many")
    integrations = Integration.objects.bulk_create(
        Integration(organization=organization, name=f"Integration {count}") for count in range(number)
    )
    later = timezone.now() + timedelta(hours=1)
    states = [
        FlowState(integration=one, flow=f"flow {count}", schedule="0 * * * *", next_due_at=later)
        for one in integrations
        for count in range(FLOWS)
    ]
    states[len(states) // 2].next_due_at = timezone.now()
    FlowState.objects.bulk_create(states, batch_size=2000)


def _due() -> list[FlowState]:
    return list(schedule.due_states(timezone.now()).order_by("id")[: schedule.MOST_AT_ONCE])


def _anything() -> bool:
    return due.anything_due(timezone.now())


def _seconds(question) -> float:
    begun = time.perf_counter()
    question()
    return time.perf_counter() - begun


def _plan() -> str:
    """Whether the flows are found by an index."""
    text = schedule.due_states(timezone.now()).explain()
    scans = "Seq Scan on syncengine_flow" in text or "SCAN syncengine_flow" in text
    return "scan" if scans else "index"
