"""Sealing: in blocks, once a minute, next to writers and other sealers, and never the same event twice."""

from __future__ import annotations

import json
import math
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from syncengine import audit
from syncengine.audit import anchors, sealing
from syncengine.audit.digests import GENESIS, trail_of, unpack
from syncengine.audit.guard import removal_allowed
from syncengine.audit.keys import audit_key
from syncengine.audit.sealing import Chain
from syncengine.audit.verification import close, verify
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, AuditSeal, NamedLock
from tests import factories
from tests.audit.trail import anchor_file, blocks_of_four, ids, seal, seals, write

__all__ = ["anchor_file", "blocks_of_four"]

pytestmark = pytest.mark.usefixtures("anchor_file", "blocks_of_four")

MANY = 1_000_000


def members(organization) -> list[list[int]]:
    return [unpack(one.members) for one in seals(organization)]


def age(organization, by: timedelta) -> None:
    """As if the seals had been made earlier; only for what asks no proof."""
    with removal_allowed():
        for one in seals(organization):
            AuditSeal.objects.filter(pk=one.pk).update(sealed_at=one.sealed_at - by)


def held_back(event: AuditEvent) -> AuditEvent:
    """The event as if its transaction were still open: taken away, and given back by save()."""
    pk = event.pk
    with removal_allowed():
        AuditEvent.objects.filter(pk=pk).delete()
    event.pk = pk
    event._state.adding = True
    return event


def test_events_are_sealed_in_blocks_and_chained(organization):
    events = [event.pk for event in write(organization, 10)]
    seal()
    assert members(organization) == [events[:4], events[4:8], events[8:]]
    chain = seals(organization)
    assert [one.number for one in chain] == [1, 2, 3]
    assert [one.previous for one in chain] == [GENESIS, chain[0].head, chain[1].head]
    assert [one.through_id for one in chain] == [events[3], events[7], events[9]]
    assert verify().seals == 3


def test_what_is_sealed_is_not_sealed_again(organization):
    write(organization, 6)
    seal()
    seal()
    more = [event.pk for event in write(organization, 5)]
    seal()
    assert members(organization)[2:] == [more[:4], more[4:]]
    assert verify().ends == {organization.pk: (4, [])}


def test_what_many_have_sealed_takes_little_memory(organization):
    last = write(organization, 1)[0]
    seal()
    with removal_allowed():
        seals_of_all = AuditSeal.objects.filter(organization=organization)
        seals_of_all.update(members=f"{last.pk - MANY}-{last.pk}", first_id=last.pk - MANY)
    new = write(organization, 2)[1].pk
    tracemalloc.start()
    made = list(Chain(organization.pk, 0).extend([new]))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [unpack(one.members) for one in made] == [[new]]
    assert most < MANY  # bytes: less than one for each


def test_each_organization_has_a_chain_of_its_own(organization, elsewhere):
    for _ in range(2):
        write(organization, 1)
        write(elsewhere, 1)
    seal()
    assert members(organization) == [ids(organization)]
    assert members(elsewhere) == [ids(elsewhere)]


def test_an_event_committed_below_sealed_ids_is_sealed_with_the_next(organization):
    late = held_back(write(organization, 3)[1])
    seal()
    assert verify().events == 2
    late.save()
    seal()
    assert members(organization)[1] == [late.pk]
    assert seals(organization)[1].through_id == seals(organization)[0].through_id
    assert verify().ends == {organization.pk: (2, [])}


def test_blocks_that_overlap_are_verified_all_the_same(organization):
    held = [held_back(event) for event in write(organization, 12)[1::3]]
    seal()
    for event in held:
        event.save()
        write(organization, 1)
        seal()
    assert verify().ends == {organization.pk: (6, [])}


def test_an_event_committed_much_too_late_is_sealed_by_verification(organization):
    late = held_back(write(organization, 3)[0])
    seal()
    age(organization, sealing.LATE_COMMITS * 2)
    late.save()
    seal()
    assert len(seals(organization)) == 1
    chain = Chain(organization.pk, 1)
    assert [unpack(made.members) for made in chain.extend([late.pk])] == [[late.pk]]


def test_after_the_time_for_late_commits_old_seals_are_not_looked_at_any_more(organization):
    write(organization, 4)
    seal()
    age(organization, sealing.LATE_COMMITS * 2)
    assert sealing._with_open_events(timezone.now() - sealing.LATE_COMMITS) == []
    new = write(organization, 1)[0].pk
    seal()
    assert members(organization)[1] == [new]


def test_two_sealers_that_know_the_same_seal_each_event_once(organization):
    events = [event.pk for event in write(organization, 6)]
    one, other = Chain(organization.pk, 0), Chain(organization.pk, 0)
    first = one.extend(events)
    next(first)
    assert [unpack(made.members) for made in other.extend(events)] == [events[4:]]
    assert list(first) == []
    assert verify().ends == {organization.pk: (2, [])}


def test_who_finds_the_number_taken_goes_on_behind_it(organization, monkeypatch):
    events = [event.pk for event in write(organization, 6)]
    insert, calls = Chain._insert, []

    def overtaken(chain: Chain, wanted: list[int]) -> AuditSeal | None:
        calls.append(wanted)
        if len(calls) == 1:
            raise IntegrityError  # as the database says when the number is taken
        monkeypatch.setattr(Chain, "_insert", insert)
        list(Chain(organization.pk, 0).extend(events[:2]))
        return insert(chain, wanted)

    chain = Chain(organization.pk, 0)
    monkeypatch.setattr(Chain, "_insert", overtaken)
    assert [unpack(made.members) for made in chain.extend(events)] == [events[2:4], events[4:]]
    assert verify().ends == {organization.pk: (3, [])}


def test_an_event_that_is_gone_before_its_seal_is_not_sealed(organization):
    event = write(organization, 1)[0]
    held_back(event)
    assert list(Chain(organization.pk, 0).extend([event.pk])) == []


class TestTheUnit:
    """`seal_due`, as the engine calls it."""

    def test_seals_once_a_minute_whoever_asks(self, organization):
        write(organization, 1)
        assert audit.seal_due(Deadline(60))
        write(organization, 1)
        assert not audit.seal_due(Deadline(60))
        assert len(seals(organization)) == 1

    def test_is_due_again_after_a_minute(self, db):
        now = timezone.now()
        assert sealing.is_due(now)
        audit.seal_due(Deadline(60))
        audit.retain_due(Deadline(60))
        assert not audit.is_due(timezone.now())
        assert sealing.is_due(now + timedelta(seconds=sealing.SEAL_SECONDS + 5))
        assert audit.is_due(now + timedelta(seconds=sealing.SEAL_SECONDS + 5))

    def test_stops_when_its_time_is_up_and_goes_on_later(self, organization):
        write(organization, 10)
        assert audit.seal_due(Deadline(0))
        assert seals(organization) == []
        NamedLock.objects.all().delete()
        audit.seal_due(Deadline(math.inf))
        assert len(seals(organization)) == 3

    def test_asks_once_for_all_organizations(self, organization, elsewhere, django_assert_max_num_queries):
        with django_assert_max_num_queries(6):  # all but one are for the lock
            audit.seal_due(Deadline(60))


class TestAnchors:
    """Each head leaves the database at once."""

    def test_every_seal_is_a_line(self, organization, anchor_file):
        write(organization, 6)
        seal()
        lines = [json.loads(line) for line in anchor_file.read_text().splitlines()]
        assert [(line["seal"], line["head"], line["through"]) for line in lines] == [
            (one.number, one.head, one.through_id) for one in seals(organization)
        ]
        assert {(line["trail"], line["organization"]) for line in lines} == {(trail_of(audit_key()), organization.pk)}

    def test_the_file_is_only_added_to_and_not_for_everyone_to_read(self, organization, anchor_file):
        anchor_file.parent.mkdir()
        anchor_file.touch(0o640)
        anchor_file.write_text("earlier\n")
        write(organization, 1)
        seal()
        assert anchor_file.read_text().startswith("earlier\n")
        assert anchor_file.stat().st_mode & 0o007 == 0

    def test_each_head_is_logged(self, organization, caplog):
        caplog.set_level("INFO")
        write(organization, 1)
        seal()
        assert seals(organization)[0].head in caplog.text

    def test_a_file_that_cannot_be_written_stops_nothing_and_is_logged(self, organization, settings, tmp_path, caplog):
        settings.AUDIT_ANCHOR = tmp_path
        write(organization, 1)
        seal()
        (made,) = seals(organization)
        assert "audit_anchor_not_written" in caplog.text
        assert made.head in caplog.text

    def test_no_file_means_no_anchors(self, anchor_file, db):
        assert anchors.read().of(1) == {}

    def test_a_seal_made_elsewhere_is_anchored_here_by_verification(self, organization, anchor_file):
        write(organization, 1)
        seal()
        anchor_file.unlink()
        assert verify().without_anchors == [organization.pk]
        close(verify())
        assert anchors.read().of(organization.pk)[1].head == seals(organization)[0].head


@pytest.mark.django_db(transaction=True)
def test_writers_and_sealers_side_by_side_leave_one_chain_of_all_events(organization):
    factories.IntegrationFactory(organization=organization)
    written = threading.Event()
    with ThreadPoolExecutor(5) as pool:
        others = [pool.submit(until, written, deed) for deed in (seal, seal, lambda: close(verify()))]
        writers = [pool.submit(in_thread, lambda: write(organization, 2), 15) for _ in range(2)]
        for writer in writers:
            writer.result(60)
        written.set()
        for other in others:
            other.result(60)
    close(verify())
    sealed = [pk for block in members(organization) for pk in block]
    assert sorted(sealed) == ids(organization)
    assert len(sealed) == 60


def in_thread(deed: Callable[[], object], times: int) -> None:
    try:
        for _ in range(times):
            deed()
    finally:
        connection.close()


def until(end: threading.Event, deed: Callable[[], object]) -> None:
    while not end.is_set():
        in_thread(deed, 1)
