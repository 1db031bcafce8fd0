"""Which documents become records, and which of them a person sees first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncengine.flows.document import FindWindow, NotOurs
from syncengine.flows.invoices import InvoiceFlow
from syncengine.flows.invoicing.rules import Targets, default_rules
from tests.flows.desks import MemoryArchive, Row
from tests.flows.test_invoices import kinds, run, take, world
from tests.posting.builders import INVOICE_ID, document, order_row

# Finding


def test_only_standard_documents_of_the_company_are_taken():
    made = world()
    made.basware.shelf = {
        key: document(invoiceId=key, **changed)
        for key, changed in {
            "a": {"p2pProcessingMode": "InvoiceEnrichment"},
            "b": {"companyCode": "2000"},
            "c": {"processingStatus": "Transferred"},
            "d": {},
        }.items()
    }
    pages = made.engine.flow.discover(MemoryArchive(made.engine), FindWindow())
    assert [found.key for page in pages for found in page.found] == ["d"]


def test_what_is_found_can_be_searched_for():
    made = world(document(orderNumbers=["4500123"]))
    (page,) = made.engine.flow.discover(MemoryArchive(made.engine), FindWindow())
    (found,) = page.found
    assert (found.key, found.title, found.reference) == (INVOICE_ID, "INV-1187 Nordic Paper Oy", "INV-1187")
    assert (found.amount, found.currency, found.party) == (Decimal("125.50"), "EUR", "V10012")
    assert "4500123" in found.search


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({}, True),
        ({"processingStatus": "TransferInProgress"}, False),
    ],
)
def test_a_notification_counts_for_nothing_the_document_s_status_decides(changed: dict[str, str], taken: bool):
    made = world(document(**changed))
    found = made.engine.flow.find_one(MemoryArchive(made.engine), INVOICE_ID)
    assert (found is not None) is taken
    assert made.engine.flow.find_one(MemoryArchive(made.engine), "unknown") is None


@pytest.mark.parametrize(
    "changed", [{"p2pProcessingMode": "InvoiceEnrichment"}, {"companyCode": "2000"}, {"companyCode": None}]
)
def test_a_document_of_another_company_or_purpose_is_never_ours(changed: dict[str, str | None]):
    made = world(document(**changed))
    with pytest.raises(NotOurs):
        made.engine.flow.find_one(MemoryArchive(made.engine), INVOICE_ID)


def test_the_sweep_brings_what_is_in_progress():
    made = world(document(processingStatus="TransferInProgress"))
    (page,) = made.engine.flow.sweep(MemoryArchive(made.engine))
    assert [found.memo["status"] for found in page.found] == ["TransferInProgress"]


def test_a_swept_document_that_nobody_here_claimed_goes_to_a_person():
    made = world(document(processingStatus="TransferInProgress"))
    (page,) = made.engine.flow.sweep(MemoryArchive(made.engine))
    record = made.engine.run(made.engine.take(page.found[0]))
    assert (record.code, record.decisions) == ("needs_decision", ("post", "close"))
    assert "not by this integration" in record.message
    made.engine.replay(record, decision="post")
    assert record.stage == "posted"


def test_invoices_of_one_vendor_s_orders_share_a_lane():
    flow = InvoiceFlow()
    made = world()
    plain, ordered = take(made), Row("x", document([order_row()]))
    assert flow.lane(made.engine.work(plain)) == INVOICE_ID
    assert flow.lane(made.engine.work(ordered)) == "V10012"


def test_a_preview_shows_what_the_rules_make_and_what_is_wrong():
    made = world(document(invoiceNumber=None))
    shown = InvoiceFlow().preview(made.sap, made.basware, None, made.engine.mapping, made.engine.ctx)  # type: ignore[arg-type]
    assert shown is not None
    source, target, problems = shown
    assert (source["invoiceId"], target["CardCode"]) == (INVOICE_ID, "V10012")
    assert [problem.path for problem in problems] == ["NumAtCard"]
    assert InvoiceFlow().preview(made.sap, made.basware, "none", made.engine.mapping, made.engine.ctx) is None  # type: ignore[arg-type]


def test_when_no_invoice_waits_another_one_is_previewed():
    made = world(document(processingStatus="Transferred"))
    shown = InvoiceFlow().preview(made.sap, made.basware, None, made.engine.mapping, made.engine.ctx)  # type: ignore[arg-type]
    assert shown is not None
    assert shown[0]["processingStatus"] == "Transferred"


# Not posted by itself


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prebooked": True}, "prebooked"),
        ({"disputeInfo": {"isDisputed": True}}, "disputed"),
        ({"removedBeforeTransfer": True}, "removed before its transfer"),
    ],
)
def test_special_documents_are_put_before_a_person_and_not_claimed(changed: dict[str, Any], words: str):
    made = world(document(**changed))
    record = run(made)
    assert (record.code, record.decisions) == ("needs_decision", ("post", "close"))
    assert words in record.message
    assert kinds(record) == []
    assert not made.engine.flow.reopens(
        made.engine.work(record), made.engine.flow.find_one(MemoryArchive(made.engine), INVOICE_ID)
    )  # type: ignore[arg-type]
    made.engine.replay(record, decision="post")
    assert record.stage == "posted"


def test_a_dispute_that_is_over_is_none():
    assert run(world(document(disputeInfo={"isDisputed": False}))).stage == "posted"


# What a customer may map


@pytest.mark.parametrize(
    ("target", "known"),
    [
        ("CardCode", True),
        ("U_Season", True),
        ("DocumentLines[].CostingCode2", True),
        ("DocumentLines[].U_Lot", True),
        ("DocumentLines[].FreeText", True),
        ("DocTotal", False),
        ("DocumentLines[].LineTotal", False),
        ("DocumentLines[].AcountCode", False),
        ("DocumentLines", False),
    ],
)
def test_a_rule_may_fill_what_documents_have_and_posting_does_not_compute(target: str, known: bool):
    assert (target in InvoiceFlow().targets()) is known


def test_every_default_rule_fills_a_known_field():
    targets = Targets()
    assert all(rule["target"] in targets for rule in default_rules())
    assert len(targets) == len(list(targets))
