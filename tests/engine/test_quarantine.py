"""Refused notifications: counted by reason for a person to act upon, and nothing of their content kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine

from syncengine.engine import quarantine
from syncengine.engine.quarantine import LARGEST_BODY, RECOGNISED_FOR, Refusal, Sender, count, refused
from syncengine.engine.webhooks import receive
from syncengine.models import AuditEvent, InboxNotification, WebhookCounter
from tenants.models import WebhookSecret
from tests import factories
from tests.engine.test_webhooks import SECRET, body_of, sign
from tests.factories import NOON

ADDRESS = "198.51.100.7"
OLD = "an old secret that was replaced long ago"


@pytest.fixture
def secret(integration):
    return factories.WebhookSecretFactory(integration=integration)


def refuse_one(integration, signature, body=None, at=NOON):
    assert receive(integration, body or body_of(), signature, at, address=ADDRESS)[0] in {401, 422, 429}
    return WebhookCounter.objects.latest("pk")


def test_a_row_says_how_often_when_from_where_and_how_large(integration, secret):
    refuse_one(integration, "nonsense")
    refuse_one(integration, "nonsense", body_of(padding="x" * 50), NOON + timedelta(minutes=5))
    (row,) = WebhookCounter.objects.all()
    assert (row.day, row.reason, row.count) == (NOON.date(), "unreadable_signature", 2)
    assert (row.first_at, row.last_at) == (NOON, NOON + timedelta(minutes=5))
    assert (row.last_address, row.last_size) == (ADDRESS, len(body_of(padding="x" * 50)))


def test_nothing_of_the_content_is_kept(integration, secret):
    body = body_of(documentId="canary-document-4711")
    for signature in (None, "nonsense", "0" * 64, sign(body, OLD)):
        refuse_one(integration, signature, body)
    everything = json.dumps(list(WebhookCounter.objects.values()), default=str)
    assert "canary" not in everything
    assert "0000" not in everything
    assert not InboxNotification.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_expired_secret_is_told_with_the_day_it_was_replaced(integration, secret):
    expired = NOON - timedelta(days=8)
    factories.WebhookSecretFactory(integration=integration, secret={"value": OLD}, expires_at=expired)
    row = refuse_one(integration, sign(body_of(), OLD))
    assert (row.reason, row.secret_expired_at) == ("expired_secret", expired)
    (one,) = refused(integration, NOON)
    assert one.message == "Signed with a secret that expired on 2026-04-26."
    assert one.hint == "The secret at Basware is one that we replaced on 2026-04-25: press Rotate the secret."


def test_of_several_old_secrets_the_one_that_signed_is_named(integration, secret):
    for days in (3, 30):
        expired = NOON - timedelta(days=days)
        factories.WebhookSecretFactory(integration=integration, secret={"value": f"{OLD} {days}"}, expires_at=expired)
    assert refuse_one(integration, sign(body_of(), f"{OLD} 30")).secret_expired_at == NOON - timedelta(days=30)


def test_a_secret_that_expired_long_ago_is_any_other(integration, secret):
    expired = NOON - RECOGNISED_FOR
    factories.WebhookSecretFactory(integration=integration, secret={"value": OLD}, expires_at=expired)
    assert refuse_one(integration, sign(body_of(), OLD)).reason == "unknown_secret"


def test_long_expired_secrets_are_forgotten_and_others_are_not(integration, secret):
    for days in (RECOGNISED_FOR.days + 1, RECOGNISED_FOR.days - 1):
        factories.WebhookSecretFactory(integration=integration, expires_at=NOON - timedelta(days=days))
    quarantine.forget_old_secrets(integration, NOON)
    assert WebhookSecret.objects.count() == 2
    assert WebhookSecret.objects.filter(pk=secret.pk).exists()


def test_without_a_subscription_a_signature_fits_nothing(integration):
    assert refuse_one(integration, sign(body_of())).reason == "not_subscribed"


def test_what_is_signed_rightly_and_is_no_notification_is_told_apart(integration, secret):
    assert refuse_one(integration, sign(b"[]"), b"[]").reason == "not_a_notification"


def test_an_address_that_may_not_go_on_is_counted_too(integration, secret):
    assert receive(integration, body_of(), "nonsense", NOON, lambda: False, ADDRESS)[0] == 429
    assert WebhookCounter.objects.get().reason == "too_many"


def test_however_much_comes_a_day_has_a_row_for_each_reason_at_most(integration, secret):
    signatures = [None, "x", "0" * 64, "0" * 63, sign(body_of(), OLD), "sha256=x"]
    for number in range(60):
        refuse_one(integration, signatures[number % 6], body_of(taskId=f"t-{number}"), NOON + timedelta(seconds=number))
    assert WebhookCounter.objects.count() <= len(Refusal)
    assert sum(WebhookCounter.objects.values_list("count", flat=True)) == 60


def test_another_day_has_rows_of_its_own_and_the_newest_come_first(integration, secret):
    for days in (0, 1, 2):
        refuse_one(integration, None, at=NOON + timedelta(days=days))
    days = [one.row.day.day for one in refused(integration, NOON + timedelta(days=1))]
    assert days == [6, 5]


def test_counting_goes_on_when_two_begin_the_same_row_at_once(integration, monkeypatch):
    """The first to look finds no row, and another process makes it before it can."""
    count(integration, "no_signature", NOON, Sender())
    rows = WebhookCounter.objects.filter(integration=integration)
    update, seen = type(rows).update, []

    def late(self, **values):
        seen.append(values)
        return 0 if len(seen) == 1 else update(self, **values)

    monkeypatch.setattr(type(rows), "update", late)
    count(integration, "no_signature", NOON, Sender())
    assert rows.get().count == 2


@pytest.mark.parametrize("address", ["<script>", "unknown", "", "1.2.3.4:80", "x" * 5000])
def test_an_address_that_is_none_is_not_kept(address, integration):
    count(integration, "no_signature", NOON, Sender(address, 2**40))
    row = WebhookCounter.objects.get()
    assert row.last_address == ""
    assert row.last_size == 2**31 - 1


def test_every_reason_has_a_sentence_and_a_hint(integration):
    for reason in Refusal:
        count(integration, reason, NOON, Sender(), NOON)
    told = refused(integration, NOON)
    assert len(told) == len(Refusal)
    assert all(one.message.endswith(".") and one.hint.endswith(".") for one in told)
    assert len({one.hint for one in told}) == len(Refusal)


@pytest.mark.parametrize("signature", [None, "nonsense", "0" * 64, sign(body_of(), OLD)])
def test_the_sender_does_not_learn_which_it_was(signature, integration, secret):
    factories.WebhookSecretFactory(integration=integration, secret={"value": OLD}, expires_at=NOON - timedelta(days=2))
    assert receive(integration, body_of(), signature, NOON) == (401, {"detail": "The signature is missing or wrong."})


def test_over_http_the_sender_s_address_and_the_announced_size_are_noted(integration, secret, client):
    path = f"/webhooks/basware/{integration.webhook_id}/"
    with time_machine.travel(NOON, tick=False):
        response = client.generic("POST", path, b"x" * (LARGEST_BODY + 5), REMOTE_ADDR=ADDRESS)
        assert response.status_code == 413
        client.generic("POST", path, body_of(), REMOTE_ADDR=ADDRESS, headers={"X-BWAPI-Signature-256": "nonsense"})
    rows = {row.reason: row for row in WebhookCounter.objects.all()}
    assert set(rows) == {"too_large", "unreadable_signature"}
    assert {row.last_address for row in rows.values()} == {ADDRESS}
    assert rows["too_large"].last_size == LARGEST_BODY + 5


def test_secrets_are_never_in_a_row_or_its_words(integration, secret):
    factories.WebhookSecretFactory(integration=integration, secret={"value": OLD}, expires_at=NOON - timedelta(days=2))
    refuse_one(integration, sign(body_of(), OLD))
    words = " ".join(f"{one.message} {one.hint} {vars(one.row)}" for one in refused(integration, NOON))
    assert OLD not in words
    assert SECRET not in words
