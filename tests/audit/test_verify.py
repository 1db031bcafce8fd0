"""Any single change, removal or insertion anywhere in the trail is found and named."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError
from django.db import connection, transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from syncengine.audit.digests import COLUMNS, canonical, event_digest, head_of, root_of, unpack
from syncengine.audit.guard import drop_triggers
from syncengine.audit.keys import audit_key
from syncengine.audit.verification import close, snapshot, verify
from syncengine.models import AuditEvent, AuditSeal
from tests.audit.trail import anchor_file, bad_place, blocks_of_four, ids, seal, seals, trail, verify_audit, write

__all__ = ["anchor_file", "blocks_of_four", "trail"]

hands_on = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
keys = st.integers(1, 2**31)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # it adds the zone
VALUES = {
    "id": st.integers(10**6, 10**9), "organization_id": keys, "integration_id": st.none() | keys,
    "record_id": st.none() | keys, "run_id": st.none() | keys, "actor": texts, "action": texts, "message": texts,
    "data": st.dictionaries(texts, st.none() | st.integers(-(10**9), 10**9) | texts, max_size=3), "created_at": moments,
    "digest": texts,
}  # fmt: skip
SEAL_VALUES = {
    "organization_id": st.integers(10**6, 10**9), "number": st.integers(1, 10**6), "first_id": keys, "through_id": keys,
    "members": st.sets(keys, min_size=1).map(lambda found: ",".join(map(str, sorted(found)))), "root": texts,
    "previous": texts, "head": texts, "sealed_at": moments, "purged_at": moments, "tombstone": texts.filter(bool),
}  # fmt: skip


@pytest.fixture
def at_the_mercy(trail):
    """The trail when somebody has dropped the triggers."""
    drop_triggers(connection)
    return trail


@contextmanager
def undone():
    """What is done inside is undone, so that each example begins with the same trail."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_an_untouched_trail_is_well(trail):
    done = verify()
    assert (done.events, done.seals) == (15, 6)
    assert done.ends[trail.pk] == (3, ids(trail)[-2:])


def test_the_values_of_this_test_cover_every_column():
    assert set(VALUES) == {*COLUMNS, "digest"}
    assert {*SEAL_VALUES, "id"} == {field.attname for field in AuditSeal._meta.concrete_fields}


@hands_on
@given(data=st.data())
@pytest.mark.parametrize("column", VALUES)
def test_any_change_of_any_column_is_found_and_named(column, data, at_the_mercy):
    pk = data.draw(st.sampled_from(ids(at_the_mercy)), "event")
    value = data.draw(VALUES[column], "value")
    event = AuditEvent.objects.filter(pk=pk)
    old = event.values_list(column, flat=True).get()
    assume(canonical(value) != canonical(old) if column == "data" else value != old)
    with undone():
        event.update(**{column: value})
        bad = bad_place()
    assert bad.event in [pk, value]
    assert f"Event {bad.event} " in bad.problem


@hands_on
@given(data=st.data())
def test_any_removal_is_found_and_the_first_is_named(data, at_the_mercy):
    sealed = ids(at_the_mercy)[:-2]
    gone = data.draw(st.sets(st.sampled_from(sealed), min_size=1))
    with undone():
        AuditEvent.objects.filter(pk__in=gone).delete()
        bad = bad_place(at_the_mercy)
    assert bad.event == min(gone)
    assert bad.problem.endswith("was removed.")


@hands_on
@given(data=st.data())
def test_any_insertion_is_found_and_named(data, at_the_mercy, elsewhere):
    event = AuditEvent.objects.get(pk=data.draw(st.sampled_from(ids(at_the_mercy)), "copied"))
    columns = {column: getattr(event, column) for column in VALUES}
    columns["id"] = data.draw(st.integers(10**6, 10**9) | st.integers(-(2**63), 0), "new id")
    columns["organization_id"] = data.draw(st.sampled_from([at_the_mercy.pk, elsewhere.pk]), "organization")
    with undone():
        insert(columns)
        bad = bad_place()
    assert bad.event == columns["id"]
    assert "inserted" in bad.problem


def insert(columns) -> None:
    """A row as SQL puts it there, past everything of ours."""
    given = {**columns, "data": json.dumps(columns["data"])}
    names, places = ", ".join(given), ", ".join(["%s"] * len(given))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO syncengine_audit_event ({names}) VALUES ({places})", list(given.values())
        )  # fmt: skip


@hands_on
@given(data=st.data())
@pytest.mark.parametrize("column", SEAL_VALUES)
def test_any_change_of_a_seal_is_found_and_named(column, data, at_the_mercy):
    number = data.draw(st.sampled_from([1, 2, 3]), "seal")
    value = data.draw(SEAL_VALUES[column], "value")
    row = AuditSeal.objects.filter(organization=at_the_mercy, number=number)
    assume(value != row.values_list(column, flat=True).get())
    assume(column != "number" or value > 3)
    with undone():
        row.update(**{column: value})
        bad = bad_place(at_the_mercy)
    assert bad.seal == number


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("with_events", [False, True])
def test_a_removed_seal_is_found_with_or_without_its_events(number, with_events, at_the_mercy):
    row = AuditSeal.objects.get(organization=at_the_mercy, number=number)
    if with_events:
        AuditEvent.objects.filter(pk__in=unpack(row.members)).delete()
    row.delete()
    bad = bad_place(at_the_mercy)
    assert bad.seal == number
    assert f"Seal {number}" in bad.problem


def test_seals_cannot_change_places(at_the_mercy):
    two = AuditSeal.objects.filter(organization=at_the_mercy, number=2)
    two.update(number=9)
    AuditSeal.objects.filter(organization=at_the_mercy, number=3).update(number=2)
    AuditSeal.objects.filter(organization=at_the_mercy, number=9).update(number=3)
    assert bad_place(at_the_mercy).seal == 2


def test_a_tail_that_was_removed_with_its_seals_is_known_from_the_anchors(at_the_mercy):
    last = seals(at_the_mercy)[-1]
    AuditEvent.objects.filter(organization=at_the_mercy, pk__gte=last.first_id).delete()
    last.delete()
    bad = bad_place()
    assert bad.problem == (
        f"Seal 3, named in line 5 of the anchors, was removed with its events up to {last.through_id}."
    )


def test_a_trail_that_was_removed_whole_is_known_from_the_anchors(at_the_mercy):
    AuditEvent.objects.all().delete()
    AuditSeal.objects.all().delete()
    assert bad_place().seal == 1


def test_a_tail_that_was_written_again_does_not_fit_the_anchors(at_the_mercy):
    last = seals(at_the_mercy)[-1]
    AuditEvent.objects.filter(organization=at_the_mercy, pk__gte=last.first_id).delete()
    last.delete()
    write(at_the_mercy, 3)
    seal()
    assert bad_place(at_the_mercy).problem == "Seal 3 is not the one of line 5 of the anchors."


def test_even_who_has_the_key_cannot_rewrite_what_is_anchored(at_the_mercy):
    last = seals(at_the_mercy)[-1]
    pk = last.through_id
    AuditEvent.objects.filter(pk=pk).update(message="never happened")
    row = AuditEvent.objects.values_list(*COLUMNS).get(pk=pk)
    AuditEvent.objects.filter(pk=pk).update(digest=event_digest(audit_key(), row))
    members = AuditEvent.objects.filter(pk__in=unpack(last.members)).order_by("pk")
    assert bad_place().problem == "The events of seal 3 are not those sealed."
    last.root = root_of(members.values_list("digest", flat=True))
    AuditSeal.objects.filter(pk=last.pk).update(root=last.root, head=head_of(audit_key(), last))
    assert bad_place().seal == 3


@pytest.mark.parametrize("column", ["organization_id", "record_id", "actor", "data", "created_at", "digest"])
@pytest.mark.parametrize("value", ["garbage", b"bytes", "", 4.5])
def test_what_cannot_even_be_read_is_named(column, value, at_the_mercy):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite takes values of another type")
    pk = ids(at_the_mercy)[4]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE syncengine_audit_event SET {column} = %s WHERE id = %s", [value, pk])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert bad_place().event == pk


def test_one_organization_can_be_verified_by_itself(at_the_mercy, elsewhere):
    AuditEvent.objects.filter(pk=ids(elsewhere)[0]).update(message="another")
    assert verify(at_the_mercy.pk).events == 11
    assert bad_place(elsewhere).event == ids(elsewhere)[0]


def test_what_was_found_open_is_sealed_and_anchored(trail, anchor_file):
    lines = anchor_file.read_text().count("\n")
    assert close(verify()) == 2
    assert anchor_file.read_text().count("\n") == lines + 2
    assert list(verify().ends.values()) == [(4, []), (4, [])]
    drop_triggers(connection)
    gone = ids(trail)[-1]
    AuditEvent.objects.filter(pk=gone).delete()
    assert bad_place().event == gone


def test_an_anchor_that_could_not_be_written_is_made_up_for(trail, anchor_file):
    anchor_file.write_text("")
    close(verify())
    anchored = [json.loads(line) for line in anchor_file.read_text().splitlines()]
    assert {(line["organization"], line["seal"]) for line in anchored} >= {(trail.pk, 4)}
    done = verify()
    assert done.without_anchors == []


def test_anchors_of_another_database_are_passed_over(trail, anchor_file):
    line = {"trail": "another", "organization": trail.pk, "seal": 99, "through": 1, "head": "f" * 64}
    with anchor_file.open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert verify().seals == 6


@pytest.mark.parametrize("line", ["", "{", "[]", "7", '{"trail": "x"', "null", "\x00"])
def test_a_line_that_is_no_anchor_is_reported_and_does_not_stop_the_proof(line, trail, anchor_file):
    with anchor_file.open("a") as file:
        file.write(line + "\n")
    assert verify().unreadable_anchors == [7]


class TestCommand:
    """`verify_audit`, as others call it."""

    def test_it_counts_and_seals_when_all_is_well(self, trail):
        said, errors = verify_audit()
        assert said == {"ok": True, "organizations": 2, "events": 15, "seals": 8}
        assert errors == ""

    def test_a_second_time_finds_nothing_to_seal(self, trail):
        assert verify_audit() == verify_audit()

    def test_an_empty_portal_is_well(self, db, anchor_file):
        assert verify_audit()[0] == {"ok": True, "organizations": 0, "events": 0, "seals": 0}

    def test_the_first_bad_place_is_named_by_slug_event_and_seal(self, at_the_mercy):
        pk = ids(at_the_mercy)[4]
        AuditEvent.objects.filter(pk=pk).update(actor="eve@example.com")
        said, errors = verify_audit("--organization", "nordic-paper")
        problem = f"Event {pk} of seal 2 was altered."
        assert said == {"ok": False, "organization": "nordic-paper", "event": pk, "seal": 2, "problem": problem}
        assert errors == f"nordic-paper: {problem}\n"

    def test_nothing_is_sealed_when_something_is_wrong(self, at_the_mercy):
        AuditEvent.objects.filter(pk=ids(at_the_mercy)[0]).update(actor="eve@example.com")
        verify_audit()
        assert len(seals(at_the_mercy)) == 3

    def test_another_organization_is_left_open(self, trail, elsewhere):
        verify_audit("--organization", "nordic-paper")
        assert (len(seals(trail)), len(seals(elsewhere))) == (4, 3)

    def test_an_unknown_organization_is_an_error(self, db):
        with pytest.raises(CommandError, match="no organization 'nowhere'"):
            verify_audit("--organization", "nowhere")

    def test_anchors_that_cannot_be_read_are_an_error(self, trail, settings, tmp_path):
        settings.AUDIT_ANCHOR = tmp_path
        with pytest.raises(CommandError, match="cannot be read"):
            verify_audit()

    def test_anchors_that_cannot_be_written_are_an_error(self, trail, settings, tmp_path):
        (tmp_path / "file").touch()
        settings.AUDIT_ANCHOR = tmp_path / "file" / "anchors.jsonl"
        with pytest.raises(CommandError, match="cannot be written"):
            verify_audit()

    def test_missing_and_damaged_anchors_are_told(self, trail, anchor_file):
        anchor_file.write_text("damaged\n")
        _, errors = verify_audit()
        assert f"Line 1 of {anchor_file} is no anchor." in errors
        assert f"{anchor_file} has no anchor of nordic-paper" in errors

    def test_no_secret_and_no_content_is_told(self, at_the_mercy):
        AuditEvent.objects.filter(pk=ids(at_the_mercy)[0]).update(message="canary-4711")
        said, errors = verify_audit()
        assert "canary" not in json.dumps(said) + errors
        assert audit_key().hex() not in json.dumps(said) + errors


@pytest.mark.django_db(transaction=True)
def test_the_snapshot_neither_sees_nor_stops_writers(organization, anchor_file):
    write(organization, 3)
    wrote = threading.Event()

    def writer() -> None:
        try:
            write(organization, 2)
            seal()
            wrote.set()
        finally:
            connection.close()

    with snapshot():
        before = AuditEvent.objects.count()
        thread = threading.Thread(target=writer)
        thread.start()
        assert wrote.wait(10), "the writer had to wait for the verification"
        thread.join()
        assert AuditEvent.objects.count() == before == 3
    assert AuditEvent.objects.count() == 5
    assert verify().events == 5


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_ends_with_its_block_also_after_an_error(organization):
    with pytest.raises(KeyError), snapshot():
        raise KeyError
    with snapshot():
        assert not connection.in_atomic_block or connection.vendor == "postgresql"
    write(organization, 1)


def test_a_change_of_a_microsecond_is_a_change(at_the_mercy):
    event = AuditEvent.objects.get(pk=ids(at_the_mercy)[0])
    AuditEvent.objects.filter(pk=event.pk).update(created_at=event.created_at + timedelta(microseconds=1))
    assert bad_place().event == event.pk
