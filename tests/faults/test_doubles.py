"""Whatever stands in SAP already, comes twice or looks alike: one document for one invoice, or a person decides."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.engine import documents, replay
from syncengine.engine.connecting import save_connection
from syncengine.engine.runs import request_runs
from syncengine.flows import registry
from syncengine.flows.desk import Found
from syncengine.flows.document import DocumentFlow
from syncengine.flows.invoicing import adopt
from syncengine.models import AuditEvent, Record
from tests import factories
from tests.engine.world import PERSON, connect, in_threads
from tests.faults.world import FaultWorld, invoice

VARIANTS = ("draft", "pending", "no_content", "not_found")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts are looked at more often than once a minute."""
    monkeypatch.setattr(adopt, "APPROVAL_POLL_SECONDS", 0.1)


def _awaits_approval(town: FaultWorld) -> bool:
    return Record.objects.filter(flow="invoices", error_code="awaiting_approval").exists()


# Approval procedures (contracts: SAP §8.4)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("mark_field", ["", "U_BW_InvoiceId"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_draft_is_followed_until_it_is_the_document(town: FaultWorld, variant: str, mark_field: str):
    address = town.sandboxes.addresses["sap_b1"]
    save_connection(town.integration, "sap_b1", {**address, "user_defined_id_field": mark_field}, PERSON)
    town.issue(invoice())
    town.tell("/sap/settings", approval_mode=True, approval_variant=variant)
    town.go(until=lambda: _awaits_approval(town))
    (draft,) = town.sap("Drafts")
    town.tell("/sap/drafts/approve", entry=draft["DocEntry"])
    town.tell("/sap/drafts/add", entry=draft["DocEntry"])
    town.settle()
    town.assert_posted_once()
    assert len(town.calls("sap_b1", "POST", "/PurchaseInvoices")) == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_rejected_draft_is_answered_false_with_the_remark(town: FaultWorld, variant: str):
    town.issue(invoice())
    town.tell("/sap/settings", approval_mode=True, approval_variant=variant)
    town.go(until=lambda: _awaits_approval(town))
    (draft,) = town.sap("Drafts")
    town.tell("/sap/drafts/reject", entry=draft["DocEntry"], remarks="Wrong department")
    town.settle()
    town.assert_refused_once()
    assert "Wrong department" in town.answers()[0]["responseMessage"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_draft_whose_key_is_that_of_another_invoice_is_not_taken_for_it(town: FaultWorld, cancelled: bool):
    town.issue(invoice())
    entry = town.sap("PurchaseInvoices")[0]["DocEntry"]
    if cancelled:
        town.tell("/sap/documents/cancel", entry=entry)
    before = {"DocEntry": entry - 1, "DocumentStatus": "bost_Close", "CancelStatus": "csNo"}
    town.sandboxes.sap.company.collection("Drafts").put(entry - 1, before)
    town.tell("/sap/settings", approval_mode=True, approval_variant="pending")
    town.go(until=lambda: _awaits_approval(town))
    assert [draft["DocEntry"] for draft in town.sap("Drafts")] == [entry - 1, entry]
    assert town.answers() == []


# What a person has entered in SAP


@pytest.fixture
def booked_by_hand(town: FaultWorld) -> dict[str, Any]:
    """The invoice stands in SAP without our mark, and nobody here knows of it."""
    twin = invoice(invoiceId="f" * 32)
    town.issue(twin)
    town.go()
    (document,) = town.in_sap()
    town.change("PurchaseInvoices", document["DocEntry"], Comments="entered by hand")
    record = town.mine()
    record.posted_documents.all().delete()
    record.delete()
    town.quiet()
    town.issue(invoice())
    town.go()
    return document


def test_what_is_there_already_waits_for_a_person_and_says_nothing_to_basware(town: FaultWorld, booked_by_hand: Any):
    record = town.mine()
    assert (record.status, record.error_code) == ("failed", "needs_decision"), town.story()
    assert record.decisions == ["adopt", "post", "reject"]
    assert str(booked_by_hand["DocNum"]) in record.error_message
    assert town.at_basware()["processingStatus"] == "TransferInProgress"
    assert town.answers() == []


@pytest.mark.parametrize(
    ("decision", "voucher", "documents_more"), [("adopt", 0, 0), ("post", 1, 1), ("reject", None, 0)]
)
def test_a_person_s_decision_is_carried_out_once(
    town: FaultWorld, booked_by_hand: Any, decision: str, voucher: int | None, documents_more: int
):
    before = len(town.sap("PurchaseInvoices"))
    replay.decide(town.mine(), PERSON, decision, reason="seen")
    town.settle()
    assert len(town.sap("PurchaseInvoices")) == before + documents_more
    told = [one.get("voucherNumber1") for one in town.answers()]
    assert told == [None if voucher is None else str(booked_by_hand["DocNum"] + voucher)]


# The same thing twice


def test_two_integrations_on_one_company_post_each_invoice_once(town: FaultWorld):
    other = factories.IntegrationFactory(organization=town.integration.organization, name="Twin")
    connect(other, town.sandboxes)
    town.issue(*(invoice(place=place) for place in range(3)))
    town.ask("invoices")
    request_runs(other, "invoices", "incremental", trigger="person", actor=PERSON)
    in_threads(*[lambda: town.settle(until=town.at_rest)] * 2)
    town.settle(until=lambda: not Record.objects.filter(status__in=("pending", "in_progress", "waiting")).exists())
    for place in range(3):
        assert len(town.in_sap(place)) == 1
        assert [one["success"] for one in town.answers(place)] == [True]


def test_the_same_number_in_other_spelling_is_posted_once(town: FaultWorld):
    first = invoice()
    town.issue(first, invoice(invoiceId="d" * 32, invoiceNumber=f" {first['invoiceNumber'].lower()} "))
    town.go()
    assert sum(len(town.in_sap(place)) for place in range(2)) == 1
    assert {town.mine(0).error_code, town.mine(1).error_code} == {"", "needs_decision"}


def test_an_invoice_sent_again_unchanged_is_adopted_and_a_changed_one_shown(town: FaultWorld):
    town.issue(invoice())
    town.go()
    town.tell("/basware/move", invoiceId=town.issued[0], status="WaitingForTransfer")
    town.go()
    assert [one["success"] for one in town.answers()] == [True, True]
    document = town.at_basware()
    row = {**document["codingRows"][0]}
    row |= {"netTotal": row["netTotal"] + 100, "grossTotal": row["grossTotal"] + 100}
    sums = {"netSum": document["netSum"] + 100, "grossSum": document["grossSum"] + 100}
    town.tell("/basware/change", invoiceId=town.issued[0], changes={"codingRows": [row], **sums})
    town.tell("/basware/move", invoiceId=town.issued[0], status="WaitingForTransfer")
    town.go()
    assert town.mine().error_code == "needs_decision"
    assert len(town.calls("sap_b1", "POST", "/PurchaseInvoices")) == 1


def test_a_document_that_lost_its_mark_after_an_unanswered_post_is_still_ours(town: FaultWorld, settings):
    settings.LOOKUP_DELAYS = [2.0]
    town.issue(invoice())
    town.fault("sap_b1", "drop_after", method="POST", path="/PurchaseInvoices$")
    town.go(until=lambda: Record.objects.filter(error_code="outcome_unknown").exists())
    (document,) = town.in_sap()
    town.change("PurchaseInvoices", document["DocEntry"], Comments="edited by hand")
    town.settle()
    assert town.mine().target_keys["DocEntry"] == document["DocEntry"]
    assert [one["voucherNumber1"] for one in town.answers()] == [str(document["DocNum"])]
    assert len(town.calls("sap_b1", "POST", "/PurchaseInvoices")) == 1


def test_poll_and_notification_at_the_same_moment_make_one_record(town: FaultWorld):
    flow = registry.get("invoices")
    assert isinstance(flow, DocumentFlow)
    found = [Found(f"key-{number}", "", invoice(), memo={"status": "WaitingForTransfer"}) for number in range(20)]
    stored = in_threads(*[lambda: documents.store_found(town.integration, flow, found, run_id=None)] * 4)
    assert sum(len(one.to_do) for one in stored) == 20
    assert AuditEvent.objects.filter(action="record.received").count() == 20


def test_a_posted_document_cancelled_in_sap_may_be_posted_again(town: FaultWorld):
    town.issue(invoice())
    town.go()
    town.tell("/sap/documents/cancel", entry=town.in_sap()[0]["DocEntry"])
    town.go(mode="full")
    assert town.mine().error_code == "needs_decision"
    replay.decide(town.mine(), PERSON, "post", reason="cancelled by mistake")
    town.settle()
    record, (document,) = town.mine(), town.in_sap()
    assert (record.status, record.flags) == ("done", [])
    assert record.target_keys["DocEntry"] == document["DocEntry"]
    assert len(town.answers()) == 1
