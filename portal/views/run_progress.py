"""How far a run is, how fast, and how long it will take: from its counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from syncengine.flows import registry
from syncengine.flows.document import DocumentFlow
from syncengine.models import RecordStatus, Run, RunMode, RunStatus

MEASURED_AFTER = timedelta(seconds=2)
# The records of a run with that outcome; what was only read or left unchanged belongs to no run.
FILTERS: Mapping[str, Mapping[str, str]] = {
    "sent": {},
    "confirmed": {"status": RecordStatus.DONE},
    "failed": {"status": RecordStatus.FAILED},
    "created": {"action": "created"},
    "updated": {"action": "updated"},
    "closed": {"action": "closed"},
}


@dataclass(frozen=True)
class Progress:
    """`done` of `of` records are `deed`; `of` is None while nobody knows, `about` says that an earlier run told it."""

    deed: str
    done: int
    of: int | None = None
    about: bool = False
    rate: float | None = None
    """Records per second, on average since the run began."""

    @property
    def percent(self) -> int | None:
        """Never 100: the run itself says when it is over."""
        return min(99, self.done * 100 // self.of) if self.of else None

    @property
    def remaining(self) -> timedelta | None:
        if not self.rate or self.of is None or self.of <= self.done:
            return None
        return timedelta(seconds=round((self.of - self.done) / self.rate))


def progress_of(run: Run, now: datetime) -> Progress | None:
    """None for a run that has not begun or is over."""
    if run.is_final or run.started_at is None:
        return None
    answered = run.confirmed + run.failed
    if run.status == RunStatus.SETTLING:  # how fast the target answers is its own affair: no time is promised
        return Progress("answered", min(answered, run.sent), run.sent or None)
    if isinstance(registry.known().get(run.flow), DocumentFlow) and run.cursor.get("found_all"):
        done, of = answered + run.unchanged, run.read
        return Progress("dealt with", min(done, of), of, rate=_rate(done, run.started_at, now))
    return Progress("read", run.read, run.expected, about=True, rate=_rate(run.read, run.started_at, now))


def _rate(done: int, since: datetime, now: datetime) -> float | None:
    took = now - since
    return done / took.total_seconds() if done and took >= MEASURED_AFTER else None


def linked_counts(run: Run) -> Iterable[tuple[str, int, str]]:
    """Each count by name, with the query that shows its records; "" where there is nothing to show."""
    for name, count in run.counts.items():
        shown = count and name in FILTERS and run.mode != RunMode.DRY_RUN
        yield name, count, urlencode({"flow": run.flow, "run": run.pk, **FILTERS[name]}) if shown else ""
