"""One record's way: when each stage was reached, what repeats itself, what differs, and where it leads."""

from __future__ import annotations

import shlex

from portal.views.stages import stage_line
from portal.views.timeline import attempts_of, timeline_of
from syncengine.models import Record
from tests import factories
from tests.factories import NOON
from tests.portal.views.test_record import invoice, page, path

__all__ = ["invoice", "path"]


def test_each_stage_says_when_it_was_reached(organization, connected, people):
    record = factories.invoice(
        connected, status="done", stage="paid", key="8f3a", memo={"checked_at": "2026-05-04T12:10:00+00:00"}
    )
    for hour, kind in ((13, "acknowledge"), (14, "post"), (15, "transfer_response")):
        done = {"state": "done", "finished_at": NOON.replace(hour=hour), "started_at": NOON}
        factories.AttemptFactory(integration=connected, record=record, flow="invoices", kind=kind, **done)
    factories.AuditEventFactory(
        organization=organization, record=record, action="record.paid", created_at=NOON.replace(hour=20)
    )
    line = stage_line(record, attempts_of(record))
    assert [step.at and step.at.hour for step in line[1:]] == [13, 12, 14, 15, 20]
    text = page(people["viewer"], f"/o/{organization.slug}/records/{record.pk}/")
    assert "4 May 2026, 15:00" in text


def test_what_repeats_itself_is_one_line(organization, invoice):
    for minute in range(5):
        factories.AuditEventFactory(
            organization=organization, record=invoice, action="record.waiting", message="SAP is away.",
            created_at=NOON.replace(minute=minute),
        )  # fmt: skip
    (moment,) = timeline_of(invoice, [])
    assert (moment.title, moment.times, moment.since, moment.at) == ("Waiting", 5, NOON, NOON.replace(minute=4))


def test_questions_of_one_moment_are_one_line(connected, invoice):
    for minute, outcome in ((0, "ok"), (1, "unavailable"), (30, "ok")):
        factories.CallFactory(
            integration=connected, record=invoice, method="GET", system="sap_b1", outcome=outcome,
            started_at=NOON.replace(minute=minute),
        )  # fmt: skip
    lines = [(moment.title, moment.text) for moment in timeline_of(invoice, [], invoice.calls.all())]
    assert lines == [
        ("Looked it up in SAP Business One", "1 question, all answered."),
        ("Looked it up in SAP Business One", "2 questions, 1 without a good answer."),
    ]


def test_fields_stand_side_by_side_and_differences_are_said_in_words(organization, connected, people):
    record = factories.RecordFactory(
        integration=connected, source={"CardName": "New Oy", "City": "Espoo"},
        target={"name": "New Oy", "city": "Espoo", "kind": "S"},
        confirmed_target={"name": "Old Oy", "city": "Espoo", "x": 1},
    )  # fmt: skip
    answer = people["viewer"].get(f"/o/{organization.slug}/records/{record.pk}/")
    words = {field.path: field.word for field in answer.context["fields"]}
    assert words == {"name": "changed", "kind": "not confirmed yet", "x": "no longer sent", "city": "same"}
    assert answer.context["fields"][0].origin == "CardName"
    assert "3 fields differ from what" in " ".join(answer.content.decode().split())


def test_what_sap_answered_is_what_it_confirmed(organization, connected, people):
    record = factories.invoice(connected, source={"sum": 10}, target={"DocTotal": 10, "CardCode": "V1"})
    attempt = factories.AttemptFactory(integration=connected, record=record, kind="post", state="done")
    factories.CallFactory(
        integration=connected, record=record, attempt=attempt, response_body='{"DocTotal": 12.5, "DocNum": 7}'
    )
    fields = people["viewer"].get(f"/o/{organization.slug}/records/{record.pk}/").context["fields"]
    assert {field.path: field.word for field in fields} == {"DocTotal": "changed", "CardCode": "made by the mapping"}


def test_related_records_and_look_alikes_are_linked(organization, connected, people):
    record = factories.invoice(
        connected, key="8f3a", title="this", reference="RE-1", party="V9", source={"orderNumbers": ["20001"]}
    )
    others = [
        factories.RecordFactory(integration=connected, key="V9", title="the vendor"),
        factories.RecordFactory(integration=connected, flow="purchase_orders", reference="20001", title="the order"),
        factories.RecordFactory(integration=connected, flow="payments", reference="8f3a", title="the payment"),
        factories.invoice(connected, reference="RE-1", title="its twin"),
        factories.invoice(connected, reference="RE-2", party="V9", title="its cousin"),
    ]
    stranger = factories.invoice(connected, reference="RE-3", title="a stranger", amount=7)
    text = page(people["viewer"], f"/o/{organization.slug}/records/{record.pk}/")
    for other in others:
        assert f"/records/{other.pk}/" in text
    assert f"/records/{stranger.pk}/" not in text
    assert "Same vendor and amount" in text
    payment = page(people["viewer"], f"/o/{organization.slug}/records/{others[2].pk}/")
    assert f"/records/{record.pk}/" in payment


def test_links_into_the_systems_need_an_address_and_its_numbers(organization, connected, invoice, path, people):
    assert "Open in" not in page(people["viewer"], path)
    connected.settings = {
        "sap_document_link": "https://web.example.com/#invoice/{DocEntry}",
        "basware_document_link": "https://b.example.com/doc?id={invoiceId}",
    }
    connected.save()
    text = page(people["viewer"], path)
    assert "https://web.example.com" not in text
    assert f"https://b.example.com/doc?id={invoice.key}" in text
    Record.objects.filter(pk=invoice.pk).update(target_keys={"DocEntry": "7/../8"})
    assert "https://web.example.com/#invoice/7%2F..%2F8" in page(people["viewer"], path)


def test_a_call_can_be_copied_as_curl_without_its_secrets(organization, connected, invoice, people):
    call = factories.CallFactory(
        integration=connected, record=invoice, method="POST", url="https://me:hunter2@sap.example.com/b1s/v2/Login?sig=s3cr3t",
        request_headers={
            "Authorization": "Bearer canary-1", "Cookie": "B1SESSION=canary-2", "X-Api-Key": "canary-3",
            "Content-Type": "application/json", "Content-Length": "9",
        },
        request_body='{"Password": "canary-4", "UserName": "it\'s me"}',
    )  # fmt: skip
    command = people["viewer"].get(f"/o/{organization.slug}/calls/{call.pk}/").context["curl"]
    for secret in ("canary", "hunter2", "s3cr3t"):
        assert secret not in command
    parts = shlex.split(command)
    assert parts[:3] == ["curl", "--request", "POST"]
    assert "Content-Type: application/json" in parts
    assert "it's me" in parts[-1]
    assert "Content-Length" not in command


def test_bodies_that_are_gone_are_proven_by_their_hash(organization, connected, invoice, people):
    call = factories.CallFactory(integration=connected, record=invoice, bodies_kept=False, request_sha256="ab" * 32)
    text = page(people["viewer"], f"/o/{organization.slug}/calls/{call.pk}/")
    assert "ab" * 32 in text
    assert "no longer kept" in text
    assert "--data-raw" not in text
