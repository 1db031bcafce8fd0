"""One record: its stages, its trail, and every deed a person can do to it."""

from __future__ import annotations

import pytest

from portal.views.stages import stage_line
from portal.views.timeline import attempts_of, timeline_of, words_of_action
from syncengine.engine.connections import NotConfigured
from syncengine.engine.dry_replays import Tried
from syncengine.models import AuditEvent, Record
from tenants.models import FieldMapping
from tests import factories
from tests.factories import NOON


@pytest.fixture
def invoice(connected):
    return factories.invoice(
        connected,
        title="Nordic RE-4711",
        status="failed",
        stage="acknowledged",
        error_code="checks_failed",
        error_message="Account 4010; cost center X; vendor V9",
        problems=[
            {"path": "rows[0].account", "message": "Account 4010 is frozen.", "hint": "Thaw it."},
            {"path": "rows[0].costCenter", "message": "Cost center X does not exist.", "hint": "Make it."},
            {"path": "supplierCode", "message": "Vendor V9 is on hold.", "hint": "Release it."},
        ],
    )


@pytest.fixture
def path(organization, invoice):
    return f"/o/{organization.slug}/records/{invoice.pk}/"


CHANGE = {"path": "CardCode", "old": "V0", "new": "V1"}
TRIED = Tried("post", "It would be posted to SAP.", [], {}, {"CardCode": "V1"}, [CHANGE], 0)


def page(client, path):
    return client.get(path).content.decode()


def marks_of(record):
    return [(step.label, step.mark) for step in stage_line(record)]


def again(record):
    return Record.objects.get(pk=record.pk)


def test_every_problem_is_named_with_its_place_and_its_hint(path, invoice, people):
    text = page(people["viewer"], path)
    for problem in invoice.problems:
        assert problem["path"] in text
        assert problem["message"] in text
        assert problem["hint"] in text


def test_a_failure_without_problems_shows_its_sentence_and_hint(organization, connected, people):
    record = factories.FailedRecordFactory(integration=connected)
    text = page(people["viewer"], f"/o/{organization.slug}/records/{record.pk}/")
    assert record.error_message in text
    assert record.error_hint in text


def test_the_stage_line_shows_where_an_invoice_is_stuck(invoice):
    assert marks_of(invoice) == [
        ("Received", "reached"),
        ("Acknowledged", "current"),
        ("Checked", "stuck"),
        ("Posted", ""),
        ("Confirmed", ""),
        ("Paid", ""),
    ]


def test_master_data_has_two_stages(connected):
    record = factories.RecordFactory(integration=connected, status="done", stage="confirmed")
    assert marks_of(record) == [("Received", "reached"), ("Confirmed", "current")]


def test_master_data_that_failed_again_is_stuck_where_it_was_confirmed_before(connected):
    record = factories.FailedRecordFactory(integration=connected, stage="confirmed")
    assert marks_of(record) == [("Received", "reached"), ("Confirmed", "stuck")]


def test_the_timeline_tells_events_and_writes_with_the_newest_first(organization, connected, invoice):
    factories.AuditEventFactory(organization=organization, record=invoice, action="record.received")
    factories.AuditEventFactory(
        organization=organization, record=invoice, actor="anna@example.com", created_at=NOON.replace(hour=14)
    )
    factories.AttemptFactory(
        integration=connected, record=invoice, kind="post", state="rejected", started_at=NOON.replace(hour=13)
    )
    moments = timeline_of(invoice, attempts_of(invoice))
    assert [(moment.title, moment.tone, moment.actor) for moment in moments] == [
        ("Replayed", "person", "anna@example.com"),
        ("Posted to SAP: refused", "bad", ""),
        ("Received", "", ""),
    ]


def test_a_batch_that_held_the_record_is_in_its_timeline_and_calls(organization, connected, people):
    record = factories.RecordFactory(integration=connected)
    factories.sent_in_batch(record, url="https://api.basware.example.com/v1/vendors?batch")
    assert len(timeline_of(record, attempts_of(record))) == 1
    assert "vendors?batch" in page(people["viewer"], f"/o/{organization.slug}/records/{record.pk}/")


def test_actions_are_told_in_words():
    assert words_of_action("record.transfer_confirmed") == "Transfer confirmed"


def test_a_call_is_fetched_with_its_bodies_when_somebody_opens_it(organization, connected, invoice, people):
    call = factories.CallFactory(
        integration=connected, record=invoice, request_body='{"CardCode": "V9"}', response_body="<html>"
    )
    text = page(people["viewer"], f"/o/{organization.slug}/calls/{call.pk}/")
    assert "&quot;CardCode&quot;" in text
    assert "&lt;html&gt;" in text
    assert "CardCode" not in page(people["viewer"], f"/o/{organization.slug}/records/{invoice.pk}/")


def test_replay_makes_it_pending_and_keeps_who_and_why(path, invoice, people):
    answer = people["operator"].post(f"{path}replay/", {"replay-reason": "account opened"})
    assert answer["Location"] == path
    assert again(invoice).status == "pending"
    event = AuditEvent.objects.get(action="record.replayed")
    assert (event.actor, event.message) == ("operator@nordic-paper.example.com", "account opened")


def test_what_the_engine_refuses_is_said_on_the_page(path, invoice, people):
    Record.objects.filter(pk=invoice.pk).update(status="in_progress")
    answer = people["operator"].post(f"{path}hold/")
    assert answer.status_code == 400
    assert "being worked on right now" in answer.content.decode()


def test_a_replay_of_what_is_worked_on_is_remembered_and_the_page_says_so(path, invoice, people):
    Record.objects.filter(pk=invoice.pk).update(status="in_progress")
    assert people["operator"].post(f"{path}replay/").status_code == 302
    assert "A replay is remembered" in page(people["operator"], path)


def test_a_record_of_an_older_mapping_offers_that_of_then(path, invoice, people):
    assert "That of then" not in page(people["operator"], path)
    Record.objects.filter(pk=invoice.pk).update(mapping_version=3)
    for version in (3, 5):
        FieldMapping.objects.create(
            integration=invoice.integration, flow="invoices", version=version, rules=[], lookups={}
        )
    text = " ".join(page(people["operator"], path).split())
    assert "mapped with version 3, today is 5" in text
    assert "That of then, version 3" in text
    people["operator"].post(f"{path}replay/", {"replay-mapping": "then"})
    assert again(invoice).pinned_version == 3
    event = AuditEvent.objects.get(action="record.replayed")
    assert (event.data["mapping"], event.data["mapping_version"]) == ("then", 3)


def test_a_try_is_shown_in_place_and_changes_nothing(path, invoice, people, monkeypatch):
    monkeypatch.setattr("syncengine.engine.dry_replays.try_replay", lambda record, mapping: TRIED)
    before = Record.objects.values().get(pk=invoice.pk)
    part = people["operator"].post(f"{path}try/", headers={"HX-Request": "true"}).content.decode()
    whole = people["operator"].post(f"{path}try/").content.decode()
    for text in (part, whole):
        assert "It would be posted to SAP." in text
        assert "CardCode" in text
        assert "Nothing was written anywhere." in text
    assert "<html" not in part
    assert Record.objects.values().get(pk=invoice.pk) == before


def test_a_try_says_what_cannot_be_asked(path, people):
    text = people["operator"].post(f"{path}try/", headers={"HX-Request": "true"}).content.decode()
    assert "notice-bad" in text


def test_what_was_never_built_is_said_in_words(path, people):
    Record.objects.update(source={"invoiceId": "1"})
    text = " ".join(page(people["viewer"], path).split())
    assert "Nothing was built to be sent. Account 4010; cost center X; vendor V9" in text
    assert "null" not in text


def test_numbers_are_called_as_sap_calls_them(path, invoice, people):
    Record.objects.filter(pk=invoice.pk).update(target_keys={"DocEntry": 7, "DocNum": 4711})
    text = page(people["viewer"], path)
    assert "<dt>DocEntry</dt>" in text
    assert "<dt>DocNum</dt>" in text


def test_a_planned_try_can_be_held_from_the_page(path, invoice, people):
    assert "Stop trying" not in page(people["operator"], path)
    Record.objects.filter(pk=invoice.pk).update(status="waiting", next_attempt_at=NOON)
    assert "Stop trying" in page(people["operator"], path)
    assert people["operator"].post(f"{path}hold/", {"hold-reason": "wait for the vendor"}).status_code == 302
    assert again(invoice).error_code == "held_by_person"


def test_the_page_leads_to_all_that_failed_for_the_same(path, invoice, people):
    Record.objects.filter(pk=invoice.pk).update(cause="problems: Account 4010 is frozen.")
    assert "that failed for this" not in page(people["viewer"], path)
    factories.invoice(invoice.integration, status="failed", cause="problems: Account 4010 is frozen.")
    text = page(people["viewer"], path)
    assert "All 2 records that failed for this" in text
    assert "cause=problems%3A%20Account%204010%20is%20frozen." in text


@pytest.mark.parametrize(("flow", "offered"), [("vendors", True), ("invoices", False)])
def test_only_master_data_can_be_resent(organization, connected, people, flow, offered):
    record = factories.RecordFactory(integration=connected, flow=flow, status="done")
    path = f"/o/{organization.slug}/records/{record.pk}/"
    assert (f"{path}resend/" in page(people["operator"], path)) is offered
    assert people["operator"].post(f"{path}resend/").status_code == (302 if offered else 400)


def test_putting_aside_needs_a_reason(path, invoice, people):
    answer = people["operator"].post(f"{path}ignore/", {"reason": ""})
    assert answer.status_code == 400
    assert answer.context["opened"] == "ignore_form"
    assert again(invoice).status == "failed"


def test_a_held_invoice_must_be_given_back_or_booked(path, invoice, people):
    answer = people["operator"].post(f"{path}ignore/", {"reason": "test", "outcome": ""})
    assert answer.status_code == 400
    assert "Basware waits for an answer" in answer.content.decode()
    assert again(invoice).status == "failed"


def test_a_held_invoice_is_given_back_with_the_reason(path, invoice, people):
    assert people["operator"].post(f"{path}ignore/", {"reason": "not ours", "outcome": "give_back"}).status_code == 302
    assert again(invoice).memo["decision"] == {"decision": "give_back", "document": None, "reason": "not ours"}


def test_booked_by_hand_needs_the_document(path, invoice, people, monkeypatch):
    monkeypatch.setattr("syncengine.engine.replay._check_number", lambda record, number: None)
    data = {"reason": "by hand", "outcome": "booked_as"}
    assert "Enter the DocNum" in people["operator"].post(f"{path}ignore/", data).content.decode()
    assert people["operator"].post(f"{path}ignore/", {**data, "booked_as": "4711"}).status_code == 302
    assert again(invoice).memo["decision"]["document"] == 4711


def test_a_number_cannot_be_booked_while_sap_cannot_be_asked(path, invoice, people, monkeypatch):
    def away(record, number):
        raise NotConfigured("sap_b1")

    monkeypatch.setattr("syncengine.engine.replay._check_number", away)
    answer = people["operator"].post(f"{path}ignore/", {"reason": "x", "outcome": "booked_as", "booked_as": "4711"})
    assert answer.status_code == 400
    assert "is not set up yet" in answer.content.decode()
    assert again(invoice).status == "failed"


@pytest.fixture
def undecided(invoice):
    invoice.error_code, invoice.decisions = "needs_decision", ["adopt", "post", "reject"]
    invoice.save()
    return invoice


def test_open_decisions_are_offered_in_words(path, undecided, people):
    text = page(people["operator"], path)
    assert "It is this document: take it as ours" in text
    assert "Approve the new bank account" not in text


def test_a_decision_is_taken_with_its_reason(path, undecided, people):
    data = {"decision": "adopt", "document": "4711", "reason": "same delivery note"}
    assert people["operator"].post(f"{path}decide/", data).status_code == 302
    assert again(undecided).memo["decision"] == {"decision": "adopt", "document": 4711, "reason": "same delivery note"}


@pytest.mark.parametrize("data", [{"decision": "close", "reason": "x"}, {"decision": "adopt"}, {}])
def test_a_decision_that_is_not_open_or_has_no_reason_is_refused(path, undecided, people, data):
    assert people["operator"].post(f"{path}decide/", data).status_code == 400
    assert again(undecided).status == "failed"


def test_a_bank_change_needs_an_admin(organization, connected, people):
    record = factories.RecordFactory(
        integration=connected, status="done", flags=["bank_change_held"], decisions=["approve_bank_change"]
    )
    path = f"/o/{organization.slug}/records/{record.pk}/decide/"
    data = {"decision": "approve_bank_change", "reason": "called the vendor"}
    assert people["operator"].post(path, data).status_code == 403
    assert people["admin"].post(path, data).status_code == 302


def test_a_held_back_record_names_what_it_waits_for(organization, connected, people):
    cause = factories.FailedRecordFactory(integration=connected, title="Term 14T2")
    record = factories.FailedRecordFactory(integration=connected, error_code="dependency_failed", blocked_by=cause)
    text = page(people["viewer"], f"/o/{organization.slug}/records/{record.pk}/")
    assert f"/o/{organization.slug}/records/{cause.pk}/" in text
    assert "Term 14T2" in text
