"""Rows put in at once are as the ORM would have put them in, on either database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from syncengine.models import AttemptItem, Call, Record, RecordStatus, bulk
from tests import factories

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
FULL: dict[str, Any] = {
    "title": "Ääkkönen \"quoted\" \\u0041 \n 100 % 'x' \N{PARTY POPPER}",
    "status": RecordStatus.FAILED,
    "flags": ["a", 'b"c'],
    "notes": [],
    "amount": Decimal("1234567890123.450000"),
    "next_attempt_at": MOMENT,
    "source": {"sum": Decimal("100.10"), "text": "null \0 \ud800", "list": [1, None, True]},
    "target": None,
    "target_keys": {"external_code": "ä", "number": 7},
    "problems": [{"path": "x", "message": "ü"}],
    "wishes": None,
    "active": False,
    "next_edge": date(2026, 12, 1),
    "attempts": 3,
    "pinned_version": None,
}


def twin(integration: Any, key: str) -> Record:
    return Record(integration=integration, flow="vendors", key=key, **FULL)


def values(key: str) -> dict[str, Any]:
    row = Record.objects.values().get(key=key)
    return {name: value for name, value in row.items() if name not in ("id", "key", "created_at", "updated_at")}


def test_every_kind_of_column_is_as_the_orm_writes_it(integration):
    bulk.insert([twin(integration, "bulk")])
    twin(integration, "orm").save()
    assert values("bulk") == values("orm")


def test_times_of_making_and_changing_are_stamped(integration):
    record = twin(integration, "V1")
    bulk.insert([record])
    stored = Record.objects.get(key="V1")
    assert stored.created_at == stored.updated_at == record.updated_at


def test_what_is_inserted_is_known_to_be_stored(integration):
    record = twin(integration, "V1")
    bulk.insert([record])
    assert not record._state.adding


def test_only_the_changed_fields_of_a_known_row_are_set(integration):
    known = factories.RecordFactory(integration=integration, flow="vendors", key="V1", title="old", party="kept")
    new = Record(integration=integration, flow="vendors", key="V1", title="new", party="other")
    bulk.insert([new], unique=("integration", "flow", "key"), changed=("title",))
    known.refresh_from_db()
    assert (known.title, known.party) == ("new", "kept")


def test_a_row_that_is_there_already_is_refused_unless_it_may_change(integration):
    factories.RecordFactory(integration=integration, flow="vendors", key="V1")
    with pytest.raises(IntegrityError):
        bulk.insert([twin(integration, "V1")])


def test_more_rows_than_fit_into_one_statement_all_arrive(integration, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    bulk.insert([twin(integration, f"V{number}") for number in range(5)])
    assert Record.objects.count() == 5


def test_no_rows_need_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.insert([])


def test_rows_with_a_key_of_their_own_keep_it(integration):
    record = twin(integration, "V1")
    record.pk = 4711
    bulk.insert([record])
    assert Record.objects.get(key="V1").pk == 4711


def test_links_and_long_texts_are_kept(integration):
    record = factories.RecordFactory(integration=integration)
    attempt = factories.AttemptFactory(integration=integration)
    bulk.insert([AttemptItem(attempt=attempt, record=record, fingerprint="f", external_codes=["a", "b"])])
    body = '{"name": "ä"}' * 10_000
    call = Call(
        integration=integration, system="basware", attempt=attempt, method="POST", url="https://x/?a=%20",
        outcome="ok", started_at=MOMENT, duration_ms=7, request_headers={"A": "b"}, request_body=body,
    )  # fmt: skip
    bulk.insert([call])
    item, stored = AttemptItem.objects.get(), Call.objects.get()
    assert (item.record_id, item.external_codes) == (record.pk, ["a", "b"])
    assert (stored.request_body, stored.started_at, stored.status, stored.attempt_id) == (
        body,
        MOMENT,
        None,
        attempt.pk,
    )
