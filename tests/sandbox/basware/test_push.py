"""Contracts: Basware §16 and §18 point 8: subscriptions, notifications, tasks."""

import base64
import hashlib
import hmac
import re
from typing import Any

import pytest

from syncengine.sandbox.basware.notifications import sign
from tests.sandbox.basware.world import SECRET, Receiver, World, account, invoice

# The vectors of the contract (basware-samples.json, signatureVectors).
VECTORS = [
    (
        '{"taskId":"eb9ea3fa-69de-4a5a-8a1a-f4347cd18626","taskStatus":"New","taskType":"AccountingDocuments",'
        '"taskSubType":"WaitingForTransfer","documentId":"67192fd3809bc29599d22c92897b942a",'
        '"expirationTime":"2026-05-13T08:53:31Z"}',
        "f2c747dca5e832961f1da4e91d448e55e4c524692331045f9c6232b1cbe617d6",
        "8sdH3KXoMpYfHaTpHUSOVeTFJGkjMQRfnGIyscvmF9Y=",
    ),
    (
        '{"taskId":"t-ä-1","taskStatus":"New","taskType":"AccountingDocuments",'
        '"documentId":"66840c508b3fa95c24a4e11016a78fb0"}',
        "a0c5b5e51a29474f2223ebad375611d0aa9c758661ecca7bbff9514a4442cebe",
        "oMW15RopR08iI+utN1YR0KqcdYZh7Mp7v/lRSkRCzr4=",
    ),
]


def expected(body: bytes) -> bytes:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).digest()


def wait_for_task(world: World, status: str) -> dict[str, Any]:
    for _ in range(500):
        reply = world.get(f"/v1/tasks?taskStatus={status}")
        if reply.status == 200:
            return reply.json["taskStatus"][0]
        world.sandbox._stopping.wait(0.01)
    raise AssertionError(f"no task became {status}")


@pytest.mark.parametrize(("body", "in_hex", "in_base64"), VECTORS)
def test_signatures_are_those_of_the_contract(body: str, in_hex: str, in_base64: str) -> None:
    assert sign(SECRET, body.encode(), "hex") == in_hex
    assert sign(SECRET, body.encode(), "base64") == in_base64
    assert sign(SECRET, body.encode(), "prefixed") == f"sha256={in_hex}"
    assert sign(SECRET, body.encode(), "none") is None
    assert sign(SECRET, body.encode(), "bad") not in {in_hex, None}


def test_subscribing_tests_the_connection_with_a_signed_call(world: World, receiver: Receiver) -> None:
    reply = world.post("/v1/subscriptions", [receiver.subscription()])
    assert reply.json == [receiver.subscription(lastUpdated="2026-05-06T12:00:00.000Z")]
    (test,) = receiver.seen
    assert test.json["taskType"] == "ConnectionTest"
    assert {"taskId", "taskStatus", "documentId"} <= set(test.json)
    assert test.signature == expected(test.body).hex()


def test_the_connection_test_may_be_unsigned(world: World, receiver: Receiver) -> None:
    world.sandbox.switches.sign_connection_test = False
    world.post("/v1/subscriptions", [receiver.subscription()])
    assert receiver.seen[0].signature is None


@pytest.mark.parametrize("answer", [201, 401, 500])
def test_a_receiver_that_does_not_answer_200_is_not_subscribed(world: World, receiver: Receiver, answer: int) -> None:
    receiver.answers.statuses = [answer]
    reply = world.post("/v1/subscriptions", [receiver.subscription()])
    assert reply.status == 400
    assert reply.json["hasError"] is True
    assert "connection test" in reply.json["errorMessages"][0]["message"]
    assert world.get("/v1/subscriptions").json == {"detail": "Not Found"}


def test_a_receiver_that_is_not_there_is_not_subscribed(world: World, receiver: Receiver) -> None:
    gone = ("http://127.0.0.1:1/hook", "https://127.0.0.1:1/hook?tenant=a", "https://x.invalid:port", "http://[")
    for url in gone:
        assert world.post("/v1/subscriptions", [receiver.subscription(notificationWebhookURL=url)]).status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"taskType": "Invoices"},
        {"taskSubType": "INVOICE_RECEIVED"},
        {"subscriptionType": "Polling"},
        {"notificationWebhookURL": "portal.example.com/hook"},
        {"notificationWebhookURL": f"https://{'x' * 2083}"},
        {"webhookAuthenticationToken": ""},
        {"callbackUrl": "https://portal.example.com"},
    ],
)
def test_a_bad_subscription_is_400_in_the_shape_of_the_push_api(
    world: World, receiver: Receiver, fields: dict[str, str]
) -> None:
    reply = world.post("/v1/subscriptions", [receiver.subscription(**fields)])
    assert reply.status == 400
    assert set(reply.json) == {"requestId", "hasError", "errorMessages"}
    assert receiver.seen == []


def test_subscriptions_are_posted_as_an_array(world: World, receiver: Receiver) -> None:
    for body in (receiver.subscription(), b"[", b"{}"):
        reply = world.post("/v1/subscriptions", body)
        assert (reply.status, reply.json["hasError"]) == (400, True)


def test_the_subtype_defaults_to_error_for_requests_and_all_for_the_rest(world: World, receiver: Receiver) -> None:
    bodies = [receiver.subscription(taskType=kind) for kind in ("RequestStatus", "AccountingDocuments")]
    for body in bodies:
        del body["taskSubType"]
    made = world.post("/v1/subscriptions", bodies).json
    assert [entry["taskSubType"] for entry in made] == ["Error", "All"]


def test_subscriptions_are_listed_with_their_secret(world: World, subscriber: Receiver) -> None:
    found = world.get("/v1/subscriptions?taskType=AccountingDocuments").json["subscriptions"]
    assert found[0]["webhookAuthenticationToken"] == SECRET
    assert world.get("/v1/subscriptions?taskType=RequestStatus").status == 404
    assert world.get("/v1/subscriptions?lastUpdated=2026-05-06T12:00:00Z").status == 404
    assert world.get("/v1/subscriptions?lastUpdated=soon").status == 400


def test_posting_the_same_types_again_replaces_the_subscription(world: World, subscriber: Receiver) -> None:
    world.post("/v1/subscriptions", [subscriber.subscription(webhookAuthenticationToken="new secret")])
    found = world.get("/v1/subscriptions").json["subscriptions"]
    assert [entry["webhookAuthenticationToken"] for entry in found] == ["new secret"]


@pytest.mark.parametrize(
    ("query", "gone"),
    [
        ("lastUpdated=0001-01-01&taskType=AccountingDocuments&taskSubType=WaitingForTransfer", 1),
        ("lastUpdated=0001-01-01&taskType=AccountingDocuments&taskSubType=WaitingForPrebook", 0),
        ("lastUpdated=2026-05-06T12:00:00Z&taskType=AccountingDocuments&taskSubType=WaitingForTransfer", 0),
        ("lastUpdated=0001-01-01&taskType=All&taskSubType=All", 1),
    ],
)
def test_unsubscribing_takes_what_changed_after_the_moment(
    world: World, subscriber: Receiver, query: str, gone: int
) -> None:
    reply = world.call("DELETE", f"/v1/subscriptions?{query}")
    assert reply.json == {"status": "Deleted successfully", "numberOfRecordsDeleted": gone}
    assert (world.get("/v1/subscriptions").status == 404) is bool(gone)


@pytest.mark.parametrize("query", ["", "taskType=All&taskSubType=All", "lastUpdated=0001-01-01&taskType=All"])
def test_unsubscribing_needs_all_three_parameters(world: World, query: str) -> None:
    reply = world.call("DELETE", f"/v1/subscriptions?{query}")
    assert reply.status == 422
    assert "required" in reply.json["message"]


def test_a_new_invoice_is_announced_without_its_data(world: World, subscriber: Receiver) -> None:
    world.sandbox.documents.issue(invoice("inv-2"))
    (notification,) = subscriber.wait_for(1)
    assert notification.signature == expected(notification.body).hex()
    payload = notification.json
    assert (payload["taskStatus"], payload["taskType"], payload["taskSubType"], payload["documentId"]) == (
        "New",
        "AccountingDocuments",
        "WaitingForTransfer",
        "inv-2",
    )
    assert payload["expirationTime"] == "2026-05-13T12:00:00.000Z"
    assert "grossSum" not in payload


def test_every_move_into_a_waiting_status_is_announced_to_those_who_asked(world: World, receiver: Receiver) -> None:
    world.post("/v1/subscriptions", [receiver.subscription(taskSubType="All")])
    world.sandbox.documents.move("inv-1", "WaitingForPrebook")
    world.sandbox.documents.move("inv-1", "Prebooked")
    world.sandbox.documents.move("inv-1", "WaitingToBeRemoved")
    seen = {entry.json["taskSubType"] for entry in receiver.wait_for(2)}
    assert seen == {"WaitingForPrebook", "WaitingToBeRemoved"}


def test_a_retransfer_is_announced(world: World, subscriber: Receiver) -> None:
    world.transfer(success=False)
    world.sandbox.documents.retransfer("inv-1", {})
    assert subscriber.wait_for(1)[0].json["documentId"] == "inv-1"


def test_nobody_is_told_of_what_they_did_not_ask_for(world: World, subscriber: Receiver) -> None:
    world.sandbox.documents.move("inv-1", "WaitingForPrebook")
    assert world.get("/v1/tasks").json == {"detail": "Not Found"}


def test_failed_requests_are_announced_under_their_request_id(world: World, receiver: Receiver) -> None:
    world.post("/v1/subscriptions", [receiver.subscription(taskType="RequestStatus", taskSubType="Error")])
    world.post("/v1/accounts", [account()])
    bad = world.post("/v1/accounts", [account("1", companies=[{"companyCode": "9", "inherit": True, "active": True}])])
    world.clock.advance(60)
    world.get("/v1/requestStatus")
    (notification,) = receiver.wait_for(1)
    assert notification.json["documentId"] == bad.request_id
    assert notification.json["taskType"] == "RequestStatus"


def test_a_refused_notification_comes_again_under_the_same_task_id(world: World, subscriber: Receiver) -> None:
    subscriber.answers.statuses = [503, 500]
    world.sandbox.documents.issue(invoice("inv-2"))
    tries = subscriber.wait_for(3)
    assert len({entry.body for entry in tries}) == 1
    task = wait_for_task(world, "Completed")
    assert [step["action"] for step in task["taskHistory"]] == ["New", "New", "New", "Completed"]
    assert task["taskHistory"][1]["messages"] == ["Try 1: 503."]


def test_after_three_tries_the_task_has_failed(world: World, subscriber: Receiver) -> None:
    subscriber.answers.statuses = [500] * 9
    world.sandbox.documents.issue(invoice("inv-2"))
    task = wait_for_task(world, "Failed")
    assert len(subscriber.documents()) == 3
    assert world.get(f"/v1/tasks/{task['taskId']}").json == {"taskStatus": [task]}


def test_a_receiver_that_went_away_is_noted(world: World, subscriber: Receiver) -> None:
    subscriber.stop()
    world.sandbox.documents.issue(invoice("inv-2"))
    assert wait_for_task(world, "Failed")["taskHistory"][1]["messages"] == ["Try 1: no connection."]


def test_tasks_are_filtered_and_unknown_ones_404(world: World, subscriber: Receiver) -> None:
    world.sandbox.documents.issue(invoice("inv-2"))
    subscriber.wait_for(1)
    assert world.get("/v1/tasks?documentId=inv-2&taskType=AccountingDocuments").status == 200
    assert world.get("/v1/tasks?documentId=inv-1").status == 404
    assert world.get("/v1/tasks/nope").json == {"detail": "Not Found"}


def test_notifications_can_be_doubled(world: World, subscriber: Receiver) -> None:
    world.sandbox.switches.duplicate_notifications = True
    world.sandbox.documents.issue(invoice("inv-2"))
    first, second = subscriber.wait_for(2)
    assert first.json["taskId"] == second.json["taskId"]


def test_notifications_can_be_signed_in_another_form_or_wrongly(world: World, subscriber: Receiver) -> None:
    checks = {
        "base64": lambda body: base64.b64encode(expected(body)).decode(),
        "prefixed": lambda body: f"sha256={expected(body).hex()}",
        "none": lambda body: None,
    }
    for count, (form, value) in enumerate(checks.items(), start=1):
        world.sandbox.switches.signature = form
        world.sandbox.documents.issue(invoice(f"inv-{form}"))
        notification = subscriber.wait_for(count)[-1]
        assert notification.signature == value(notification.body)
    world.sandbox.switches.signature = "bad"
    world.sandbox.documents.issue(invoice("inv-bad"))
    notification = subscriber.wait_for(4)[-1]
    assert re.fullmatch("[0-9a-f]{64}", notification.signature or "")
    assert notification.signature != expected(notification.body).hex()


def test_the_task_type_can_be_misspelt_as_in_the_document(world: World, subscriber: Receiver) -> None:
    world.sandbox.switches.misspelt_task_type = True
    world.sandbox.documents.issue(invoice("inv-2"))
    assert subscriber.wait_for(1)[0].json["taskType"] == "AccoutingDocuments"
    assert world.get("/v1/tasks").json["taskStatus"][0]["taskType"] == "AccountingDocuments"


def test_a_notification_can_come_before_the_document_is_readable(world: World, subscriber: Receiver) -> None:
    world.sandbox.switches.readable_after = 10
    world.sandbox.documents.issue(invoice("inv-2"))
    subscriber.wait_for(1)
    assert world.get("/v1/accountingDocuments/inv-2").status == 404
    assert [entry["invoiceId"] for entry in world.documents()] == ["inv-1"]
    world.clock.advance(10)
    assert world.document("inv-2")["invoiceId"] == "inv-2"


def test_a_receiver_may_call_back_while_it_is_being_told(world: World, receiver: Receiver) -> None:
    read: list[int] = []

    def answer() -> int:
        read.append(world.get("/v1/accountingDocuments").status)
        return 200

    receiver.answers.next = answer  # type: ignore[method-assign]  # the point is what happens inside the call
    assert world.post("/v1/subscriptions", [receiver.subscription()]).status == 200
    assert read == [302]
