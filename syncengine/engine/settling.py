"""What the target says later: open requests are polled, each item settles its record (contracts: Basware §5).

A 200 to an import is only "accepted". The request id is kept with the attempt; requestStatus is asked until every item
is final. Several open requests of one type are asked for in one list call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from syncengine.connectors.basware import RESOURCES, Basware, RequestResult
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import circuit, tallies, turns, verdicts
from syncengine.engine.connections import NotConfigured, systems
from syncengine.engine.leases import lease_end, new_owner
from syncengine.engine.observing import calls_for
from syncengine.engine.pending import may_call
from syncengine.engine.responses import Answers
from syncengine.engine.settling_plan import HOURLY, poll_delay
from syncengine.engine.work import Deadline
from syncengine.models import Attempt, AttemptState
from tenants.models import Integration

NO_ANSWER_AFTER = timedelta(hours=24)
LIST_CALL_FROM = 3
MOST_AT_ONCE = 200
CLOCKS_DIFFER_BY = tuple(timedelta(seconds=seconds) for seconds in (5, 5, 60, 600))
"""How far back a list is read beyond the oldest request, by how often that was asked for; the last for all the rest.

Basware counts by its own clock (contracts: Basware §3.3). A wide margin brings with it all that was answered already.
"""
# A result lists every record of its request: pages are cut so that one holds a few thousand of them at most.
ITEMS_A_PAGE = 4000
LARGEST_PAGE = 500
LARGEST_REQUEST = {resource.entity_type: resource.batch for resource in RESOURCES.values()}


def due_attempts(now: datetime) -> Q:
    return free_attempts(now) & may_call(now)


def free_attempts(now: datetime) -> Q:
    """What a claim asks again (see `execution.free_runs`)."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    return Q(state=AttemptState.ACCEPTED, next_poll_at__lte=now) & free


def poll_due(deadline: Deadline) -> bool:
    """Ask for the results of one integration's due requests of one kind; False when none is due."""
    now = timezone.now()
    due = Attempt.objects.filter(due_attempts(now))
    integration = next(iter(turns.line(due)), None)
    first = due.filter(integration=integration).order_by("next_poll_at").first()
    if integration is None or first is None:
        return False
    turns.take(integration)
    attempts = _claim(first, now)
    if attempts:
        _poll(integration, attempts)
    return True


def _claim(first: Attempt, now: datetime) -> list[Attempt]:
    owner = new_owner()
    kin = Attempt.objects.filter(
        due_attempts(now), integration_id=first.integration_id, entity_type=first.entity_type
    ).order_by("next_poll_at")
    held_by = dict(kin.values_list("pk", "lease_owner")[:MOST_AT_ONCE])
    Attempt.objects.filter(free_attempts(now), pk__in=held_by).update(
        lease_owner=owner, lease_expires_at=lease_end(now)
    )
    mine = list(Attempt.objects.filter(lease_owner=owner, pk__in=held_by).select_related("record"))
    tallies.count_take_overs("request", sum(bool(held_by[one.pk]) for one in mine))
    return mine


def _poll(integration: Integration, attempts: list[Attempt]) -> None:
    """Settle what has an answer; the rest is asked for again later."""
    open_ones = {attempt.request_id: attempt for attempt in attempts}
    try:
        with systems(integration) as both, calls_for(run_id=attempts[0].run_id):
            _settle(integration, Answers(integration, both, open_ones), _results(both.basware, attempts))
    except NotConfigured:
        _later(open_ones.values(), seconds=HOURLY)
    except ConnectorError as error:
        circuit.note_failure(integration, "basware", error)
        _later(open_ones.values())
    else:
        _later(open_ones.values())


def _settle(integration: Integration, answers: Answers, results: Iterable[RequestResult]) -> None:
    try:
        for result in results:
            attempt = answers.open_ones.get(result.request_id)
            if attempt is None:
                continue
            if attempt.record_id is not None:
                verdicts.hear(answers, attempt, result)
            elif verdicts.settle_batch(integration, attempt, result):
                del answers.open_ones[result.request_id]
            if not answers.open_ones:
                return  # the rest of the list is of requests whose turn comes later
    finally:
        answers.settle()  # those that came before a failure too


def _results(basware: Basware, attempts: Sequence[Attempt]) -> Iterator[RequestResult]:
    """What Basware says, page by page: one call for each open request, or one list when there are several."""
    if len(attempts) < LIST_CALL_FROM:
        for attempt in attempts:
            result = basware.request_status(attempt.request_id)
            if result is not None:
                yield result
        return
    since = min(attempt.started_at - _margin(attempt) for attempt in attempts)
    entity_type = attempts[0].entity_type
    page_size = max(1, ITEMS_A_PAGE // LARGEST_REQUEST.get(entity_type, 1))
    yield from basware.request_statuses(entity_type, last_updated=since, page_size=min(page_size, LARGEST_PAGE))


def _margin(attempt: Attempt) -> timedelta:
    return CLOCKS_DIFFER_BY[min(attempt.polls, len(CLOCKS_DIFFER_BY) - 1)]


@transaction.atomic
def _later(attempts: Iterable[Attempt], seconds: float | None = None) -> None:
    now = timezone.now()
    changed = list(attempts)
    for attempt in changed:
        delay = poll_delay(attempt.polls) if seconds is None else seconds
        attempt.polls += 1
        attempt.next_poll_at = now + timedelta(seconds=delay)
        attempt.lease_owner, attempt.lease_expires_at = "", None
        if now - attempt.started_at > NO_ANSWER_AFTER:
            verdicts.flag_no_answer(attempt)
    Attempt.objects.bulk_update(changed, ["polls", "next_poll_at", "lease_owner", "lease_expires_at"])
