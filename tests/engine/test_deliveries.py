"""Real deliveries: the sandbox signs and sends them over a socket, we answer at once and look at the document later.

Whatever is sent twice, late, early, in the wrong order or of an unknown type does no harm (contracts: Basware §16).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from syncengine.engine import inbox
from syncengine.engine.health import health
from syncengine.engine.webhook_watch import silent_webhooks
from syncengine.engine.webhooks import subscribe
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, InboxNotification, Record, WebhookCounter
from tenants.models import WebhookSecret
from tests.engine.test_webhooks import body_of, sign
from tests.engine.world import World

PERSON = "admin@nordic-paper.example.com"
PATIENCE = 10.0
STEP = 0.02


def until(condition: Callable[[], Any]) -> Any:
    """What the condition says once it says something: deliveries come in threads of their own."""
    pause = threading.Event()
    for _ in range(round(PATIENCE / STEP)):
        if found := condition():
            return found
        pause.wait(STEP)
    raise AssertionError("it never came")


def work() -> None:
    while inbox.work_on_due(Deadline(10)):
        pass


@pytest.fixture
def subscribed(world: World, live_server: Any, settings: Any) -> World:
    settings.SITE_URL = live_server.url
    world.tell("/basware/switches", retry_spacing=0.02)
    assert subscribe(world.integration, PERSON)["confirmed"]
    world.quiet()
    return world


@pytest.fixture
def approve(subscribed: World) -> Callable[[], str]:
    """An invoice is approved in Basware: its id."""
    template = next(
        one["invoiceId"]
        for one in subscribed.tell("/basware/documents", "GET")
        if one["processingStatus"] == "WaitingForTransfer"
    )

    def issue() -> str:
        made: str = subscribed.tell("/basware/issue", copyOf=template)["invoiceId"]
        return made

    return issue


@pytest.fixture
def send(subscribed: World, client: Any) -> Callable[..., int]:
    """A notification of our own making, signed with the secret in force unless another is given."""

    def post(secret: WebhookSecret | None = None, **fields: Any) -> int:
        secret = secret or WebhookSecret.objects.get(expires_at=None)
        body = body_of(**fields)
        headers = {"X-BWAPI-Signature-256": sign(body, secret.secret["value"])}
        path = f"/webhooks/basware/{subscribed.integration.webhook_id}/"
        status: int = client.generic("POST", path, body, "application/json", headers=headers).status_code
        return status

    return post


def delivered(document: str) -> list[InboxNotification]:
    return list(InboxNotification.objects.filter(document_id=document).order_by("pk"))


def results(document: str) -> list[str]:
    return [row.result for row in delivered(document)]


def deliveries_that_basware_saw_answered(world: World, document: str) -> int:
    tasks = [task for task in world.sandboxes.basware.notifier.tasks.values() if task["documentId"] == document]
    return sum(step["action"] == "Completed" for task in tasks for step in task["taskHistory"])


def reads(world: World, document: str) -> int:
    return len([call for call in world.calls("basware", "GET") if document in call["path"]])


def counted(reason: str) -> int:
    return sum(WebhookCounter.objects.filter(reason=reason).values_list("count", flat=True))


def test_an_approved_invoice_is_taken_up_and_says_how_it_was_found(subscribed: World, approve):
    document = approve()
    until(lambda: delivered(document))
    work()
    assert results(document) == ["taken up"]
    record = subscribed.record("invoices", document)
    assert record.found_by == "webhook"
    assert record.offered_at is not None
    assert record.offered_at <= record.created_at
    (event,) = AuditEvent.objects.filter(record=record, action="record.received")
    assert event.message.startswith("Found by notification ")
    assert event.message.endswith(" s after approval.")


def test_the_same_notification_twice_at_once_is_one(subscribed: World, approve):
    subscribed.tell("/basware/switches", duplicate_notifications=True)
    document = approve()
    until(lambda: deliveries_that_basware_saw_answered(subscribed, document) == 2)
    work()
    assert results(document) == ["taken up"]
    assert len([one for one in subscribed.records("invoices") if one.key == document]) == 1


def test_a_replay_of_what_was_dealt_with_changes_nothing(subscribed: World, approve):
    document = approve()
    until(lambda: delivered(document))
    work()
    (before,) = delivered(document)
    subscribed.quiet()
    tasks = subscribed.tell("/basware/notify", documentId=document)["taskIds"]
    assert tasks == [before.task_id]
    until(lambda: deliveries_that_basware_saw_answered(subscribed, document) == 2)
    work()
    assert delivered(document)[0].processed_at == before.processed_at
    assert len(delivered(document)) == 1
    assert subscribed.silent


@pytest.mark.parametrize("status", ["pending", "in_progress", "waiting"])
def test_another_one_about_a_document_under_way_reads_nothing(status, subscribed: World, approve, send):
    document = approve()
    until(lambda: delivered(document))
    work()
    later = timezone.now() + timedelta(hours=1)
    Record.objects.filter(key=document).update(status=status, next_attempt_at=later)
    subscribed.tell("/basware/move", invoiceId=document, status="TransferInProgress")
    subscribed.quiet()
    assert send(taskId="another", documentId=document) == 200
    work()
    assert results(document) == ["taken up", "known already"]
    assert subscribed.silent
    assert Record.objects.get(key=document).status == status


def test_many_about_one_document_read_it_once(subscribed: World, approve, send):
    document = approve()
    until(lambda: delivered(document))
    for number in range(4):
        send(taskId=f"another {number}", documentId=document)
    subscribed.quiet()
    work()
    assert results(document) == ["taken up", *["known already"] * 4]
    assert reads(subscribed, document) == 1


def test_one_that_is_looked_at_after_the_transfer_and_before_a_retransfer(subscribed: World, approve):
    """Out of order: the first is still open when the second, about a later approval, comes and is worked on."""
    document = approve()
    until(lambda: delivered(document))
    subscribed.tell("/basware/move", invoiceId=document, status="Transferred")
    work()
    assert results(document) == [""]  # might be an early one: looked at again later
    subscribed.tell("/basware/move", invoiceId=document, status="WaitingForTransfer")
    until(lambda: len(delivered(document)) == 2)
    work()
    assert results(document) == ["", "taken up"]
    InboxNotification.objects.update(next_attempt_at=timezone.now())
    work()
    assert results(document) == ["known already", "taken up"]
    assert len([one for one in subscribed.records("invoices") if one.key == document]) == 1


def test_one_that_comes_before_its_document_can_be_read_is_tried_again(subscribed: World, approve):
    subscribed.tell("/basware/switches", readable_after=3600)
    with time_machine.travel(timezone.now(), tick=True) as clock:
        document = approve()
        until(lambda: delivered(document))
        work()
        (early,) = delivered(document)
        assert (early.result, early.attempts) == ("", 1)
        subscribed.tell("/basware/switches", readable_after=0)
        clock.shift(3700)
        work()
    assert results(document) == ["taken up"]


@pytest.mark.parametrize("kind", ["ExportedContracts", "SomethingNew"])
def test_a_type_that_nobody_knows_is_answered_kept_and_left_alone(kind, subscribed: World, send):
    assert send(taskId="t-9", taskType=kind) == 200
    work()
    assert InboxNotification.objects.get(task_id="t-9").result == "unknown type: nothing to do"
    assert subscribed.silent


def test_the_misspelt_type_counts_as_a_document(subscribed: World, approve):
    subscribed.tell("/basware/switches", misspelt_task_type=True)
    document = approve()
    until(lambda: delivered(document))
    work()
    assert results(document) == ["taken up"]


@pytest.mark.parametrize(("form", "reason"), [("bad", "unknown_secret"), ("none", "no_signature")])
def test_badly_signed_ones_are_refused_and_counted_each_time(form, reason, subscribed: World, approve):
    subscribed.tell("/basware/switches", signature=form)
    document = approve()
    until(lambda: counted(reason) == 3)  # Basware tries three times
    assert delivered(document) == []
    row = WebhookCounter.objects.get(reason=reason)
    assert row.last_address == "127.0.0.1"
    assert row.last_size > 0


def test_during_a_rotation_both_secrets_count_for_a_day(subscribed: World, send, approve):
    (old,) = WebhookSecret.objects.all()
    assert subscribe(subscribed.integration, PERSON)["confirmed"]
    new = WebhookSecret.objects.get(expires_at=None)
    rotated = timezone.now()
    old.refresh_from_db()
    document = approve()
    assert until(lambda: delivered(document))
    with time_machine.travel(rotated, tick=False) as clock:
        clock.shift(timedelta(hours=23, minutes=59))
        assert (send(old, taskId="a"), send(new, taskId="b")) == (200, 200)
        clock.shift(timedelta(minutes=2))
        assert (send(old, taskId="c"), send(new, taskId="d")) == (401, 200)
    row = WebhookCounter.objects.get(reason="expired_secret")
    assert row.secret_expired_at == old.expires_at
    assert set(InboxNotification.objects.exclude(document_id=document).values_list("task_id", flat=True)) == {
        "a", "b", "d",
    }  # fmt: skip


def test_a_webhook_that_falls_silent_is_told_and_well_again_once_basware_delivers(subscribed: World, approve):
    """Basware's subscription is gone behind our back; runs go on finding what is approved."""
    kept = dict(subscribed.sandboxes.basware.notifier.subscriptions.items())
    for key in kept:
        subscribed.sandboxes.basware.notifier.subscriptions.delete(key)
    missed = [approve() for _ in range(3)]
    subscribed.ask("invoices")
    subscribed.work()
    assert {record.found_by for record in subscribed.records("invoices")} == {"poll"}
    assert set(missed) <= {record.key for record in subscribed.records("invoices")}
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        assert silent_webhooks(timezone.now()) == {subscribed.integration.pk: 3}
        Record.objects.update(status="done")
        assert health(subscribed.integration) == "degraded"
        for key, row in kept.items():
            subscribed.sandboxes.basware.notifier.subscriptions.put(key, row)
        document = approve()
        until(lambda: delivered(document))
        assert silent_webhooks(timezone.now()) == {}
