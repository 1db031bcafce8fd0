"""Answers to Basware: in doubt, failed later, overtaken by their own verdict; each counts once."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from syncengine.connectors.basware.external_codes import response_code
from syncengine.engine import replay, responses
from syncengine.engine.connections import systems
from syncengine.engine.responses import Answer, Answers
from syncengine.models import Attempt, AttemptState, Record, RecordStatus
from tests.engine.world import PERSON, in_threads
from tests.faults.world import FaultWorld, invoice

SLOW = 1.0
LOST = {
    "cut after the work": {"kind": "drop_after"},
    "500 after the work": {"kind": "status", "status": 500, "after": True},
    "502 after the work": {"kind": "status", "status": 502, "after": True},
    "truncated": {"kind": "truncated"},
}


def first_code(town: FaultWorld) -> str:
    return response_code(town.issued[0], "transfer", 1)


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("kind", ["service", "unknown_codes"])
def test_a_repeat_refused_while_basware_works_on_the_first_is_no_refusal(town: FaultWorld, kind: str, how: str):
    town.issue(invoice(kind))
    town.sandboxes.basware.switches.delay = SLOW
    fault = dict(LOST[how])
    town.fault("basware", fault.pop("kind"), method="POST", path="/transferResponses$", **fault)
    town.go()
    town.assert_posted_once() if kind == "service" else town.assert_refused_once()


@pytest.mark.parametrize("how", LOST)
def test_a_payment_response_in_doubt_is_looked_for_until_basware_shows_it(town: FaultWorld, how: str):
    town.issue(invoice())
    town.go()
    town.tell("/sap/payments", entry=town.in_sap()[0]["DocEntry"])
    town.sandboxes.basware.switches.delay = SLOW
    fault = dict(LOST[how])
    town.fault("basware", fault.pop("kind"), method="POST", path="/paymentResponses$", **fault)
    town.go("payments")
    assert len(town.payments()) == 1
    town.assert_posted_once(stage="paid")


def test_a_success_that_fails_later_goes_to_a_person_and_a_replay_tells_it_anew(town: FaultWorld):
    town.issue(invoice())
    town.tell("/basware/outcome", externalCode=first_code(town), status="Error", message="Locked by a user")
    town.go()
    record = town.mine()
    assert (record.status, record.error_code, record.stage) == ("failed", "answer_refused", "posted"), town.story()
    assert "Locked by a user" in record.error_message
    replay.replay(record, PERSON)
    town.settle()
    town.assert_posted_once()
    assert len(town.calls("sap_b1", "POST", "/PurchaseInvoices")) == 1


def test_a_refusal_that_fails_later_is_shown_and_a_replay_tells_it_anew(town: FaultWorld):
    town.issue(invoice("unknown_codes"))
    town.tell("/basware/outcome", externalCode=first_code(town), status="Error", message="Locked by a user")
    town.go()
    record = town.mine()
    assert (record.status, record.error_code) == ("failed", "problems"), town.story()
    assert "answer_failed" in record.flags
    assert any("Locked by a user" in note for note in record.notes)
    replay.replay(record, PERSON)
    town.settle()
    town.assert_refused_once()
    assert "answer_failed" not in town.mine().flags


def test_a_replay_while_basware_works_on_our_refusal_waits_for_it(town: FaultWorld):
    bad = invoice("frozen_vendor")
    town.issue(bad)
    town.sandboxes.basware.switches.delay = SLOW
    town.go(until=town.at_rest_but_for_basware)
    town.tell("/sap/freeze", vendor=bad["supplierCode"], frozen=False)
    replay.replay(town.mine(), PERSON)
    town.settle()
    record = town.mine()
    assert (record.status, record.stage, record.flags) == ("done", "posted", ["send_again_in_basware"]), town.story()
    assert len(town.in_sap()) == 1


def test_payments_wait_until_an_invoice_posted_after_its_failed_transfer_is_sent_again(town: FaultWorld):
    bad = invoice("frozen_vendor")
    town.issue(bad)
    town.go()
    town.tell("/sap/freeze", vendor=bad["supplierCode"], frozen=False)
    replay.replay(town.mine(), PERSON)
    town.settle()
    town.tell("/sap/payments", entry=town.in_sap()[0]["DocEntry"])
    town.go("payments", until=lambda: Record.objects.filter(flow="payments", status=RecordStatus.WAITING).exists())
    assert town.payments() == []
    town.tell("/basware/retransfer", invoiceId=town.issued[0], changes={})
    Record.objects.filter(flow="payments").update(next_attempt_at=timezone.now())
    town.go()
    town.assert_posted_once(answers=2, stage="paid")
    assert [Decimal(str(one["paidTotal"])) for one in town.payments()] == [bad["grossSum"]]


def answer_came(town: FaultWorld, attempt: Attempt) -> bool:
    """Whether Basware's yes to this answer of ours is put down."""
    open_ones = {attempt.request_id: attempt}
    with systems(town.integration) as both:
        answers = Answers(town.integration, both, open_ones)
        answers.add(Answer(attempt, confirmed=True))
        answers.settle()
    return not open_ones


def _answered(town: FaultWorld) -> tuple[Record, Attempt]:
    """An invoice whose answer Basware has accepted, and not worked on yet."""
    town.issue(invoice())
    town.sandboxes.basware.switches.delay = SLOW
    town.go(until=lambda: Attempt.objects.filter(state=AttemptState.ACCEPTED).exists())
    record = town.mine()
    return record, Attempt.objects.get(record=record, kind="transfer_response")


def test_a_verdict_that_comes_before_the_record_is_put_down_is_asked_for_again(town: FaultWorld):
    record, attempt = _answered(town)
    Record.objects.filter(pk=record.pk).update(status=RecordStatus.IN_PROGRESS, lease_owner="another worker")
    assert not answer_came(town, attempt)
    Record.objects.filter(pk=record.pk).update(status=RecordStatus.WAITING, lease_owner="")
    town.settle()
    town.assert_posted_once()


def test_a_verdict_that_two_workers_read_at_once_counts_once(town: FaultWorld, monkeypatch: pytest.MonkeyPatch):
    record, attempt = _answered(town)
    both_have_read, original = threading.Barrier(2, timeout=5), responses.flow_context

    def flow_context(*arguments: Any) -> Any:
        both_have_read.wait()
        return original(*arguments)

    monkeypatch.setattr(responses, "flow_context", flow_context)
    in_threads(*[lambda: answer_came(town, attempt)] * 2)
    monkeypatch.undo()
    town.settle(until=lambda: bool(town.answers()))  # the verdict is ours here; Basware itself comes to it in a second
    town.assert_posted_once()
    assert (town.again(record).run.confirmed, len(town.events("record.done"))) == (1, 1)


def test_a_verdict_on_an_earlier_answer_says_nothing_of_the_one_that_is_awaited(town: FaultWorld):
    record, attempt = _answered(town)
    earlier = Attempt.objects.create(
        integration=town.integration,
        record=record,
        flow="invoices",
        kind=attempt.kind,
        key="earlier",
        entity_type=attempt.entity_type,
        started_at=record.created_at,
    )
    assert answer_came(town, earlier)
    assert town.mine().status == RecordStatus.WAITING
    town.settle()
    assert town.mine().stage == "confirmed"


def test_a_verdict_that_is_a_day_late_still_ends_the_record(town: FaultWorld):
    record, attempt = _answered(town)
    Record.objects.filter(pk=record.pk).update(
        status=RecordStatus.FAILED, error_code="no_answer", flags=["no_answer"], next_attempt_at=None
    )
    town.settle()
    town.assert_posted_once()
    assert town.mine().flags == []
    assert town.again(attempt).state == AttemptState.SETTLED
