"""What finding documents may ask: posted documents to watch, by entry, and kin by reference."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine

from syncengine.engine.archive import DbArchive
from syncengine.models import PostedDocument
from tests import factories
from tests.engine.papers import claimed, clients
from tests.factories import NOON

DAYS = 30


@pytest.fixture
def archive(integration):
    context = SimpleNamespace(settings=SimpleNamespace(payment_lookback_days=DAYS))
    return DbArchive(integration, clients(integration), context)


def post(integration, entry: int, entity_set: str = "PurchaseInvoices", **fields) -> PostedDocument:
    given = {"doc_num": entry, "invoice_id": f"I-{entry}", "card_code": "V1", "num_at_card": "A", "company": "c"}
    record = claimed(integration, f"I-{entry}")
    return PostedDocument.objects.create(
        integration=integration, record=record, doc_entry=entry, entity_set=entity_set, **{**given, **fields}
    )


def entries(postings) -> list[int]:
    return [one.doc_entry for one in postings]


def test_open_and_lately_paid_documents_are_watched_in_the_order_of_their_entries(archive, integration):
    for entry, age in ((30, None), (10, DAYS - 1), (20, DAYS), (40, DAYS + 1)):
        settled = None if age is None else NOON - timedelta(days=age)
        post(integration, entry, settled_at=settled)
    with time_machine.travel(NOON, tick=False):
        assert entries(archive.postings_to_watch(0, 10)) == [10, 20, 30]


def test_documents_are_watched_page_by_page(archive, integration):
    for entry in (1, 2, 3):
        post(integration, entry)
    assert entries(archive.postings_to_watch(0, 2)) == [1, 2]
    assert entries(archive.postings_to_watch(2, 2)) == [3]
    assert archive.postings_to_watch(3, 2) == []


def test_neither_cancelled_ones_nor_those_of_others_are_watched_or_found(archive, integration):
    post(integration, 1, cancelled_at=NOON)
    post(factories.IntegrationFactory(), 2)
    mine = post(integration, 3)
    assert entries(archive.postings_to_watch(0, 10)) == [3]
    assert list(archive.postings_by_entry("PurchaseInvoices", [1, 2, 3])) == [3]
    assert archive.postings_by_entry("PurchaseInvoices", [3])[3].invoice_id == mine.invoice_id


def test_credit_notes_have_entries_of_their_own(archive, integration):
    post(integration, 7, "PurchaseCreditNotes")
    assert archive.postings_by_entry("PurchaseInvoices", [7]) == {}
    assert archive.postings_by_entry("PurchaseCreditNotes", [7])[7].entity_set == "PurchaseCreditNotes"


def test_kin_of_several_references_are_told_apart(archive, integration):
    for key, reference in (("1", "A"), ("2", "B"), ("3", "A"), ("4", "C")):
        factories.RecordFactory(integration=integration, flow="payments", key=key, reference=reference)
    factories.RecordFactory(flow="payments", key="5", reference="A")
    kin = archive.kin("payments", ["A", "B", "none"])
    assert {name: [one.key for one in found] for name, found in kin.items()} == {"A": ["1", "3"], "B": ["2"]}
