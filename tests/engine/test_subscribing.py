"""Subscribing to Basware's notifications, and rotating the secret (contracts: Basware §16.1, §16.2)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.connectors.basware import Subscription
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected
from syncengine.engine import webhooks
from syncengine.engine.webhooks import SubscriptionRefused, receive, subscribe
from syncengine.models import AuditEvent, Call
from tenants.models import WebhookSecret
from tests.engine.test_webhooks import TEST, body_of, sign
from tests.factories import NOON


class FakeBasware:
    """Keeps subscriptions as §16.1 says, and calls back while it is subscribed to."""

    def __init__(self, integration) -> None:
        self.integration = integration
        self.rows: list[dict[str, str]] = []
        self.log: list[str] = []
        self.refuse: Exception | None = None
        self.now = NOON
        self.tests = True

    def add(self, url: str, secret: str = "theirs", sub_type: str = "WaitingForTransfer", days: int = 0) -> None:
        updated = (self.now - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        self.rows.append({"type": "AccountingDocuments", "sub": sub_type, "url": url, "secret": secret, "at": updated})

    def subscriptions(self, task_type=None, task_sub_type=None):
        self.log.append("get")
        return [Subscription(row["type"], row["sub"], row["url"], row["secret"], row["at"]) for row in self.rows]

    def unsubscribe(self, task_type, task_sub_type, since):
        self.log.append("delete")
        kept = [row for row in self.rows if row["sub"] != task_sub_type or row["at"] <= since]
        removed, self.rows = len(self.rows) - len(kept), kept
        return removed

    def subscribe(self, task_type, task_sub_type, url, secret):
        self.log.append("post")
        if self.refuse and not isinstance(self.refuse, OutcomeUnknown):
            error, self.refuse = self.refuse, None
            raise error
        if self.tests:
            body = json.dumps(TEST).encode()
            assert receive(self.integration, body, sign(body, secret), timezone.now())[0] == 200
        self.now += timedelta(minutes=1)
        self.add(url, secret)
        if self.refuse:
            raise self.refuse


class TestSubscribing:
    """POST integrations/{id}/webhook/"""

    @pytest.fixture
    def basware(self, connected, monkeypatch):
        fake = FakeBasware(connected)
        monkeypatch.setattr(webhooks, "basware_client", lambda *_: fake)
        monkeypatch.setattr(webhooks, "TEST_PATIENCE", 0.0)
        return fake

    def test_a_fresh_secret_is_usable_before_basware_is_asked(self, basware, connected):
        assert subscribe(connected, "admin@example.com") == {"subscribed": True, "confirmed": True}
        (row,) = basware.rows
        (secret,) = WebhookSecret.objects.all()
        assert row["url"] == webhooks.webhook_url(connected)
        assert secret.secret["value"] == row["secret"]
        assert len(row["secret"]) >= 32
        assert secret.confirmed_at
        assert basware.log == ["get", "post"]
        assert AuditEvent.objects.get().action == "webhook.subscribed"

    def test_again_it_rotates_and_one_subscription_remains(self, basware, connected):
        subscribe(connected, "admin@example.com")
        first = basware.rows[0]["secret"]
        subscribe(connected, "admin@example.com")
        (row,) = basware.rows
        old, new = WebhookSecret.objects.order_by("id")
        assert row["secret"] == new.secret["value"] != first
        assert new.expires_at is None
        assert timedelta(hours=23) < old.expires_at - timezone.now() <= timedelta(days=1)
        assert basware.log == ["get", "post", "get", "delete", "post"]

    def test_a_rotated_secret_does_not_live_longer_by_rotating_again(self, basware, connected):
        for _ in range(3):
            subscribe(connected, "admin@example.com")
        ends = list(WebhookSecret.objects.order_by("id").values_list("expires_at", flat=True))
        assert ends[2] is None
        assert ends[0] < ends[1]

    def test_other_systems_subscriptions_stay(self, basware, connected):
        basware.add("https://other.example.com/hook", days=3)
        basware.add("https://other.example.com/hook", sub_type="WaitingForPrebook")
        subscribe(connected, "admin@example.com")
        subscribe(connected, "admin@example.com")
        urls = sorted(row["url"] for row in basware.rows)
        ours = webhooks.webhook_url(connected)
        assert urls == sorted([ours, "https://other.example.com/hook", "https://other.example.com/hook"])

    def test_ours_is_left_when_removing_it_would_take_another_s_with_it(self, basware, connected):
        subscribe(connected, "admin@example.com")
        basware.now += timedelta(days=1)
        basware.add("https://other.example.com/hook")
        subscribe(connected, "admin@example.com")
        assert "delete" not in basware.log
        assert sum(row["url"].startswith("https://other") for row in basware.rows) == 1

    def test_a_refusal_leaves_the_old_subscription_and_no_new_secret(self, basware, connected):
        subscribe(connected, "admin@example.com")
        basware.refuse = Rejected("The connection test failed.", code="DATA_VALIDATION_FAILED", hint="Check the URL.")
        with pytest.raises(SubscriptionRefused, match=r"connection test failed.*Check the URL"):
            subscribe(connected, "admin@example.com")
        (secret,) = WebhookSecret.objects.all()
        (row,) = basware.rows
        assert row["secret"] == secret.secret["value"]
        assert secret.expires_at is None

    def test_without_an_answer_both_secrets_stay_usable(self, basware, connected):
        subscribe(connected, "admin@example.com")
        basware.refuse = OutcomeUnknown("No answer came.", code="no_answer")
        with pytest.raises(SubscriptionRefused):
            subscribe(connected, "admin@example.com")
        assert [secret.expires_at for secret in WebhookSecret.objects.all()] == [None, None]
        body = body_of()
        newest = WebhookSecret.objects.latest("id").secret["value"]
        assert receive(connected, body, sign(body, newest), timezone.now())[0] == 200

    def test_a_test_that_never_arrived_is_told(self, basware, connected):
        basware.tests = False
        assert subscribe(connected, "admin@example.com") == {"subscribed": True, "confirmed": False}

    def test_without_a_connection_it_is_refused(self, integration):
        with pytest.raises(SubscriptionRefused) as refused:
            subscribe(integration, "admin@example.com")
        assert refused.value.code == "not_configured"

    def test_the_api_says_what_basware_said(self, basware, connected, api):
        basware.refuse = Rejected("The connection test failed.", code="DATA_VALIDATION_FAILED", hint="Check the URL.")
        response = api("admin").post(f"integrations/{connected.pk}/webhook/")
        assert response.status_code == 502
        assert response.json()["hint"] == "Check the URL."
        assert api("admin").post(f"integrations/{connected.pk}/webhook/").json()["subscribed"] is True


@pytest.mark.django_db(transaction=True)
def test_against_the_sandbox_the_test_arrives_while_we_wait(world, live_server, settings):
    settings.SITE_URL = live_server.url
    integration = world.integration
    first = subscribe(integration, "admin@example.com")
    second = subscribe(integration, "admin@example.com")
    assert first == second == {"subscribed": True, "confirmed": True}
    secrets = list(WebhookSecret.objects.order_by("id"))
    assert [secret.expires_at is None for secret in secrets] == [False, True]
    logged = "".join(f"{call.request_body}{call.response_body}{call.request_headers}" for call in Call.objects.all())
    methods = Call.objects.filter(url__contains="subscriptions").order_by("id").values_list("method", flat=True)
    assert list(methods) == ["GET", "POST", "GET", "DELETE", "POST"]
    assert not [secret for secret in secrets if secret.secret["value"] in logged]
