"""A customer with very many queued records and one whose ten come later, on one worker: who waits for how much?

The measure is what was begun for the big one after the ten had come and before the last of them was sent; what was in
hand when they came is told beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from syncengine.engine.execution import PATIENCE
from syncengine.engine.pending import MOST_AT_ONCE
from syncengine.engine.runs import request_runs
from syncengine.engine.work import LOOK_SECONDS
from syncengine.models import AttemptItem, Record, RecordStatus
from syncengine.sandbox.dataset import Dataset
from tenants.models import Integration
from tests.bench.house import Database, House
from tests.bench.reports import report
from tests.bench.sizes import SIZES
from tests.bench.town import Workers, houses, settle, until
from tests.postgres import moved_to

pytestmark = pytest.mark.bench
VENDORS = [partner["CardCode"] for partner in Dataset().sap()["BusinessPartners"][:10]]
UNDER_WAY = 2 * MOST_AT_ONCE
"""The big one has so many behind it when the ten come."""
LIMIT_SECONDS = 300.0
INSERTED_AT_ONCE = 2_000


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[list[House]]:
    """A big customer and a small one; both answer at once, so that the worker is what they wait for."""
    with houses(tmp_path, database, 2, 0, (SIZES.queued,)) as found:
        yield found


def _ask_for_a_run(big: Integration) -> None:
    request_runs(big, "vendors", "full", trigger="command", actor="bench")


def _queue_all(big: Integration) -> None:
    """As after "replay all": every one of them has been due for an hour."""
    queue(big, (f"VX{number:07d}" for number in range(SIZES.queued)), timezone.now() - timedelta(hours=1))


def queue(integration: Integration, keys: Iterator[str], since: datetime) -> None:
    rows = (
        Record(
            integration=integration, flow="vendors", key=key, status=RecordStatus.PENDING, next_attempt_at=since
        ) for key in keys
    )  # fmt: skip
    Record.objects.bulk_create(rows, batch_size=INSERTED_AT_ONCE)


@pytest.mark.parametrize(
    ("ask", "what", "grace"),
    [
        (_queue_all, "queued records", timedelta()),
        # A run goes on for so long, in case an idle worker is about to take what is due.
        (_ask_for_a_run, "a run over all", PATIENCE + timedelta(seconds=LOOK_SECONDS)),
    ],
    ids=["queued", "run"],
)
def test_ten_records_wait_for_no_more_than_a_page(
    town: list[House],
    database: Database,
    tmp_path: Path,
    django_db_blocker: Any,
    ask: Callable[[Integration], None],
    what: str,
    grace: timedelta,
):
    url = database.make("fairness")
    with django_db_blocker.unblock(), moved_to(url):
        big, small = (settle(house, name) for house, name in zip(town, ("Big", "Small"), strict=True))
        with Workers(town[0], url, 1, tmp_path / "worker.log").running():
            ask(big)
            until(lambda: _sent(big).count() >= UNDER_WAY, LIMIT_SECONDS)
            came = timezone.now()
            in_hand = Record.objects.filter(integration=big, status=RecordStatus.IN_PROGRESS).count()
            queue(small, iter(VENDORS), came)
            until(lambda: _sent(small).count() >= len(VENDORS), LIMIT_SECONDS)
        last = max(_sent(small).values_list("attempt__started_at", flat=True))
        before = _sent(big).filter(attempt__started_at__gt=came, attempt__started_at__lt=last)
        late = before.filter(attempt__started_at__gt=came + grace).count()
        begun = before.count()
    report(
        "fairness", database.name, f"{SIZES.queued} of one customer ({what}), ten of another",
        wall_s=(last - came).total_seconds(), page=MOST_AT_ONCE, records_in_hand=in_hand,
        records_before_the_ten=begun, records_after_grace=late,
    )  # fmt: skip
    assert late <= MOST_AT_ONCE


def _sent(integration: Integration) -> QuerySet[AttemptItem]:
    return AttemptItem.objects.filter(attempt__integration=integration)
