"""The mathematics of the trail: the same event has the same digest wherever it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.audit import record_event
from syncengine.audit.digests import (
    canonical,
    event_digest,
    is_genuine,
    moment,
    pack,
    root_of,
    tombstone_of,
    trail_of,
    unpack,
)
from syncengine.audit.verification import verify
from syncengine.models import AuditEvent

KEY = bytes(range(32))
ROW = (
    7,
    1,
    2,
    None,
    4,
    "anna@example.com",
    "record.replayed",
    "mended",
    {"count": 3},
    datetime(2026, 5, 4, tzinfo=UTC),
)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(texts.filter(str.isidentifier), documents, max_size=4), message=texts)
def test_whatever_is_written_reads_back_as_it_was_digested(data, message, organization):
    event = AuditEvent(
        organization=organization, actor="system", action="x", message=message, data=data,
        created_at=datetime.now(UTC),
    )  # fmt: skip
    event.save()
    verify(organization.pk)
    assert AuditEvent.objects.get(pk=event.pk).digest == event.digest


def test_keys_that_are_no_text_are_digested_as_they_will_be_read_back(organization):
    record_event(organization, "system", "x", counts={1: "one", None: "none"}, pair=(1, 2))
    assert verify(organization.pk).events == 1


@pytest.mark.parametrize("position", range(len(ROW)))
def test_every_column_counts(position):
    other = list(ROW)
    other[position] = {5: "eve", 6: "x", 7: "", 8: {}, 9: ROW[9] + timedelta(microseconds=1)}.get(position, 99)
    assert event_digest(KEY, other) != event_digest(KEY, ROW)


def test_the_key_counts():
    assert event_digest(bytes(32), ROW) != event_digest(KEY, ROW)


def test_the_form_of_a_digest_never_changes():
    assert event_digest(KEY, ROW) == "ff8a85c0fe7f0436c8e3f46d36212aba31e23f0192003266ee0a2e33a5d088d1"


def test_text_cannot_slide_from_one_column_to_the_next():
    one, two = list(ROW), list(ROW)
    one[6:8], two[6:8] = ['a" "b', "c"], ["a", 'b" "c']
    assert event_digest(KEY, one) != event_digest(KEY, two)


@pytest.mark.parametrize(
    ("one", "same"),
    [(1e5, 100000), (1.0, 1), (-0.0, 0), (1e22, 10**22), ({"b": 1, "a": 2}, {"a": 2, "b": 1}), (1.5e300, 15 * 10**299)],
)
def test_what_databases_write_differently_is_the_same(one, same):
    assert canonical(one) == canonical(same)


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (None, "null"), ("1", 1), ([], {}), (0.1, 0.10001)])
def test_what_means_something_else_is_not_the_same(one, other):
    assert canonical(one) != canonical(other)


def test_the_same_moment_is_the_same_in_every_zone():
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert moment(noon.astimezone(timezone(timedelta(hours=3)))) == moment(noon) == "2026-05-04T12:00:00.000000+00:00"


@pytest.mark.parametrize("value", [None, b"bytes", 7])
def test_a_row_no_writer_of_ours_makes_is_not_genuine(value):
    row = list(ROW)
    row[5] = value
    assert not is_genuine(KEY, row, event_digest(KEY, ROW))


@given(st.sets(st.integers(1, 400), min_size=1))
def test_members_are_packed_without_loss(members):
    assert unpack(pack(sorted(members))) == sorted(members)


def test_members_in_a_row_take_no_space():
    assert pack([*range(17, 517), 600, 602, 603]) == "17-516,600,602-603"


def test_digests_of_different_things_never_meet():
    head = "f" * 64
    assert len({tombstone_of(KEY, head, ROW[9]), trail_of(KEY), root_of([head]), event_digest(KEY, ROW)}) == 4
