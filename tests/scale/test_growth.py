"""What an operation costs in a table ten and a hundred times as large: no more than a few steps down an index.

Prints a line for each and draws docs/images/growth.png when SCALE_PLOT names that file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from syncengine import load
from syncengine.audit.events import record_events
from syncengine.engine import due, health, statistics, troubles
from syncengine.engine.pending import due_records
from syncengine.models import Record
from tenants.models import Integration
from tests.scale import growth_plot
from tests.scale.conftest import LINES
from tests.scale.databases import LARGE, SIZES, loaded, server
from tests.scale.measuring import Site, work_of
from tests.scale.pages import OWNER, furnished

pytestmark = pytest.mark.scale

RECORDS = {"scale_10000": 10_000, "scale_100000": 100_000, LARGE: 1_000_000}
TIMES = 15
MOST_TIMES = 3.0
"""A hundred times the rows may cost so many times as much; log n would be 1.5."""
FLOOR = 0.005
"""Seconds below which a difference says nothing."""
# What is in proportion to what happened since, not to the table: done once a minute, and named in docs/performance.md.
IN_PROPORTION = {"count the figures"}


@pytest.fixture(scope="module")
def costs(django_db_blocker: Any) -> dict[str, dict[int, float]]:
    """Seconds of each operation by the number of records."""
    found: dict[str, dict[int, float]] = {}
    with django_db_blocker.unblock(), server() as url:
        for name, count in RECORDS.items():
            SIZES.setdefault(name, load.Size(2, count, 10))
            with loaded(url, name) as integration:
                for what, ask in operations(integration).items():
                    ask()
                    found.setdefault(what, {})[count] = median(work_of(ask) for _ in range(TIMES))
    return found


def operations(integration: Integration) -> dict[str, Callable[[], object]]:
    place = furnished(integration, 3)
    site = Site(place)
    root = f"/o/{integration.organization.slug}/"
    of_integration = f"{root}integrations/{integration.pk}/"
    troubles.remember(integration)  # as a worker does each minute
    record = Record.objects.filter(integration=integration, flow="invoices", status="done").order_by("-pk")[5]
    pages = {
        "dashboard": of_integration,
        "list of records": f"{of_integration}records/",
        "records of a rare stage": f"{of_integration}records/?stage=acknowledged",
        "a record": f"{root}records/{record.pk}/",
        "an invoice by its number": f"{root}search/suggestions/?q={record.reference}",
        "fix-it inbox": f"{of_integration}repairs/",
        "trail of a month, by a person": f"{root}audit/?actor=load&after_day=2026-01-01&before_day=2026-01-31",
        "webhook": f"{of_integration}webhook/",
    }
    now = timezone.now()
    records = list(Record.objects.filter(integration=integration)[:100])
    return {
        **{f"page: {name}": lambda path=path: site.get(path, OWNER) for name, path in pages.items()},
        "is anything due?": lambda: due.anything_due(now),
        "claim what is due": lambda: list(Record.objects.filter(due_records(now)).order_by("next_attempt_at")[:100]),
        "health of the site": lambda: health.site_health(now),
        "write 100 audit events": lambda: undone(
            lambda: record_events(integration, "record.received", [(one, "") for one in records])
        ),
        "change 100 records": lambda: undone(lambda: [one.save() for one in records]),
        "count the figures": lambda: undone(lambda: statistics.refresh(integration)),
    }


def undone(deed: Callable[[], object]) -> None:
    with transaction.atomic():
        deed()
        transaction.set_rollback(True)


def test_nothing_grows_faster_than_the_logarithm(costs, record_property):
    plot = os.environ.get("SCALE_PLOT")
    if plot:
        growth_plot.save(costs, Path(plot))
    for what, by_size in costs.items():
        times = "  ".join(f"{size:>9,}: {seconds * 1000:7.1f} ms" for size, seconds in by_size.items())
        record_property(LINES, f"{times}  {what}")
    grown = {what: by_size for what, by_size in costs.items() if what not in IN_PROPORTION and has_grown(by_size)}
    assert not grown


def has_grown(by_size: Mapping[int, float]) -> bool:
    small, large = by_size[min(by_size)], by_size[max(by_size)]
    return large > max(small, FLOOR) * MOST_TIMES
