"""Verification: the whole chain, computed again on one snapshot and compared with the anchors."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from syncengine.audit import anchors
from syncengine.audit.anchors import Anchor, Anchors
from syncengine.audit.digests import COLUMNS, GENESIS, head_of, is_genuine, root_of, tombstone_of, unpack
from syncengine.audit.keys import audit_key
from syncengine.audit.sealing import Chain
from syncengine.models import AuditEvent, AuditSeal
from tenants.models import Organization

PAGE = 1000
BELOW_ALL = -(2**63) - 1  # an id that somebody inserts may be negative
UNREADABLE = (ValueError, TypeError, AttributeError)
Row = tuple[Any, ...]


class BadPlace(Exception):
    """The first place where the trail is not what was written."""

    def __init__(
        self, organization_id: Any, problem: str, *, event: int | None = None, seal: int | None = None
    ) -> None:
        super().__init__(problem)
        self.organization_id = organization_id
        self.problem = problem
        self.event = event
        self.seal = seal


@dataclass
class Verified:
    """What was found in order: numbers of events and seals, and per organization its last seal and open events."""

    events: int = 0
    seals: int = 0
    ends: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    unreadable_anchors: list[int] = field(default_factory=list)
    without_anchors: list[int] = field(default_factory=list)


def verify(organization_id: int | None = None) -> Verified:
    """Compute everything again, of one organization or of all. Raises BadPlace at the first that does not fit."""
    # The file is read first: a seal is anchored after its commit, so the snapshot holds every seal named there.
    known = anchors.read()
    done = Verified(unreadable_anchors=known.unreadable)
    with snapshot():
        for one in [organization_id] if organization_id else _organizations(known):
            last = _check_chain(one, known.of(one))
            counted, open_ids = _check_events(one)
            done.events += counted
            done.seals += last
            done.ends[one] = (last, open_ids)
            if last and not known.of(one):
                done.without_anchors.append(one)
    return done


def close(verified: Verified) -> int:
    """Seal and anchor what verification found open, so that it cannot vanish any more: how many new seals.

    Raises OSError when an anchor cannot be written.
    """
    made = 0
    for organization_id, (last, open_ids) in verified.ends.items():
        made += sum(1 for _ in Chain(organization_id, last).extend(open_ids))
    _anchor_ends(verified)
    return made


def _anchor_ends(verified: Verified) -> None:
    """The last seal of each chain is anchored, though the machine that made it may have failed to."""
    known = anchors.read()
    for organization_id in verified.ends:
        last = AuditSeal.objects.filter(organization_id=organization_id).order_by("-number").first()
        if last is not None and last.number not in known.of(organization_id):
            anchors.write(last)


@contextmanager
def snapshot() -> Iterator[None]:
    """One state of the database for all reads inside, while others write; in a transaction already, that one."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        # Not atomic(): that would be a writer's transaction (IMMEDIATE) and hold up every other writer.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _organizations(known: Anchors) -> list[int]:
    """Every organization that has a trail, deleted ones too."""
    of_events = set(AuditEvent.objects.order_by().values_list("organization_id", flat=True).distinct())
    of_seals = set(AuditSeal.objects.order_by().values_list("organization_id", flat=True).distinct())
    for strange in (one for one in of_events if not isinstance(one, int)):  # SQLite takes any text
        rows = AuditEvent.objects.values_list("pk", "organization_id")
        pk = min(pk for pk, organization_id in rows if organization_id == strange)
        raise BadPlace(strange, f"Event {pk} was altered.", event=pk)
    return sorted(of_events | of_seals | set(known.by_organization))


def _check_chain(organization_id: int, known: dict[int, Anchor]) -> int:
    """The seals, one after the other; returns the number of the last."""
    number, previous = 0, GENESIS
    for seal in _seals(organization_id, "number"):
        if seal.number != number + 1:
            raise BadPlace(organization_id, f"Seal {number + 1} was removed.", seal=number + 1)
        check_seal(seal, previous)
        anchor = known.get(seal.number)
        if anchor is not None and anchor.head != seal.head:
            raise BadPlace(
                organization_id, f"Seal {seal.number} is not the one of line {anchor.line} of the anchors.",
                seal=seal.number,
            )  # fmt: skip
        number, previous = seal.number, seal.head
    if missing := [anchor for anchor in known.values() if anchor.number > number]:
        first = min(missing, key=lambda anchor: anchor.number)
        raise BadPlace(
            organization_id,
            f"Seal {first.number}, named in line {first.line} of the anchors, was removed with its events up to "
            f"{first.through_id}.",
            seal=first.number,
        )
    return number


def check_seal(seal: AuditSeal, previous: str) -> None:
    """One seal by itself: nothing in it was changed, and when it says purged, we did it."""
    genuine = seal.previous == previous and seal.head == head_of(audit_key(), seal)
    tombstone = tombstone_of(audit_key(), seal.head, seal.purged_at) if seal.purged_at else ""
    if not genuine or seal.tombstone != tombstone:
        raise BadPlace(seal.organization_id, f"Seal {seal.number} was altered.", seal=seal.number)


def check_block(seal: AuditSeal) -> list[Row]:
    """The events of one seal, every one of them there and unaltered: rows of COLUMNS. Raises BadPlace."""
    found = {row[0]: row for row in _rows(AuditEvent.objects.filter(pk__in=unpack(seal.members)), seal.organization_id)}
    members = _Members(seal)
    for pk in members.ids:
        if pk not in found:
            raise _removed(seal, pk)
        members.meet(found[pk])
    return [found[pk][:-1] for pk in members.ids]


def _check_events(organization_id: int) -> tuple[int, list[int]]:
    """Every event against its digest and its seal, in the order of ids: how many, and those not sealed yet."""
    sealed = _sealed(organization_id)
    expected = next(sealed, None)
    counted, open_ids = 0, []
    for row in _rows(AuditEvent.objects.filter(organization_id=organization_id), organization_id):
        counted += 1
        while expected and expected[0] < row[0]:
            expected[1].miss(expected[0])
            expected = next(sealed, None)
        if expected and expected[0] == row[0]:
            expected[1].meet(row)
            expected = next(sealed, None)
        elif is_genuine(audit_key(), row[:-1], row[-1]):
            open_ids.append(row[0])
        else:
            raise BadPlace(organization_id, f"Event {row[0]} was inserted, or altered before its seal.", event=row[0])
    while expected:
        expected[1].miss(expected[0])
        expected = next(sealed, None)
    return counted, open_ids


def _rows(events: QuerySet[AuditEvent], organization_id: int) -> Iterator[Row]:
    """COLUMNS and digest of each event, by id.

    In pages by key, not through a cursor: one left open by BadPlace would be closed by the garbage collector, at a time
    when psycopg may hold the very lock that closing needs.
    """
    rows, last = events.order_by("pk"), BELOW_ALL
    while pks := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:PAGE]):
        yield from _page(rows, pks, organization_id)
        last = pks[-1]


def _page(events: QuerySet[AuditEvent], pks: list[int], organization_id: int) -> Iterable[Row]:
    rows = events.filter(pk__range=(pks[0], pks[-1])).values_list(*COLUMNS, "digest")
    try:
        return list(rows)
    except UNREADABLE:
        return (_row(rows, pk, organization_id) for pk in pks)


def _row(rows: Any, pk: int, organization_id: int) -> Row:
    """One row; that it cannot even be read is a bad place."""
    try:
        row: Row = rows.get(pk=pk)
    except UNREADABLE as error:
        raise BadPlace(organization_id, f"Event {pk} was altered: it cannot be read.", event=pk) from error
    return row


class _Members:
    """A seal and what was met of its events so far."""

    def __init__(self, seal: AuditSeal) -> None:
        self.seal = seal
        self.ids = unpack(seal.members)
        self._digests: list[str] = []

    def meet(self, row: Row) -> None:
        """The next of its events is there."""
        pk, digest = row[0], row[-1]
        where = {"event": pk, "seal": self.seal.number}
        if self.seal.purged_at:
            raise BadPlace(self.seal.organization_id, f"Event {pk} was inserted: its seal was purged.", **where)
        if not is_genuine(audit_key(), row[:-1], digest):
            raise BadPlace(self.seal.organization_id, f"Event {pk} of seal {self.seal.number} was altered.", **where)
        self._digests.append(digest)
        if pk == self.ids[-1] and root_of(self._digests) != self.seal.root:
            number = self.seal.number
            raise BadPlace(self.seal.organization_id, f"The events of seal {number} are not those sealed.", seal=number)

    def miss(self, pk: int) -> None:
        """The next of its events is not there."""
        if not self.seal.purged_at:
            raise _removed(self.seal, pk)


def _removed(seal: AuditSeal, pk: int) -> BadPlace:
    return BadPlace(
        seal.organization_id, f"Event {pk} of seal {seal.number} was removed.", event=pk, seal=seal.number
    )  # fmt: skip


def _sealed(organization_id: int) -> Iterator[tuple[int, _Members]]:
    """Every sealed id in ascending order with its seal; in memory are only seals that overlap."""
    waiting: list[tuple[int, int, _Members]] = []
    for seal in _seals(organization_id, "first_id"):
        while waiting and waiting[0][0] < seal.first_id:
            pk, _, members = heapq.heappop(waiting)
            yield pk, members
        members = _Members(seal)
        for pk in members.ids:
            heapq.heappush(waiting, (pk, seal.number, members))
    while waiting:
        pk, _, members = heapq.heappop(waiting)
        yield pk, members


def _seals(organization_id: int, key: str) -> Iterator[AuditSeal]:
    """All seals in the order of `key`, which no two of them share."""
    seals, last = AuditSeal.objects.filter(organization_id=organization_id).order_by(key), BELOW_ALL
    while page := list(seals.filter(**{f"{key}__gt": last})[:PAGE]):
        yield from page
        last = getattr(page[-1], key)


def name_of(organization_id: Any) -> str:
    """The slug of an organization, or its number once it is deleted."""
    slug = Organization.objects.filter(pk=organization_id).values_list("slug", flat=True).first()
    return slug or str(organization_id)
