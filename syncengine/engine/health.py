"""How integrations and this whole site are doing, in a few indexed questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils import timezone
from django_q.brokers import get_broker

from syncengine.engine.webhook_watch import silent_webhooks
from syncengine.flows import registry
from syncengine.models import (
    OPEN_RUN_STATUSES,
    Attempt,
    AttemptState,
    FlowState,
    InboxNotification,
    NamedLock,
    Record,
    RecordStatus,
    Run,
    RunStatus,
)
from tenants.models import Connection, Integration, System

OK, DEGRADED, FAILING, UNCONFIGURED = "ok", "degraded", "failing", "unconfigured"
# So many failures in a row mean that a system is away, not that a call was unlucky.
FAILURES_THAT_COUNT = 3
WORKER_PREFIX = "worker:"
BEAT_LASTS = timedelta(seconds=30)
UNENDED_RUN_STATUSES = (*OPEN_RUN_STATUSES, RunStatus.SETTLING)


def health(integration: Integration) -> str:
    """`ok`, `degraded` (a record failed, the webhook is silent), `failing` (paused, a system away, a run failed) or
    `unconfigured`."""
    return healths([integration])[integration.pk]


def healths(integrations: Iterable[Integration]) -> dict[int, str]:
    """The health of many integrations in four queries, however many they are."""
    given = list(integrations)
    keys = [integration.pk for integration in given]
    failures: dict[int, list[int]] = {key: [] for key in keys}
    for key, count in Connection.objects.filter(integration__in=keys).values_list(
        "integration_id", "failures_in_a_row"
    ):
        failures[key].append(count)
    last_runs: dict[int, set[str]] = {key: set() for key in keys}
    ended = FlowState.objects.filter(integration__in=keys, enabled=True).exclude(last_run=None)
    for row in ended.select_related("last_run").only("integration_id", "last_run__status"):
        last_runs[row.integration_id].add(row.last_run.status if row.last_run else "")
    with_failed = _with_failed_records(keys)
    unwell = with_failed | set(silent_webhooks(timezone.now(), keys))
    return {one.pk: _verdict(one, failures[one.pk], last_runs[one.pk], one.pk in unwell) for one in given}


def count_by_health() -> Mapping[str, int]:
    """How many integrations of all organizations are how well; all four verdicts are named."""
    found = Counter(healths(Integration.objects.filter(enabled=True)).values())
    return {verdict: found[verdict] for verdict in (OK, DEGRADED, FAILING, UNCONFIGURED)}


def _with_failed_records(keys: list[int]) -> set[int]:
    failed = Record.objects.filter(integration=OuterRef("pk"), flow__in=registry.known(), status=RecordStatus.FAILED)
    return set(Integration.objects.filter(Exists(failed), pk__in=keys).values_list("pk", flat=True))


def _verdict(integration: Integration, failures: list[int], last_runs: set[str], is_unwell: bool) -> str:
    if len(failures) < len(System):
        return UNCONFIGURED
    if integration.paused or max(failures) >= FAILURES_THAT_COUNT or RunStatus.FAILED in last_runs:
        return FAILING
    return DEGRADED if is_unwell or any(failures) or RunStatus.PARTIAL in last_runs else OK


def beat(owner: str) -> None:
    """A worker says that it is alive; to be called more often than every half minute."""
    name = f"{WORKER_PREFIX}{owner}"[:64]
    NamedLock.objects.update_or_create(name=name, defaults={"owner": owner, "expires_at": timezone.now() + BEAT_LASTS})


def withdraw(owner: str) -> None:
    """A worker that stops in good order no longer counts as alive."""
    try:
        NamedLock.objects.filter(name=f"{WORKER_PREFIX}{owner}"[:64]).delete()
    except DatabaseError:
        return  # its beat runs out by itself


def site_health(now: datetime) -> dict[str, Any]:
    """interface.md, "Health": `status`, and an entry each for database, broker, workers and oldest due work."""
    if not _database_answers():
        gone = {"ok": False}
        return {"status": DEGRADED, "database": gone, "broker": gone, "workers": gone, "oldest_due_work": gone}
    workers = workers_alive(now)
    age = oldest_due_age(now)
    entries: dict[str, dict[str, Any]] = {
        "database": {"ok": True},
        "broker": {"ok": broker_answers()},
        "workers": {"ok": workers > 0, "alive": workers},
        "oldest_due_work": {"ok": age is None or age <= settings.WATCHDOG_SECONDS, "age_seconds": age},
    }
    return {"status": OK if all(entry["ok"] for entry in entries.values()) else DEGRADED, **entries}


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def broker_answers() -> bool:
    try:
        return bool(get_broker().ping())
    except Exception:  # noqa: BLE001  # whatever the broker's client raises, it does not answer
        return False


def workers_alive(now: datetime) -> int:
    """How many workers have shown themselves lately: by their beat, or else by a lease that is kept alive."""
    beats = NamedLock.objects.filter(name__startswith=WORKER_PREFIX, expires_at__gt=now).count()
    return beats or len(set(_lease_owners(now)))


def _lease_owners(now: datetime) -> Iterator[str]:
    """Naming what can be held at all lets small indexes answer."""
    held = (
        Run.objects.filter(status__in=[*OPEN_RUN_STATUSES, RunStatus.SETTLING]),
        Record.objects.filter(status=RecordStatus.IN_PROGRESS),
        Attempt.objects.filter(state=AttemptState.ACCEPTED),
    )
    for rows in held:
        yield from rows.filter(lease_expires_at__gt=now).values_list("lease_owner", flat=True)[:100]


def open_runs() -> Mapping[str, int]:
    """How many runs have not ended, by status."""
    open_ones = Run.objects.filter(status__in=UNENDED_RUN_STATUSES)
    found = dict(open_ones.order_by("status").values_list("status").annotate(Count("pk")))
    return {status.value: found.get(status, 0) for status in UNENDED_RUN_STATUSES}


def oldest_notification_age(now: datetime) -> float:
    """For how many seconds the oldest notification has waited for a worker; 0 when none does."""
    waiting = InboxNotification.objects.filter(processed_at=None, integration__enabled=True)
    oldest = waiting.aggregate(oldest=Min("received_at"))["oldest"]
    return round((now - oldest).total_seconds(), 1) if oldest else 0.0


def oldest_due_age(now: datetime) -> float | None:
    """For how many seconds the oldest piece of work that could be done has been waiting; None when there is none."""
    times = [time for time in _oldest_times(now) if time is not None]
    return round((now - min(times)).total_seconds(), 1) if times else None


def _oldest_times(now: datetime) -> Iterator[datetime | None]:
    live = Q(integration__enabled=True, integration__paused_since=None)
    waiting = Record.objects.filter(
        live, status__spelled_in=(RecordStatus.PENDING, RecordStatus.WAITING), next_attempt_at__lte=now
    )
    yield waiting.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    inbox = InboxNotification.objects.filter(live, processed_at=None, next_attempt_at__lte=now)
    yield inbox.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    runs = Run.objects.filter(
        Q(lease_expires_at=None) | Q(lease_expires_at__lte=now),
        Q(not_before=None) | Q(not_before__lte=now),
        Q(after=None) | ~Q(after__status__in=OPEN_RUN_STATUSES),
        status__in=OPEN_RUN_STATUSES,
    )
    yield runs.aggregate(oldest=Min("created_at"))["oldest"]
    schedules = FlowState.objects.filter(live, enabled=True)
    yield schedules.filter(next_due_at__lte=now).aggregate(oldest=Min("next_due_at"))["oldest"]
