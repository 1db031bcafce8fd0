"""What is counted for /metrics: by all workers and web processes together, in a few hundred rows of the database.

Whoever does the work adds to the count as it is done, so that no scrape ever reads a large table.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from syncengine.models import Tally

SUM = "sum"
PLAIN = ""
INFINITE = "+Inf"


@dataclass(frozen=True)
class Meter:
    """A counter, or with `bounds` (in seconds, ascending) a histogram."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    def buckets(self) -> list[str]:
        """The names of the buckets: each its upper bound."""
        return [*(f"{bound:g}" for bound in self.bounds), INFINITE]


CALLS = Meter(
    "ledgerbridge_call_duration_seconds",
    "Remote calls by the HTTP status of the answer (none: no answer came)",
    ("system", "status"),
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180),
)
RUNS = Meter("ledgerbridge_runs", "Runs that have ended, by how", ("flow", "status"))
RUN_TIME = Meter(
    "ledgerbridge_run_duration_seconds",
    "Runs that have ended, from their start to the answer for their last record",
    ("flow",),
    (1, 5, 15, 60, 300, 900, 3600, 14400),
)
RUN_RECORDS = Meter("ledgerbridge_run_records", "Records of the runs that have ended", ("flow", "what"))
WEBHOOK_LAG = Meter(
    "ledgerbridge_webhook_lag_seconds",
    "Notifications from their arrival until they were worked on",
    (),
    (0.5, 1, 2.5, 5, 15, 60, 300, 1800),
)
TAKE_OVERS = Meter(
    "ledgerbridge_lease_takeovers", "Work taken over from a worker that was lost (what: run, record, notification, "
    "request)", ("what",),
)  # fmt: skip
METERS = (CALLS, RUNS, RUN_TIME, RUN_RECORDS, WEBHOOK_LAG, TAKE_OVERS)

_ADD = """
INSERT INTO syncengine_tally (name, labels, bucket, value) VALUES {rows}
ON CONFLICT (name, labels, bucket) DO UPDATE SET value = syncengine_tally.value + EXCLUDED.value
"""


class Changes:
    """Collects what happened, until `store` adds it all in one statement.

    Within a transaction give `store` to on_commit: a row that everybody adds to must not stay locked, and what is
    rolled back did not happen.
    """

    def __init__(self) -> None:
        self._changes: defaultdict[tuple[str, str, str], float] = defaultdict(float)

    def count(self, meter: Meter, *labels: str, by: float = 1) -> None:
        if by:
            self._changes[meter.name, ",".join(labels), PLAIN] += by

    def observe(self, meter: Meter, seconds: float, *labels: str) -> None:
        bucket = meter.buckets()[bisect_left(meter.bounds, seconds)]
        self._changes[meter.name, ",".join(labels), bucket] += 1
        self._changes[meter.name, ",".join(labels), SUM] += seconds

    def store(self) -> None:
        # In one order for everybody: the rows are locked one after another.
        rows = [(*key, value) for key, value in sorted(self._changes.items())]
        self._changes.clear()
        if rows:
            statement = _ADD.format(rows=", ".join(["(%s, %s, %s, %s)"] * len(rows)))
            with connection.cursor() as cursor:
                cursor.execute(statement, [value for row in rows for value in row])


def count_take_overs(what: str, number: int = 1) -> None:
    """Count work that was claimed from a worker which no longer renews its lease."""
    changes = Changes()
    changes.count(TAKE_OVERS, what, by=number)
    transaction.on_commit(changes.store)


@dataclass(frozen=True)
class Sample:
    """One row of labels of a meter: a counter's `value`, or the cumulated `buckets` and the sum as `value`."""

    labels: tuple[str, ...]
    value: float
    buckets: tuple[tuple[str, float], ...] = ()


def samples() -> Iterator[tuple[Meter, list[Sample]]]:
    """Everything that was counted, meter by meter: one question."""
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for name, labels, bucket, value in Tally.objects.values_list("name", "labels", "bucket", "value"):
        found[name][labels][bucket] = value
    for meter in METERS:
        yield meter, [_sample(meter, labels, values) for labels, values in sorted(found[meter.name].items())]


def _sample(meter: Meter, labels: str, values: dict[str, float]) -> Sample:
    named = tuple(labels.split(",")) if meter.labels else ()
    if not meter.bounds:
        return Sample(named, values.get(PLAIN, 0))
    total, buckets = 0.0, []
    for bucket in meter.buckets():
        total += values.get(bucket, 0)
        buckets.append((bucket, total))
    return Sample(named, values.get(SUM, 0), tuple(buckets))
