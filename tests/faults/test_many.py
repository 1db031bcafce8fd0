"""Many invoices of every kind under faults of every kind, with several workers: each once, to the cent."""

from __future__ import annotations

import time
from decimal import Decimal

from django.utils import timezone

from syncengine.engine import replay, sweep
from syncengine.engine.pauses import resume
from syncengine.engine.work import Deadline
from syncengine.models import Record
from tests.engine.world import PERSON, in_threads, sweep_now
from tests.faults.world import FaultWorld, invoice


def test_orders_receipts_currencies_and_credit_notes_survive_lost_answers(town: FaultWorld):
    town.issue()
    town.go("all", seconds=40)
    kinds = ("order", "receipt", "service_order", "foreign_order", "foreign_receipt", "foreign_service", "credit")
    town.issue(*(invoice(kind) for kind in kinds))
    posts = "/Purchase(Invoices|CreditNotes)$"
    town.fault("sap_b1", "drop_after", method="POST", path=posts, count=4)
    town.fault("sap_b1", "drop_before", method="POST", path=posts, count=2, skip=4)
    town.fault("sap_b1", "session_lost", method="GET", count=3, skip=9)
    town.fault("basware", "status", status=502, method="POST", path="/acknowledge$", count=3)
    town.fault("basware", "drop_after", method="POST", path="/transferResponses$", count=3)
    town.go(seconds=40)
    for place in range(len(kinds)):
        town.assert_posted_once(place)


def test_three_workers_share_twenty_invoices_under_faults(town: FaultWorld):
    town.issue(*(invoice(place=place) for place in range(20)))
    town.fault("sap_b1", "drop_after", method="POST", path="/PurchaseInvoices$", count=5)
    town.fault("sap_b1", "status", status=502, method="POST", path="/PurchaseInvoices$", count=5, skip=5)
    town.fault("basware", "drop_after", method="POST", path="/transferResponses$", count=5)
    town.ask("invoices")
    in_threads(*[lambda: town.settle(seconds=40)] * 3)
    for place in range(20):
        town.assert_posted_once(place)


def test_parts_are_told_in_order_with_running_totals_whoever_works(town: FaultWorld):
    town.issue(invoice(), invoice("foreign_service"))
    town.go()
    for place in range(2):
        entry = town.in_sap(place)[0]["DocEntry"]
        for share in (0.2, 0.3, 1):
            town.tell("/sap/payments", entry=entry, share=share)
    town.fault("basware", "status", status=500, method="POST", path="/paymentResponses$", count=3)
    town.ask("payments")
    in_threads(*[lambda: town.settle(seconds=30)] * 2)
    for place in range(2):
        told = [Decimal(str(one["paidTotal"])) for one in town.payments(place)]
        assert told == sorted(told)
        assert len(told) == 3
        assert told[-1] == Decimal(str(town.at_basware(place)["grossSum"]))
        town.assert_posted_once(place, stage="paid")


def test_a_payment_cancelled_while_basware_s_answer_was_lost_is_told_and_reversed(town: FaultWorld):
    town.issue(invoice())
    town.go()
    payment = town.tell("/sap/payments", entry=town.in_sap()[0]["DocEntry"])
    town.fault("basware", "drop_after", method="POST", path="/paymentResponses$")
    town.go("payments", until=lambda: bool(town.calls("basware", "POST", "/paymentResponses")))
    town.tell("/sap/payments/cancel", entry=payment["DocEntry"])
    town.settle()
    town.go("payments")
    gross = town.at_basware()["grossSum"]
    assert [one["paidTotal"] for one in town.payments()] == [gross, 0]
    town.assert_posted_once()


def test_refused_credentials_pause_everything_and_a_resume_goes_on(town: FaultWorld):
    town.issue(invoice())
    town.fault("sap_b1", "session_lost", method="POST", path="/PurchaseInvoices$")
    town.fault("sap_b1", "error", code=-304, status=401, method="POST", path="/Login$", skip=1, count=0)
    town.go(until=lambda: type(town.integration).objects.filter(paused_since__isnull=False).exists())
    logins = len(town.calls("sap_b1", "POST", "/Login"))
    town.faults_off()
    time.sleep(0.3)  # nothing may happen now: there is no event to wait for
    assert len(town.calls("sap_b1", "POST", "/Login")) == logins
    resume(town.again(town.integration), PERSON)
    town.settle()
    town.assert_posted_once()


def test_a_document_claimed_by_a_lost_database_is_found_by_the_sweep(town: FaultWorld, settings):
    settings.SWEEP_AGE = 0.0
    town.issue(invoice())
    town.tell("/basware/move", invoiceId=town.issued[0], status="TransferInProgress")
    town.tell("/basware/change", invoiceId=town.issued[0], changes={"text1": "older than this second"})
    time.sleep(1.0)  # Basware's clock shows whole seconds
    sweep_now()
    assert sweep.start_due(Deadline(5))
    town.settle()
    record = town.mine()
    assert (record.error_code, record.decisions) == ("needs_decision", ["post", "close"]), town.story()
    replay.decide(record, PERSON, "post", reason="the claim was ours")
    town.settle()
    town.assert_posted_once()


def test_a_record_that_nobody_asks_for_any_more_is_woken_by_the_sweep(town: FaultWorld, settings):
    settings.SWEEP_AGE = 0.0
    town.issue(invoice())
    town.go()
    stuck = Record.objects.filter(flow="invoices")
    stuck.update(status="waiting", stage="posted", next_attempt_at=None, updated_at=timezone.now())
    sweep_now()
    assert sweep.start_due(Deadline(5))
    town.settle()
    assert town.mine().stage == "confirmed"
    assert len(town.answers()) == 1
