"""Storing many records at once: new and known ones alike, without losing what only the target may say."""

from __future__ import annotations

from decimal import Decimal

from syncengine.engine.storing import AT_ONCE, store_records
from syncengine.models import Record
from tests import factories


def test_new_and_known_records_are_stored_together_and_have_their_keys(integration):
    known = factories.RecordFactory(integration=integration, key="V1", title="Old")
    records = [Record(integration=integration, flow="vendors", key=key, title=f"New {key}") for key in ("V1", "V2")]
    store_records(records)
    assert records[0].pk == known.pk
    assert dict(Record.objects.values_list("key", "title")) == {"V1": "New V1", "V2": "New V2"}
    assert Record.objects.get(key="V2").pk == records[1].pk


def test_what_the_target_confirmed_is_never_overwritten(integration):
    confirmed = {"confirmed_fingerprint": "f", "confirmed_target": {"sum": Decimal("1.10")}, "seen_run": 7}
    known = factories.RecordFactory(integration=integration, key="V1", **confirmed)
    store_records([Record(integration=integration, flow="vendors", key="V1", fingerprint="new", target={"sum": 2})])
    after = Record.objects.get(pk=known.pk)
    assert (after.fingerprint, after.target) == ("new", {"sum": 2})
    assert {name: getattr(after, name) for name in confirmed} == confirmed
    assert after.created_at == known.created_at


def test_the_same_key_of_another_flow_or_integration_is_another_record(integration):
    factories.RecordFactory(key="V1", title="Elsewhere")
    factories.RecordFactory(integration=integration, flow="projects", key="V1", title="Project")
    store_records([Record(integration=integration, flow="vendors", key="V1", title="Vendor")])
    assert set(Record.objects.values_list("title", flat=True)) == {"Elsewhere", "Project", "Vendor"}


def test_many_records_need_few_statements(integration, django_assert_max_num_queries):
    records = [Record(integration=integration, flow="vendors", key=f"V{number}") for number in range(AT_ONCE + 1)]
    with django_assert_max_num_queries(AT_ONCE // 10):  # SQLite takes fewer values in one statement
        store_records(records)
    assert Record.objects.count() == AT_ONCE + 1


def test_who_has_seen_a_new_record_is_stored_with_it_and_of_one_that_came_meanwhile_it_is_read(integration):
    factories.RecordFactory(integration=integration, key="V1", seen_run=3)
    records = [Record(integration=integration, flow="vendors", key=key, seen_run=7) for key in ("V1", "V2")]
    store_records(records)
    assert [record.seen_run for record in records] == [3, 7]
    assert dict(Record.objects.values_list("key", "seen_run")) == {"V1": 3, "V2": 7}
