"""How far a run is, by its counts: what is done of what, how fast, and how long still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.templatetags.run_ui import rate_words, span_words
from portal.views.run_progress import linked_counts, progress_of
from syncengine.models import Run
from tests.factories import NOON


def run(**fields):
    return Run(
        **{"pk": 7, "flow": "vendors", "status": "running", "started_at": NOON - timedelta(seconds=10), **fields}
    )


def test_a_run_that_reads_tells_its_rate_and_the_time_that_is_left():
    found = progress_of(run(read=400, expected=1000), NOON)
    assert (found.deed, found.done, found.of, found.about, found.percent) == ("read", 400, 1000, True, 40)
    assert found.rate == 40
    assert found.remaining == timedelta(seconds=15)


def test_while_nobody_knows_how_many_there_are_no_time_is_promised():
    found = progress_of(run(read=400), NOON)
    assert (found.of, found.percent, found.remaining) == (None, None, None)
    assert found.rate == 40


def test_more_than_expected_is_not_a_hundred_percent_and_promises_nothing():
    found = progress_of(run(read=1200, expected=1000), NOON)
    assert (found.percent, found.remaining) == (99, None)


@pytest.mark.parametrize("fields", [{"read": 0}, {"started_at": NOON - timedelta(seconds=1), "read": 50}])
def test_a_rate_is_told_only_after_a_while(fields):
    assert progress_of(run(**fields), NOON).rate is None


def test_documents_that_were_all_found_are_counted_as_they_are_dealt_with():
    found = progress_of(
        run(flow="invoices", cursor={"found_all": True}, read=50, unchanged=5, confirmed=10, failed=5), NOON
    )
    assert (found.deed, found.done, found.of, found.about) == ("dealt with", 20, 50, False)
    assert found.remaining == timedelta(seconds=15)


def test_documents_that_are_still_being_found_are_counted_as_they_are_read():
    assert progress_of(run(flow="invoices", read=50), NOON).deed == "read"


def test_answers_are_counted_against_what_was_sent():
    found = progress_of(run(status="settling", read=900, sent=40, confirmed=20, failed=1), NOON)
    assert (found.deed, found.done, found.of, found.remaining) == ("answered", 21, 40, None)


@pytest.mark.parametrize("fields", [{"status": "succeeded"}, {"status": "queued", "started_at": None}])
def test_a_run_that_has_not_begun_or_is_over_has_no_progress(fields):
    assert progress_of(run(**fields), NOON) is None


def test_counts_lead_to_the_records_of_the_run_with_that_outcome():
    queries = {name: query for name, _, query in linked_counts(run(read=9, sent=4, confirmed=3, failed=1, created=2))}
    assert queries["failed"] == "flow=vendors&run=7&status=failed"
    assert queries["confirmed"] == "flow=vendors&run=7&status=done"
    assert queries["created"] == "flow=vendors&run=7&action=created"
    assert queries["sent"] == "flow=vendors&run=7"
    assert (queries["read"], queries["updated"]) == ("", "")


def test_the_counts_of_a_dry_run_lead_nowhere():
    assert not any(query for _, _, query in linked_counts(run(mode="dry_run", sent=4, failed=1)))


@pytest.mark.parametrize(
    ("rate", "words"),
    [(35.4, "35 records/s"), (2.44, "2.4 records/s"), (0.2, "12 records/min"), (0.001, "1 records/min")],
)
def test_a_rate_in_words(rate, words):
    assert rate_words(rate) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "1 s"), (40, "40 s"), (120, "2 min"), (5400, "1 h 30 min"), (12_000, "3 h 20 min")]
)
def test_a_span_in_words(seconds, words):
    assert span_words(timedelta(seconds=seconds)) == words
