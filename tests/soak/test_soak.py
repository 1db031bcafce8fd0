"""`make soak`: ten minutes of everything at once, then nothing lost, nothing twice, and no process has grown.

SOAK_SECONDS shortens it (120 shows most of it), SOAK_SEED repeats the choices of an earlier run. Both systems run in a
process of their own; the web, two workers and their children are the product's own processes on PostgreSQL.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest

from portal.demo import checks
from tests.soak.processes import Life, Memory
from tests.soak.town import Town

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "") or 600)
WARM_UP = min(60.0, SECONDS / 4)
DRAIN_SECONDS = 240.0
DEED_EVERY, WEATHER_EVERY, KILL_EVERY, LINE_EVERY, LOOK_EVERY = 0.35, 1.5, 20.0, 30.0, 5.0
GROWTH, SLACK_MB = 1.25, 20.0
"""A warm process may hold a quarter more and 20 MB: an allocator gives memory back late, and each thread brings an
arena and a database connection. What leaked with each of some hundred invoices and thousands of calls shows above it.
"""
LONG = 0.3
"""A process counts as long-lived when it was watched, warm, for this share of the whole run."""
Say = Callable[[str], None]


class Clock:
    """Says which of several things are due; each comes again after its own time."""

    def __init__(self, **every: float) -> None:
        self._every = every
        self._next = {name: time.monotonic() + seconds for name, seconds in every.items()}

    def due(self) -> Iterator[str]:
        now = time.monotonic()
        for name, at in self._next.items():
            if at <= now:
                self._next[name] = now + self._every[name]
                yield name

    def wait(self) -> None:
        time.sleep(max(0.0, min(self._next.values()) - time.monotonic()))


def test_ten_minutes_of_faults_and_deaths_lose_and_double_nothing(town: Town, say: Say, summarize: Say) -> None:
    memory = Memory(town.fleet, WARM_UP)
    try:
        endure(town, memory, say)
        summarize(f"{SECONDS:.0f} s, then at rest within {town.drain(DRAIN_SECONDS):.0f} s: {told(town.counts())}")
    finally:
        memory.look()
        for line in report(town, memory):
            summarize(line)
    assert_books_agree(town)
    assert_reconciled(town)
    assert_every_record_has_its_reason(town)
    code, out = town.command("verify_audit")
    assert code == 0, out
    assert town.crashes() == []
    assert town.fleet.strays() == []
    assert grown(memory.lives.values()) == []


def endure(town: Town, memory: Memory, say: Say) -> None:
    """People, weather and deaths, each in its own rhythm, until the time is over."""
    started = time.monotonic()
    clock = Clock(deed=DEED_EVERY, weather=WEATHER_EVERY, kill=KILL_EVERY, line=LINE_EVERY, look=LOOK_EVERY)
    deeds: dict[str, Callable[[], object]] = {
        "deed": town.people.do_something,
        "weather": town.weather.change,
        "kill": town.fleet.kill_something,
        "line": lambda: say(progress(time.monotonic() - started, town.counts(), memory.by_role())),
        "look": memory.look,
    }
    while time.monotonic() - started < SECONDS:
        for name in clock.due():
            deeds[name]()
        clock.wait()


def progress(seconds: float, counts: dict[str, int], sizes: dict[str, float]) -> str:
    rounded = {role: round(size) for role, size in sizes.items()}
    return f"{seconds:>4.0f} s  {told(counts)}  MB: {told(rounded)}"


def told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def assert_books_agree(town: Town) -> None:
    """Counted in the sandboxes themselves, not by our own tables."""
    times, approved = Counter(town.posted()), town.approved()
    assert sorted(approved - times.keys()) == [], "lost"
    assert [key for key, count in times.items() if count > 1] == [], "twice"
    assert sorted(times.keys() - approved) == [], "posted without an approval"
    books = checks.Books(town.control)
    bad = [invoice_id for invoice_id in books.invoices if invoice_id not in approved]
    for removed in bad:
        del books.invoices[removed]
    assert list(checks.wrong_postings(books)) == []
    assert list(checks.wrong_payments(books)) == []


def assert_reconciled(town: Town) -> None:
    code, found = town.reconcile()
    wanting = [row for row in found["rows"] if row["outcome"] != "posted_once"]
    assert (code, wanting) == (0, [])
    assert len(found["rows"]) == len(town.approved())
    unequal = [row for row in found["payments"]["rows"] if row["outcome"] != "confirmed"]
    assert unequal == []


def assert_every_record_has_its_reason(town: Town) -> None:
    """What is not done says why."""
    silent = [one for one in town.unfinished() if not (one["error"] or {}).get("message")]
    assert silent == []


def limit(life: Life) -> float:
    return life.start * GROWTH + SLACK_MB


def is_long(life: Life) -> bool:
    return life.seconds >= SECONDS * LONG


def is_judged(life: Life) -> bool:
    """The sandboxes hold all that ever happened, in memory: they may grow."""
    return is_long(life) and life.process.role != "sandbox"


def grown(lives: Iterable[Life]) -> list[str]:
    judged = [one for one in lives if is_judged(one)]
    assert judged, "no process lived long enough to be judged"
    return [f"{one.process.role}: {one.start:.0f} MB to {one.end:.0f} MB" for one in judged if one.end > limit(one)]


def report(town: Town, memory: Memory) -> Iterator[str]:
    """Everything that was done, and a line for each process that lived long; the others were killed, or came late."""
    for title, counts in (
        ("people", town.people.deeds),
        ("faults", town.weather.faults),
        ("killed", town.fleet.kills),
    ):
        yield f"{title}: {told(dict(sorted(counts.items())))}"
    yield f"{'process':<26}{'warm s':>8}{'start MB':>10}{'end MB':>8}{'limit MB':>10}"
    for life in sorted(memory.lives.values(), key=lambda one: (one.process.role, one.born)):
        if is_long(life):
            bound = f"{limit(life):.0f}" if is_judged(life) else "-"
            yield f"{life.process.role:<26}{life.seconds:>8.0f}{life.start:>10.1f}{life.end:>8.1f}{bound:>10}"
    yield f"and {sum(not is_long(life) for life in memory.lives.values())} processes with a shorter life"
