"""Sealing: events are closed in blocks, each chained to the one before, without a lock that a writer would feel.

Ids are given out before events are committed, so an event may appear below ids that are sealed already: a seal names
its members one by one, and what is not sealed yet is looked for from LATE_COMMITS back. `verify_audit` looks further.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from syncengine.audit import anchors
from syncengine.audit.digests import GENESIS, head_of, last_of, pack, root_of, unpack
from syncengine.audit.keys import audit_key
from syncengine.engine import locks
from syncengine.models import AuditEvent, AuditSeal
from tenants.models import Organization

if TYPE_CHECKING:
    from syncengine.engine.work import Deadline

SEAL = "audit-seal"
SEAL_SECONDS = 60.0
LATE_COMMITS = timedelta(minutes=15)  # longer than any transaction of ours: a worker's task ends after five
BLOCK = 500
ATTEMPTS = 10
PAUSE_SECONDS = 0.005


def is_due(now: datetime) -> bool:
    """Whether a minute has gone by since any worker sealed."""
    return locks.is_free(SEAL, now=now)


def seal_due(deadline: Deadline) -> bool:
    """Seal what was written since the last time, once a minute; False when it is not time."""
    if not locks.taken_for(SEAL, seconds=SEAL_SECONDS):
        return False
    seal_open(deadline)
    return True


def seal_open(deadline: Deadline) -> None:
    """Seal what was written since the last time, now."""
    settled = timezone.now() - LATE_COMMITS
    for organization_id in _with_open_events(settled):
        if deadline.passed:
            return
        _seal_open(organization_id, settled, deadline)


def breathe() -> None:
    """Between two transactions of a long job: SQLite's lock is unfair, and the web wants its turn (stack.md)."""
    if connection.vendor == "sqlite":
        time.sleep(PAUSE_SECONDS)


def _with_open_events(settled: datetime) -> list[int]:
    """Organizations with events above what was sealed before `settled`."""
    seals = AuditSeal.objects.filter(organization_id=OuterRef("pk"), sealed_at__lt=settled).order_by("-number")
    newer = AuditEvent.objects.filter(organization_id=OuterRef("pk"), pk__gt=OuterRef("floor"))
    floors = Organization.objects.annotate(floor=Coalesce(Subquery(seals.values("through_id")[:1]), 0))
    return list(floors.filter(Exists(newer)).order_by("pk").values_list("pk", flat=True))


def _seal_open(organization_id: int, settled: datetime, deadline: Deadline) -> None:
    older = AuditSeal.objects.filter(organization_id=organization_id, sealed_at__lt=settled).order_by("-number")
    seen, floor = older.values_list("number", "through_id").first() or (0, 0)
    for _ in Chain(organization_id, seen).extend(_ids_after(organization_id, floor)):
        if deadline.passed:
            return


def _ids_after(organization_id: int, last: int) -> Iterator[int]:
    """In pages by key: the table grows under way."""
    events = AuditEvent.objects.filter(organization_id=organization_id).order_by("pk")
    while page := list(events.filter(pk__gt=last).values_list("pk", flat=True)[:BLOCK]):
        yield from page
        last = page[-1]


def _by_blocks(ids: Iterable[int]) -> Iterator[list[int]]:
    left = iter(ids)
    while block := list(islice(left, BLOCK)):
        yield block


class Chain:
    """Appends seals to the chain of an organization, while other workers may do the same.

    Seals up to the number `seen` are known to hold none of the ids to come. Two workers cannot make the same number;
    who comes second looks at what the first has sealed and goes on behind it.
    """

    def __init__(self, organization_id: int, seen: int) -> None:
        self._organization_id = organization_id
        self._seals = AuditSeal.objects.filter(organization_id=organization_id)
        self._seen = seen
        # As runs: a busy quarter of an hour has a million members, and a set of them takes 80 MB.
        self._sealed: list[tuple[int, int, str]] = []

    def extend(self, ids: Iterable[int]) -> Iterator[AuditSeal]:
        """Seal those of the ids that are not sealed yet, in blocks; yields each seal once it is anchored."""
        self._look()
        unsealed = (pk for some in _by_blocks(ids) for pk in self._unsealed(some))
        while block := list(islice(unsealed, BLOCK)):
            seal = self._append(block)
            if seal is not None:
                yield seal

    def _append(self, ids: Sequence[int]) -> AuditSeal | None:
        for _ in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    seal = self._insert(ids)
            except IntegrityError:
                continue
            if seal is not None:
                self._seen = seal.number
                anchors.publish(seal)
                breathe()
            return seal
        return None

    def _look(self) -> None:
        """What others have sealed since we looked last."""
        newer = self._seals.filter(number__gt=self._seen)
        for number, first, members in newer.values_list("number", "first_id", "members"):
            self._seen = max(self._seen, number)
            self._sealed.append((first, last_of(members), members))

    def _unsealed(self, ids: Sequence[int]) -> list[int]:
        least, most = min(ids), max(ids)
        near = (members for first, last, members in self._sealed if first <= most and last >= least)
        sealed = {pk for members in near for pk in unpack(members)}
        return [pk for pk in ids if pk not in sealed]

    def _insert(self, ids: Sequence[int]) -> AuditSeal | None:
        last = self._seals.order_by("-number").first()  # first this, then what was sealed up to it
        self._look()
        wanted = self._unsealed(ids)
        events = AuditEvent.objects.filter(organization_id=self._organization_id, pk__in=wanted).order_by("pk")
        rows = list(events.values_list("pk", "digest"))
        return self._create(last, rows) if rows else None

    def _create(self, last: AuditSeal | None, rows: Sequence[tuple[int, str]]) -> AuditSeal:
        ids = [pk for pk, _ in rows]
        seal = AuditSeal(
            organization_id=self._organization_id,
            number=last.number + 1 if last else 1,
            first_id=ids[0],
            through_id=max(ids[-1], last.through_id if last else 0),
            members=pack(ids),
            root=root_of(digest for _, digest in rows),
            previous=last.head if last else GENESIS,
            sealed_at=timezone.now(),
        )
        seal.head = head_of(audit_key(), seal)
        seal.save(force_insert=True)
        return seal
