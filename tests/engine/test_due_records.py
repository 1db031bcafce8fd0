"""What is due or open is found by its index, however many records there are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from syncengine.engine import pending
from syncengine.engine.records import finish_if_settled
from syncengine.models import Record, RecordStatus
from tests import factories


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a small table whole, and is right to")
def test_due_records_are_found_by_their_indexes(db):
    now = timezone.now()
    plan = Record.objects.filter(pending.due_records(now)).filter(pending.may_call(now)).explain()
    assert "record_due" in plan
    assert "record_leased" in plan
    assert "SCAN" not in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a small table whole, and is right to")
def test_whether_a_run_is_settled_is_known_without_reading_its_records(db):
    run = factories.RunFactory(status="settling", all_sent=True)
    plans = []

    def explained(execute, sql, params, many, context):
        if 'FROM "syncengine_record"' in sql:
            with connection.cursor() as cursor:  # as it is asked: what is a parameter stays one
                plans.append(str(cursor.cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        finish_if_settled(run.pk)
    [plan] = plans
    assert "record_open_of_run" in plan


def test_words_spelled_out_are_looked_for_like_others(db):
    words = (RecordStatus.PENDING, RecordStatus.WAITING)
    spelled = Record.objects.filter(status__spelled_in=words)
    assert "IN ('pending', 'waiting')" in str(spelled.query)
    assert list(spelled) == list(Record.objects.filter(status__in=words))


@pytest.mark.parametrize("word", ["it's", "", "a b", "x');--"])
def test_what_is_no_plain_word_is_not_spelled_out(db, word):
    with pytest.raises(ValueError, match="plain words"):
        list(Record.objects.filter(status__spelled_in=[word]))
