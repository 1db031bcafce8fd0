"""The row is there if, and only if, the deed is."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.db import transaction

from syncengine.audit import record_event, record_events
from syncengine.engine.pauses import pause, resume
from syncengine.hooks import publishing, service
from syncengine.hooks.events import OF_ACTION, WORDS, Event
from syncengine.models import Hook, HookDelivery
from syncengine.notices import Kind, raise_notice
from tests import factories

pytestmark = pytest.mark.django_db


def told():
    return [json.loads(body) for body in HookDelivery.objects.order_by("pk").values_list("body", flat=True)]


def note(integration, action, **more):
    record_event(integration.organization, "system", action, "why", integration=integration, **more)


def test_a_message_says_what_when_and_of_which_record(hook, integration):
    record = factories.FailedRecordFactory(integration=integration, amount=Decimal("100.10"), currency="EUR")
    note(integration, "record.failed", record=record)
    [message] = told()
    assert message["type"] == "record.failed"
    assert message["timestamp"].endswith("Z")
    assert message["data"]["integration"] == integration.pk
    assert message["data"]["id"] == record.pk
    assert message["data"]["amount"] == "100.10"
    assert message["data"]["error"] == {"code": record.error_code, "message": record.error_message}


def test_many_records_are_one_message_each_under_their_own_id(hook, integration):
    records = factories.RecordFactory.create_batch(3, integration=integration, status="done")
    record_events(integration, "record.confirmed", [(record, "taken over") for record in records])
    assert [message["data"]["id"] for message in told()] == [record.pk for record in records]
    assert len(set(HookDelivery.objects.values_list("message_id", flat=True))) == 3


def test_a_deed_that_is_undone_tells_nobody(hook, integration):
    with transaction.atomic():
        note(integration, "integration.paused")
        assert len(told()) == 1
        transaction.set_rollback(True)
    assert told() == []


def test_a_run_is_told_with_its_counts(hook, integration):
    run = factories.RunFactory(integration=integration, status="partial", read=5, failed=2)
    note(integration, "run.partial", run=run)
    [message] = told()
    assert message["type"] == "run.finished"
    assert message["data"]["status"] == "partial"
    assert message["data"]["counts"]["failed"] == 2


def test_a_pause_its_end_and_what_people_are_told_come_too(hook, integration):
    pause(integration, "SAP refused the log-in.")
    resume(integration, "admin@example.com")
    raise_notice(integration, Kind.CERTIFICATE, "sap_b1", "It runs out soon.")
    types = [message["type"] for message in told()]
    assert types.count("connection.refused") == types.count("connection.resumed") == 1
    assert types.count("attention.needed") == 3  # paused, resumed, the certificate


def test_who_did_not_ask_is_told_nothing(hook, integration, elsewhere):
    service.change(hook, {"events": ["invoice.paid"]}, "admin@example.com")
    other = factories.IntegrationFactory(organization=elsewhere)
    service.change(hook, {"events": list(Event)}, "admin@example.com")
    note(other, "integration.paused")
    note(integration, "mapping.saved")
    assert told() == []


def test_a_hook_of_one_integration_is_not_told_of_another(hook, integration):
    another = factories.IntegrationFactory(organization=integration.organization)
    service.change(hook, {"integration": another}, "admin@example.com")
    note(integration, "integration.paused")
    note(another, "integration.paused")
    assert [message["data"]["integration"] for message in told()] == [another.pk]


@pytest.mark.parametrize("off", [{"enabled": False}, {"stopped_at": factories.NOON}])
def test_a_hook_that_is_off_keeps_nothing(off, hook, integration):
    Hook.objects.update(**off)
    note(integration, "integration.paused")
    assert told() == []


def test_a_queue_is_bounded_and_a_full_one_stops_the_hook(hook, integration, monkeypatch):
    monkeypatch.setattr(publishing, "MOST_WAITING", 2)
    for _ in range(4):
        note(integration, "integration.paused")
    hook.refresh_from_db()
    assert len(told()) == 2
    assert hook.stopped_for == "2 messages wait for it."


def test_without_a_hook_a_deed_asks_one_question_more_and_others_none(integration, django_assert_num_queries):
    with django_assert_num_queries(1):
        publishing.publish_action(integration.organization_id, integration.pk, "integration.paused", "")
    with django_assert_num_queries(0):
        publishing.publish_action(integration.organization_id, integration.pk, "mapping.saved", "")


def test_every_event_is_explained_and_comes_from_somewhere():
    assert {*WORDS} == {*Event}
    assert {*OF_ACTION.values()} | {Event.ATTENTION_NEEDED} == {*Event}
