"""One row changed by one statement, which says itself whether the row is as it is thought to be."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from syncengine.models import Record, single
from tests import factories

LEASE = {"status": "in_progress", "lease_owner": "me"}


@pytest.fixture
def record(integration) -> Record:
    found: Record = factories.RecordFactory(integration=integration, **LEASE, next_attempt_at=None)
    return found


def test_the_named_fields_are_written_as_the_orm_would_and_no_others(record, django_assert_num_queries):
    record.memo, record.flags, record.failed_at, record.title = (
        {"net": Decimal("10.10")},
        ["odd"],
        timezone.now(),
        "new",
    )
    before = Record.objects.get(pk=record.pk).title
    with django_assert_num_queries(1):
        assert single.update(record, ["memo", "flags", "failed_at", "pinned_version"], LEASE)
    after = Record.objects.get(pk=record.pk)
    assert (after.memo, after.flags, after.failed_at, after.title) == (
        record.memo, record.flags, record.failed_at, before,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("still", "written"),
    [
        ({}, True),
        (LEASE, True),
        ({"next_attempt_at": None}, True),
        ({**LEASE, "lease_owner": "another"}, False),
        ({"pinned_version": 3}, False),
        ({"lease_expires_at": timezone.now()}, False),
    ],
)
def test_a_row_that_says_something_else_is_left_alone(record, still, written):
    record.stage = "posted"
    assert single.update(record, ["stage"], still) is written
    assert Record.objects.get(pk=record.pk).stage == ("posted" if written else "received")


def test_a_row_that_is_gone_is_not_written(record):
    Record.objects.filter(pk=record.pk).delete()
    assert not single.update(record, ["stage"], {})


def test_a_statement_with_none_is_not_taken_for_the_one_with_a_value(record):
    assert single.update(record, ["stage"], {"next_attempt_at": None})
    assert not single.update(record, ["stage"], {"next_attempt_at": timezone.now()})
    assert single.update(record, ["stage"], {"next_attempt_at": None})
