"""The call log: whose call it was, how many wait in memory, and what was called how often."""

from __future__ import annotations

import threading

import pytest

from syncengine.connectors.calls import ObservedCall
from syncengine.connectors.outcomes import Outcome
from syncengine.engine.observing import FLUSH_AT, CallLog, calls_for
from syncengine.flows.desk import Continue, Finished
from syncengine.models import Call
from tests import factories
from tests.engine.papers import PaperFlow, advance, claimed, clients, settling_run
from tests.engine.world import in_threads
from tests.factories import NOON

URL = "https://sap.example.com:50000/b1s/v2/PurchaseInvoices(7)"


def observed(url: str = URL, **fields) -> ObservedCall:
    given = {
        "system": "sap_b1",
        "method": "GET",
        "url": url,
        "status": 200,
        "outcome": Outcome.OK,
        "started_at": NOON,
        "duration_ms": 12,
        "request_headers": {"Accept": "application/json"},
        "request_body": "",
        "response_headers": {"X": "1"},
        "response_body": '{"DocEntry": 7}',
    }
    return ObservedCall(**{**given, **fields})


@pytest.fixture
def calls(integration):
    return CallLog(integration)


def test_a_call_becomes_a_row_with_all_that_was_observed(calls, integration):
    calls.observe(observed(status=None, outcome=Outcome.UNAVAILABLE, error="no route", request_body="{}"))
    calls.flush()
    row = Call.objects.get()
    assert (row.integration_id, row.system, row.method, row.url) == (integration.pk, "sap_b1", "GET", URL)
    assert (row.status, row.outcome, row.error) == (None, "unavailable", "no route")
    assert (row.started_at, row.duration_ms) == (NOON, 12)
    assert (row.request_headers, row.request_body) == ({"Accept": "application/json"}, "{}")
    assert (row.response_headers, row.response_body) == ({"X": "1"}, '{"DocEntry": 7}')
    assert (row.run_id, row.record_id, row.attempt_id) == (None, None, None)


def test_calls_are_tied_to_what_they_are_made_for_and_no_longer(calls, integration):
    run = settling_run(integration)
    record = claimed(integration)
    attempt = factories.AttemptFactory(integration=integration)
    with calls_for(run_id=run.pk, record_id=record.pk):
        calls.observe(observed())
        with calls_for(run_id=run.pk, attempt_id=attempt.pk):
            calls.observe(observed())
        calls.observe(observed())
    calls.observe(observed())
    calls.flush()
    rows = list(Call.objects.order_by("id").values_list("run_id", "record_id", "attempt_id"))
    mine = (run.pk, record.pk, None)
    assert rows == [mine, (run.pk, None, attempt.pk), mine, (None, None, None)]


def test_the_purpose_ends_with_an_error_too(calls, integration):
    record = claimed(integration)
    with pytest.raises(ValueError, match="odd"), calls_for(record_id=record.pk):
        raise ValueError("odd")
    calls.observe(observed())
    calls.flush()
    assert Call.objects.get().record_id is None


def test_what_a_record_s_steps_call_is_tied_to_the_record_and_its_run(integration):
    run = settling_run(integration)
    record = claimed(integration, run=run)
    both = clients(integration)

    def call(work, desk):
        both.calls.observe(observed())
        return Finished() if work.memo.get("called") else Continue(memo={"called": True})

    advance(record, PaperFlow(call), both)
    both.calls.flush()
    assert list(Call.objects.values_list("run_id", "record_id")) == [(run.pk, record.pk)] * 2


def test_no_more_than_a_bounded_number_waits_in_memory(calls):
    for _ in range(FLUSH_AT - 1):
        calls.observe(observed())
    assert not Call.objects.exists()
    calls.observe(observed())
    assert Call.objects.count() == FLUSH_AT
    calls.observe(observed())
    assert Call.objects.count() == FLUSH_AT
    calls.flush()
    calls.flush()
    assert Call.objects.count() == FLUSH_AT + 1


def test_what_was_called_is_counted_by_resource(calls):
    for url in (URL, URL.replace("(7)", "?$top=1"), "https://api.example.com/v1/vendors/V1", "https://api.example.com"):
        calls.observe(observed(url))
    calls.observe(observed(method="POST"))
    assert calls.counts == {
        "sap_b1 GET PurchaseInvoices": 2,
        "sap_b1 GET vendors": 1,
        "sap_b1 GET /": 1,
        "sap_b1 POST PurchaseInvoices": 1,
    }


def test_threads_share_one_log_and_lose_nothing_of_it(transactional_db, integration):
    calls = CallLog(integration)
    records = [claimed(integration, f"INV-{number}") for number in range(4)]
    together = threading.Barrier(4)

    def work(record):
        def job():
            together.wait(5)
            with calls_for(record_id=record.pk):
                for _ in range(60):
                    calls.observe(observed())

        return job

    in_threads(*[work(record) for record in records])
    calls.flush()
    assert calls.counts == {"sap_b1 GET PurchaseInvoices": 240}
    assert [Call.objects.filter(record=record).count() for record in records] == [60] * 4


@pytest.mark.parametrize("name", ["send-1", "advance-1"])
def test_a_thread_of_its_own_stores_what_waits(name, transactional_db, integration):
    calls = CallLog(integration)
    calls.observe(observed())
    thread = threading.Thread(target=calls.flush, name=name)
    thread.start()
    thread.join()
    assert Call.objects.count() == 1
