"""The desk: writes announced before they are made, documents that belong to one invoice, what others have taken."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from syncengine.engine import desk as desks
from syncengine.engine.leases import LeaseLost
from syncengine.engine.settling_plan import first_poll_at
from syncengine.flows.desk import AlreadyLinked, Kin, LockHeld, OrderLine, Posting
from syncengine.models import Attempt, AuditEvent, PostedDocument, Record, Run
from tests import factories
from tests.engine.papers import FLOW, claimed, clients, desk_of, settling_run
from tests.engine.world import in_threads
from tests.factories import NOON


@pytest.fixture
def run(integration):
    return settling_run(integration)


@pytest.fixture
def record(integration, run):
    return claimed(integration, run=run)


@pytest.fixture
def desk(record):
    return desk_of(record)


def posting(entry: int = 12, invoice: str = "INV-1", **fields) -> Posting:
    given = {"doc_num": 4700 + entry, "card_code": "V100", "num_at_card": "A-1", "adopted": False, **fields}
    return Posting(record_key=invoice, entity_set="PurchaseInvoices", doc_entry=entry, invoice_id=invoice, **given)


# Announcing


def test_a_write_is_a_row_before_it_is_made(desk, record, run):
    desk.announce("post", "INV-1/1", {"DocTotal": Decimal("100.10")})
    row = Attempt.objects.get()
    assert (row.state, row.kind, row.key, row.flow) == ("sending", "post", "INV-1/1", FLOW)
    assert (row.record_id, row.run_id, row.payload) == (record.pk, run.pk, {"DocTotal": Decimal("100.10")})
    assert row.finished_at is None


def test_the_same_key_again_is_the_same_row_begun_anew(desk, run):
    desk.announce("post", "INV-1/1", {"try": 1}).unknown("No answer.")
    desk.announce("post", "INV-1/1", {"try": 2})
    row = Attempt.objects.get()
    assert (row.state, row.payload, row.message, row.finished_at) == ("sending", {"try": 2}, "", None)
    desk.announce("post", "INV-1/2", {})
    assert Attempt.objects.count() == 2


def test_only_what_is_posted_or_paid_counts_as_sent_and_once(desk, run):
    for kind in ("post", "post", "acknowledge", "payment_response", "booking_response"):
        desk.announce(kind, "one", {})
    run = Run.objects.get(pk=run.pk)
    assert (run.sent, run.created) == (2, 2)


def test_the_same_key_of_another_record_is_another_row(desk, integration):
    desk.announce("post", "same", {})
    desk_of(claimed(integration, "INV-2")).announce("post", "same", {})
    assert Attempt.objects.count() == 2


@pytest.mark.parametrize(
    ("end", "state", "message"),
    [
        (lambda intent: intent.done({"DocEntry": 12}), "done", ""),
        (lambda intent: intent.refused("Not that vendor."), "rejected", "Not that vendor."),
        (lambda intent: intent.unknown("No answer."), "unknown", "No answer."),
    ],
)
def test_an_announced_write_says_how_it_ended(end, state, message, desk):
    with time_machine.travel(NOON, tick=False):
        end(desk.announce("post", "INV-1/1", {}))
    row = Attempt.objects.get()
    assert (row.state, row.message, row.finished_at, row.next_poll_at) == (state, message, NOON, None)
    assert row.answer == ({"DocEntry": 12} if state == "done" else None)


@pytest.mark.parametrize(
    ("entity_type", "request_id", "state"),
    [("bookingResponse", "req-1", "accepted"), ("", "req-1", "done"), ("bookingResponse", "", "done")],
)
def test_an_answer_is_awaited_only_for_an_entity_type_and_with_a_request(entity_type, request_id, state, desk):
    with time_machine.travel(NOON, tick=False):
        desk.announce("confirm", "k", {}, entity_type=entity_type).done(request_id=request_id)
    row = Attempt.objects.get()
    assert (row.state, row.request_id) == (state, request_id)
    assert row.next_poll_at == (first_poll_at(NOON) if state == "accepted" else None)


def test_nothing_is_announced_by_one_who_has_lost_the_record(desk, record):
    Record.objects.filter(pk=record.pk).update(lease_owner="another")
    with pytest.raises(LeaseLost):
        desk.announce("post", "INV-1/1", {})
    assert not Attempt.objects.exists()


def test_earlier_writes_come_oldest_first_and_of_one_kind(desk):
    with time_machine.travel(NOON, tick=False) as clock:
        for key in ("b", "a", "c"):
            desk.announce("post", key, {"key": key}).refused(f"no {key}")
            clock.shift(60)
        desk.announce("confirm", "x", {})
        clock.shift(60)
        desk.announce("post", "b", {"key": "b again"})
    past = desk.attempts("post")
    assert [(one.key, one.state, one.message) for one in past] == [
        ("a", "rejected", "no a"),
        ("c", "rejected", "no c"),
        ("b", "sending", ""),
    ]
    assert past[-1].payload == {"key": "b again"}
    assert past[0].started_at == NOON + timedelta(seconds=60)


# The posting lock


def test_one_worker_at_a_time_holds_a_vendor_s_invoice_number(transactional_db, integration, monkeypatch):
    monkeypatch.setattr(desks, "LOCK_WAIT_SECONDS", 0.0)
    first, second = (desk_of(claimed(integration, key)) for key in ("INV-1", "INV-2"))
    inside, over = threading.Event(), threading.Event()

    def hold():
        with first.posting_lock("company", "V100", "A-1"):
            inside.set()
            assert over.wait(10)

    def come_late():
        assert inside.wait(10)
        try:
            with second.posting_lock("company", "V100", "A-2"):
                pass  # another number is free
            with pytest.raises(LockHeld), second.posting_lock("company", "V100", "A-1"):
                raise AssertionError("two hold it")
        finally:
            over.set()

    in_threads(hold, come_late)
    with second.posting_lock("company", "V100", "A-1"):
        pass  # free again


def test_the_lock_is_waited_for_a_moment(transactional_db, integration):
    first, second = (desk_of(claimed(integration, key)) for key in ("INV-1", "INV-2"))
    inside, order = threading.Event(), []

    def hold():
        with first.posting_lock("A-1"):
            inside.set()
            order.append("first")

    def follow():
        assert inside.wait(10)
        with second.posting_lock("A-1"):
            order.append("second")

    in_threads(hold, follow)
    assert order == ["first", "second"]


# Linking


def test_a_document_is_linked_with_its_numbers_and_on_the_timeline(desk, record):
    desk.link(posting(12, adopted=True))
    row = PostedDocument.objects.get()
    assert (row.record_id, row.doc_entry, row.doc_num, row.company) == (
        record.pk,
        12,
        4712,
        "https://sap.example.com/b1s/v2#SBO_NORDIC",
    )
    assert desk.posting() == posting(12, adopted=True)
    event = AuditEvent.objects.get(record=record)
    assert (event.action, event.message) == ("invoice.adopted", "PurchaseInvoices 4712 (12) in SAP")


def test_linking_its_own_document_again_changes_nothing(desk, record):
    Record.objects.filter(pk=record.pk).update(memo={})
    for _ in range(2):
        desk.link(posting(12))
    assert PostedDocument.objects.count() == 1
    assert list(AuditEvent.objects.values_list("action", flat=True)) == ["invoice.posted"]


def test_another_record_s_document_is_refused_even_across_integrations(desk, integration):
    desk.link(posting(12))
    elsewhere = factories.IntegrationFactory()
    for other in (claimed(integration, "INV-2"), claimed(elsewhere, "INV-2")):
        with pytest.raises(AlreadyLinked, match=r"PurchaseInvoices\(12\)"):
            desk_of(other).link(posting(12, "INV-2"))
        assert desk_of(other).posting() is None
    assert AuditEvent.objects.count() == 1


def test_the_same_number_of_another_company_is_another_document(desk, integration):
    desk.link(posting(12))
    other = claimed(integration, "INV-2")
    desk_of(other, clients(integration, "SBO_OTHER")).link(posting(12, "INV-2"))
    assert PostedDocument.objects.count() == 2


def test_a_cancelled_document_belongs_to_its_invoice_no_more(desk):
    desk.link(posting(12))
    desk.mark_cancelled(posting(12))
    assert desk.posting() is None
    assert desk.postings_by_entry("PurchaseInvoices", [12]) == {}
    desk.link(posting(13))
    assert desk.posting() == posting(13)


def test_documents_are_found_by_entry_within_the_integration(desk, integration):
    for entry, owner in ((12, integration), (13, integration), (14, factories.IntegrationFactory())):
        desk_of(claimed(owner, f"INV-{entry}")).link(posting(entry, f"INV-{entry}"))
    assert set(desk.postings_by_entry("PurchaseInvoices", [12, 14, 99])) == {12}
    assert desk.postings_by_entry("PurchaseCreditNotes", [12]) == {}


# What invoices took from order lines


def draw(integration, key: str, entry: int, **lines: str) -> None:
    taken = {name.removeprefix("o").replace("_", "/"): net for name, net in lines.items()}
    record = claimed(integration, key, memo={"unlinked_order_lines": taken})
    desk_of(record).link(posting(entry, key))


def test_what_other_invoices_took_from_an_order_line_adds_up(desk, integration):
    draw(integration, "INV-2", 2, o77_0="100.10", o77_1="5")
    draw(integration, "INV-3", 3, o77_0="0.20")
    draw(integration, "INV-4", 4, o78_0="1000")
    draw(factories.IntegrationFactory(), "INV-5", 5, o77_0="1000")
    assert desk.invoiced_on_order_line(77, 0) == Decimal("100.30")
    assert desk.invoiced_on_order_line(77, 1) == Decimal(5)
    assert desk.invoiced_on_order_line(99, 0) == Decimal(0)


def test_what_a_record_took_itself_does_not_count_against_it(integration):
    draw(integration, "INV-2", 2, o77_0="100")
    own = desk_of(Record.objects.get(key="INV-2"))
    assert own.invoiced_on_order_line(77, 0) == Decimal(0)


def test_what_a_cancelled_document_took_is_free_again(desk, integration):
    draw(integration, "INV-2", 2, o77_0="100")
    draw(integration, "INV-3", 3, o77_0="7")
    desk.mark_cancelled(posting(2, "INV-2"))
    assert desk.invoiced_on_order_line(77, 0) == Decimal(7)


def test_a_document_that_is_refused_takes_nothing(desk, integration):
    desk.link(posting(12))
    with pytest.raises(AlreadyLinked):
        draw(integration, "INV-2", 12, o77_0="100")
    assert desk.invoiced_on_order_line(77, 0) == Decimal(0)


# Looking around


def order(integration, key: str = "501", **fields) -> Record:
    lines = [{"LineNum": 0}, {"LineNum": 2}]
    sent = {"lines": [{"lineNumber": "1"}, {"lineNumber": "3"}]}
    given = {"reference": "9001", "party": "V100", "source": {"DocumentLines": lines}, "target": sent, **fields}
    made: Record = factories.RecordFactory(integration=integration, flow="purchase_orders", key=key, **given)
    return made


def test_an_order_line_is_found_by_the_numbers_that_were_sent(desk, integration):
    order(integration)
    assert desk.order_line("9001", "3") == [OrderLine(501, 2, "V100")]
    assert desk.order_line("9001", "2") == []
    assert desk.order_line("9002", "1") == []


def test_two_orders_with_one_number_are_both_named(desk, integration):
    order(integration, "501")
    order(integration, "502", party="V200")
    order(factories.IntegrationFactory(), "503")
    assert {line.doc_entry: line.card_code for line in desk.order_line("9001", "1")} == {501: "V100", 502: "V200"}


def test_a_line_that_was_never_sent_is_not_found(desk, integration):
    order(integration, confirmed_target={"lines": [{"lineNumber": "1"}]})
    assert desk.order_line("9001", "3") == []


def test_a_master_record_is_known_by_the_code_under_which_it_was_sent(desk, integration):
    factories.RecordFactory(integration=integration, flow="vendors", key="V1", target_keys={"external_code": "1000-V1"})
    factories.RecordFactory(integration=integration, flow="vendors", key="V2")
    factories.RecordFactory(flow="vendors", key="V3", target_keys={"external_code": "other"})
    assert [desk.sent_key("vendors", key) for key in ("V1", "V2", "V3")] == ["1000-V1", None, None]


def test_kin_come_in_the_order_of_their_making(desk, integration):
    for key in ("b", "a", "c"):
        factories.RecordFactory(integration=integration, flow="payments", key=key, reference="INV-1", memo={"of": key})
    factories.RecordFactory(integration=integration, flow="payments", key="d", reference="INV-2")
    factories.RecordFactory(flow="payments", key="e", reference="INV-1")
    assert [one.key for one in desk.kin("payments", "INV-1")] == ["b", "a", "c"]
    assert desk.kin("payments", "INV-1")[0] == Kin("b", "pending", {}, {"of": "b"})
    assert desk.kin("payments", "none") == ()


def test_how_far_an_invoice_is_can_be_asked(desk, record, integration):
    Record.objects.filter(pk=record.pk).update(stage="posted")
    state = desk.invoice("INV-1")
    assert (state.stage, state.status) == ("posted", "in_progress")
    assert desk_of(claimed(factories.IntegrationFactory(), "INV-9")).invoice("INV-1") is None


# Paid and back


@pytest.fixture
def invoice(integration, desk):
    made = claimed(integration, "INV-2")
    desk_of(made).link(posting(2, "INV-2"))
    Record.objects.filter(pk=made.pk).update(status="done", stage="confirmed")
    return made


def told(invoice: Record) -> list[str]:
    return list(
        AuditEvent.objects.filter(record=invoice, action__startswith="record.")
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_an_invoice_is_paid_and_no_longer_once_that_was_reversed(desk, invoice):
    with time_machine.travel(NOON, tick=False):
        desk.mark_paid("INV-2")
    invoice.refresh_from_db()
    assert (invoice.stage, invoice.updated_at) == ("paid", NOON)
    assert PostedDocument.objects.get(doc_entry=2).settled_at == NOON
    desk.mark_paid("INV-2", paid=False)
    invoice.refresh_from_db()
    assert invoice.stage == "confirmed"
    assert PostedDocument.objects.get(doc_entry=2).settled_at is None
    assert told(invoice) == ["record.paid", "record.payment_reversed"]


def test_saying_twice_that_it_is_paid_is_told_once(desk, invoice):
    desk.mark_paid("INV-2")
    desk.mark_paid("INV-2")
    assert told(invoice) == ["record.paid"]


def test_an_invoice_that_is_not_done_is_not_paid(desk, invoice):
    Record.objects.filter(pk=invoice.pk).update(status="failed")
    desk.mark_paid("INV-2")
    invoice.refresh_from_db()
    assert (invoice.stage, told(invoice)) == ("confirmed", [])
    assert PostedDocument.objects.get(doc_entry=2).settled_at is None


def test_another_integration_s_invoice_is_not_paid(invoice):
    desk_of(claimed(factories.IntegrationFactory(), "INV-2")).mark_paid("INV-2")
    invoice.refresh_from_db()
    assert invoice.stage == "confirmed"


def test_a_deed_is_announced_and_ended_in_a_statement_each(desk, django_assert_num_queries):
    desk.attempts("post")
    with django_assert_num_queries(1):
        intent = desk.announce("acknowledge", "one", {"a": 1})
    with django_assert_num_queries(1):
        intent.done({"claimed": True})
    with django_assert_num_queries(0):
        assert [(past.state, past.answer) for past in desk.attempts("acknowledge")] == [("done", {"claimed": True})]


def test_what_is_kept_of_a_deed_is_what_would_be_read(desk, record):
    intent = desk.announce("post", "1.1", {"DocTotal": Decimal("10.10"), "on": [1, None]})
    intent.unknown("no answer")
    desk.announce("post", "1.1", {"DocTotal": Decimal("10.10"), "on": [1, None]}).done({"DocEntry": 7})
    assert desk.attempts("post") == desk_of(record).attempts("post")


def test_a_record_is_not_begun_anew_by_one_who_has_lost_it(desk, record):
    desk.announce("post", "1.1", {}).unknown("no answer")
    Record.objects.filter(pk=record.pk).update(lease_owner="another")
    with pytest.raises(LeaseLost):
        desk.announce("post", "1.1", {})
    assert Attempt.objects.get().state == "unknown"
