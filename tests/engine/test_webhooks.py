"""Notifications as they come in (contracts: Basware §16.3, §16.4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
import time_machine

from syncengine.engine.quarantine import LARGEST_BODY
from syncengine.engine.webhooks import receive
from syncengine.models import AuditEvent, InboxNotification, WebhookCounter
from tests import factories
from tests.factories import NOON

SECRET = "s3cr3t-Nordic-åäö-0001"
# The two vectors of the contract: body and signature in hex.
VECTORS = [
    (
        '{"taskId":"eb9ea3fa-69de-4a5a-8a1a-f4347cd18626","taskStatus":"New","taskType":"AccountingDocuments",'
        '"taskSubType":"WaitingForTransfer","documentId":"67192fd3809bc29599d22c92897b942a",'
        '"expirationTime":"2026-05-13T08:53:31Z"}',
        "f2c747dca5e832961f1da4e91d448e55e4c524692331045f9c6232b1cbe617d6",
    ),
    (
        '{"taskId":"t-ä-1","taskStatus":"New","taskType":"AccountingDocuments",'
        '"documentId":"66840c508b3fa95c24a4e11016a78fb0"}',
        "a0c5b5e51a29474f2223ebad375611d0aa9c758661ecca7bbff9514a4442cebe",
    ),
]
TEST = {"taskId": "t-0", "taskStatus": "New", "taskType": "ConnectionTest", "documentId": "d-0"}


def sign(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def body_of(**fields) -> bytes:
    given = {"taskId": "t-1", "taskStatus": "New", "taskType": "AccountingDocuments", "documentId": "d-1", **fields}
    return json.dumps({name: value for name, value in given.items() if value is not ...}).encode()


@pytest.fixture
def secret(integration):
    return factories.WebhookSecretFactory(integration=integration)


@pytest.fixture
def notify(integration, secret, client):
    """Send a notification over HTTP; signed rightly unless the test says otherwise."""

    def send(body: bytes, signature=..., **headers):
        if signature is ...:
            signature = sign(body)
        given = {"X-BWAPI-Signature-256": signature} if signature is not None else {}
        path = f"/webhooks/basware/{integration.webhook_id}/"
        return client.generic("POST", path, body, "application/json", headers={**given, **headers})

    return send


def counters() -> dict[str, int]:
    return dict(WebhookCounter.objects.values_list("reason", "count"))


@pytest.mark.parametrize(("body", "digest"), VECTORS)
def test_the_contract_s_vectors_are_accepted_in_every_spelling(body, digest, notify):
    raw = body.encode()
    encoded = base64.b64encode(bytes.fromhex(digest)).decode()
    for signature in (digest, digest.upper(), f"sha256={digest}", encoded, encoded.rstrip("=")):
        assert notify(raw, signature).status_code == 200
    assert InboxNotification.objects.count() == 1


def test_a_good_one_is_stored_echoed_and_a_worker_is_woken(notify, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr("syncengine.engine.wake.async_task", woken.append)
    body = body_of(taskSubType="WaitingForTransfer", somethingNew={"a": 1})
    with django_capture_on_commit_callbacks(execute=True), time_machine.travel(NOON, tick=False):
        response = notify(body)
    assert response.status_code == 200
    assert response.json() == json.loads(body)
    row = InboxNotification.objects.get()
    assert (row.task_id, row.task_type, row.task_sub_type) == ("t-1", "AccountingDocuments", "WaitingForTransfer")
    assert (row.document_id, row.signature_form, row.body) == ("d-1", "hex", body.decode())
    assert row.next_attempt_at == row.received_at == NOON
    assert len(woken) == 1


def test_the_same_task_again_is_200_and_nothing_new(notify, monkeypatch, django_capture_on_commit_callbacks):
    notify(body_of())
    woken = []
    monkeypatch.setattr("syncengine.engine.wake.async_task", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        assert notify(body_of(taskStatus="Repeated")).status_code == 200
    assert InboxNotification.objects.count() == 1
    assert woken == []


@pytest.mark.parametrize(
    "task_type", ["AccoutingDocuments", "accountingdocuments", "RequestStatus", "ExportedContracts"]
)
def test_every_type_that_is_signed_is_stored_for_the_worker_to_judge(task_type, notify):
    assert notify(body_of(taskType=task_type)).status_code == 200
    assert InboxNotification.objects.get().task_type == task_type


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (None, "no_signature"),
        ("", "no_signature"),
        ("0" * 64, "unknown_secret"),
        ("nonsense", "unreadable_signature"),
        ("sha256=", "unreadable_signature"),
        ("0" * 63, "unreadable_signature"),
        (sign(body_of(), "another secret of some length 123"), "unknown_secret"),
        (sign(body_of() + b"\n"), "unknown_secret"),
    ],
)
def test_a_bad_signature_is_401_and_leaves_only_a_counter(signature, reason, notify):
    assert notify(body_of(), signature).status_code == 401
    assert notify(body_of(), signature).status_code == 401
    assert counters() == {reason: 2}
    assert not InboxNotification.objects.exists()
    assert not AuditEvent.objects.exists()


def test_the_raw_bytes_are_signed_not_what_they_mean(notify):
    body = b'{ "documentId":"d-1",\n "taskType":"AccountingDocuments", "taskStatus":"New", "taskId":"t-1" }'
    assert notify(body).status_code == 200
    assert notify(json.dumps(json.loads(body)).encode(), sign(body)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"[]",
        b"\xff\xfe",
        body_of(taskId=...),
        body_of(documentId=None),
        body_of(taskId="x" * 101),
        body_of(taskType="x" * 61),
        body_of(documentId="nul \0 inside"),
    ],
)
def test_nonsense_that_is_signed_is_422(body, notify):
    assert notify(body).status_code == 422
    assert not InboxNotification.objects.exists()
    assert counters() == {"not_a_notification": 1}


def test_a_body_over_64_kib_is_413_before_anything_else(notify):
    assert notify(b"x" * (LARGEST_BODY + 1)).status_code == 413
    assert counters() == {"too_large": 1}
    assert WebhookCounter.objects.get().last_size == LARGEST_BODY + 1
    fits = body_of(padding="x" * (LARGEST_BODY - len(body_of(padding=""))))
    assert len(fits) == LARGEST_BODY
    assert notify(fits).status_code == 200


def test_a_body_without_an_announced_length_is_read_up_to_the_limit(integration, secret, rf):
    from io import BytesIO

    from portal.webhooks import basware

    for body, status in ((body_of(), 200), (b"x" * (LARGEST_BODY + 10), 413)):
        request = rf.post("/", headers={"X-BWAPI-Signature-256": sign(body), "Transfer-Encoding": "chunked"})
        request.META["wsgi.input"] = BytesIO(body)
        assert basware(request, integration.webhook_id).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_only_posts_are_taken(method, integration, client):
    assert client.generic(method, f"/webhooks/basware/{integration.webhook_id}/").status_code == 405


def test_an_address_that_was_never_given_out_is_404(notify, client, db):
    assert client.post("/webhooks/basware/guessed/", {}).status_code == 404


def test_a_notification_needs_no_csrf_token_and_makes_no_session(integration, secret):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    body = body_of()
    response = client.generic(
        "POST", f"/webhooks/basware/{integration.webhook_id}/", body, "application/json",
        headers={"X-BWAPI-Signature-256": sign(body)},
    )  # fmt: skip
    assert response.status_code == 200
    assert not response.cookies


def test_a_good_notification_takes_few_queries(notify, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        notify(body_of())


class TestConnectionTest:
    """§16.2: Basware's hand-shake, signed or not."""

    def test_signed_it_is_200_and_confirms_the_secret_that_signed_it(self, notify, secret):
        body = json.dumps(TEST).encode()
        assert notify(body).status_code == 200
        secret.refresh_from_db()
        assert secret.confirmed_at
        assert counters() == {"connection_test": 1}
        assert not InboxNotification.objects.exists()

    def test_unsigned_it_is_200_and_confirms_the_newest(self, notify, secret, integration):
        newer = factories.WebhookSecretFactory(integration=integration, secret={"value": "newer"})
        assert notify(json.dumps(TEST).encode(), None).status_code == 200
        newer.refresh_from_db()
        secret.refresh_from_db()
        assert newer.confirmed_at
        assert secret.confirmed_at is None
        assert counters() == {"connection_test_unsigned": 1}

    def test_signed_wrongly_it_is_401(self, notify, secret):
        assert notify(json.dumps(TEST).encode(), "0" * 64).status_code == 401
        secret.refresh_from_db()
        assert secret.confirmed_at is None

    def test_at_any_time_and_with_nothing_but_its_type(self, notify):
        assert notify(b'{"taskType": "connectiontest"}', None).status_code == 200

    def test_a_type_is_not_enough_to_pass_other_things_unsigned(self, notify):
        assert notify(body_of(taskType="ConnectionTests"), None).status_code == 401


class TestRotation:
    """Both secrets are good for a day."""

    def test_an_old_secret_counts_until_it_expires(self, integration, secret):
        secret.expires_at = NOON + timedelta(days=1)
        secret.save()
        factories.WebhookSecretFactory(integration=integration, secret={"value": "the new one"})
        body = body_of()
        within, after = NOON + timedelta(hours=23), NOON + timedelta(hours=25)
        assert receive(integration, body, sign(body), within)[0] == 200
        assert receive(integration, body, sign(body, "the new one"), within)[0] == 200
        assert receive(integration, body, sign(body), after)[0] == 401
        assert receive(integration, body, sign(body, "the new one"), after)[0] == 200

    def test_another_integration_s_secret_is_no_good_here(self, integration, secret, elsewhere):
        other = factories.IntegrationFactory(organization=elsewhere)
        factories.WebhookSecretFactory(integration=other, secret={"value": "theirs"})
        body = body_of()
        assert receive(integration, body, sign(body, "theirs"), NOON)[0] == 401


class TestFlood:
    """Bad signatures are limited per address, and never stand in the way of good ones."""

    def test_bad_ones_are_stopped_and_good_ones_are_not(self, notify, monkeypatch):
        from portal.rates import Rate

        monkeypatch.setattr("portal.webhooks.BAD_RATE", Rate(3, 60))
        with time_machine.travel(NOON, tick=False):
            statuses = [notify(body_of(), "0" * 64).status_code for _ in range(5)]
            assert statuses == [401, 401, 401, 429, 429]
            assert notify(body_of()).status_code == 200
        assert counters() == {"unknown_secret": 3, "too_many": 2}


def test_a_good_one_costs_two_questions(notify, secret, django_assert_num_queries):
    """The secrets of the address, the row, and nothing before or between them; the wake-up comes with the commit."""
    with django_assert_num_queries(2):
        assert notify(body_of()).status_code == 200


def test_an_old_secret_ends_on_its_very_second(notify, secret):
    secret.expires_at = NOON
    secret.save()
    with time_machine.travel(NOON - timedelta(microseconds=1), tick=False):
        assert notify(body_of()).status_code == 200
    with time_machine.travel(NOON, tick=False):
        assert notify(body_of(taskId="t-2")).status_code == 401
