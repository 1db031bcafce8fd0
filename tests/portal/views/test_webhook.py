"""The page of the webhook: what it says, who may do what, and that looking changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.engine import webhooks
from syncengine.engine.pauses import pause
from syncengine.engine.quarantine import Sender, count
from syncengine.engine.webhooks import SubscriptionRefused
from syncengine.models import AuditEvent, InboxNotification, Record
from tenants.models import WebhookSecret
from tests import factories


@pytest.fixture
def page(root, people):
    """`page()`: what the viewer sees, in one line."""

    def look(role="viewer", query="") -> str:
        return " ".join(people[role].get(f"{root}webhook/{query}").content.decode().split())

    return look


@pytest.fixture
def secret(connected):
    return factories.WebhookSecretFactory(integration=connected, confirmed_at=timezone.now())


def notification(integration, **fields):
    now = timezone.now()
    given = {"received_at": now, "next_attempt_at": now, "processed_at": now + timedelta(milliseconds=412), **fields}
    return factories.NotificationFactory(integration=integration, **given)


def silent(integration):
    """Subscribed a week ago; an hour ago three invoices that nobody told of."""
    now = timezone.now()
    WebhookSecret.objects.update(created_at=now - timedelta(days=7))
    for _ in range(3):
        at = now - timedelta(hours=1)
        record = factories.invoice(integration, found_by="poll", offered_at=at, status="done")
        Record.objects.filter(pk=record.pk).update(created_at=at)


def test_before_a_subscription_it_says_what_to_do(page, connected):
    assert "Not subscribed" in page()
    assert "Press Subscribe" in page("admin")
    assert "An admin of" in page("operator")
    assert "No notification yet" in page()
    assert "Nothing was refused" in page()


def test_without_a_connection_it_leads_there_and_has_no_button(integration, organization, people):
    shown = people["admin"].get(f"/o/{organization.slug}/integrations/{integration.pk}/webhook/").content.decode()
    assert "Basware is not connected yet" in shown
    assert "btn-primary" not in shown


def test_a_subscription_shows_its_address_age_test_and_the_old_secret(page, connected, secret):
    factories.WebhookSecretFactory(integration=connected, expires_at=timezone.now() + timedelta(hours=3))
    shown = page()
    assert connected.webhook_id in shown
    assert "tested by Basware" in shown
    assert "valid until" in shown
    assert secret.secret["value"] not in shown


def test_one_that_basware_never_tested_says_so(page, connected):
    factories.WebhookSecretFactory(integration=connected)
    assert "Not tested yet" in page()
    assert "Basware has not tested it" in page()


@pytest.mark.parametrize(
    ("result", "word"),
    [
        ("taken up", "Taken up"),
        ("known already", "The document had been taken up before"),
        ("not there, or not waiting for transfer", "no longer waiting for transfer"),
        ("the flow is switched off", "the flow is switched off"),
        ("not configured", "a system is not connected"),
        ("a fault of our own; the poll finds the document", "the next run finds it"),
        ("unknown type: nothing to do", "We do not work on notifications of this type"),
        ("request looked up", "Asked Basware for the answer"),
        ("words of an earlier version", "words of an earlier version"),
    ],
)
def test_each_result_is_told_in_people_s_words(result, word, page, connected):
    notification(connected, result=result)
    assert word in page()
    assert "412 ms" in page()


def test_a_notification_leads_to_its_record_and_counts_its_tries(page, connected, organization):
    record = factories.invoice(connected, title="RE-4711 <b>Nordic</b>")
    notification(connected, document_id=record.key, attempts=2)
    shown = page()
    assert f'/o/{organization.slug}/records/{record.pk}/">RE-4711 &lt;b&gt;Nordic' in shown
    assert '<td class="num d-none d-md-table-cell">3</td>' in shown


def test_one_of_another_integration_is_not_shown(page, connected):
    other = notification(factories.IntegrationFactory())
    assert other.document_id not in page()


def test_open_ones_say_what_they_wait_for(page, connected):
    open_one = {"processed_at": None, "result": ""}
    notification(connected, **open_one)
    assert "A worker takes it up in a moment." in page()
    InboxNotification.objects.update(attempts=1)
    assert "tried again" in page()
    pause(connected, "The log-in was refused.")
    assert "when the integration goes on" in page()


def test_long_lists_have_pages_by_key(page, connected):
    rows = [notification(connected) for _ in range(51)]
    assert rows[0].document_id not in page()
    assert rows[0].document_id in page(query=f"?before={rows[1].pk}")


def test_refusals_are_told_with_a_hint_how_many_and_from_where(page, connected, secret):
    count(connected, "expired_secret", timezone.now(), Sender("198.51.100.7", 2048), timezone.now() - timedelta(days=2))
    shown = page()
    assert "Signed with a secret that expired on" in shown
    assert "press Rotate the secret" in shown
    assert "1 time on" in shown
    assert "198.51.100.7, 2.0" in shown


def test_silence_is_told_here_on_the_dashboard_and_by_the_api(page, connected, secret, root, people, api):
    silent(connected)
    assert "The webhook is silent" in page()
    dashboard = people["viewer"].get(root).content.decode()
    assert "The webhook is silent" in dashboard
    assert "Nothing needs you" not in dashboard
    told = api("viewer").get(f"integrations/{connected.pk}/webhook/").json()
    assert (told["silent"], told["missed"]) == (True, 3)
    assert api("viewer").get(f"integrations/{connected.pk}/").json()["health"] == "degraded"
    notification(connected)
    assert "The webhook is silent" not in page()
    assert api("viewer").get(f"integrations/{connected.pk}/").json()["health"] == "ok"


def test_the_api_tells_all_that_the_page_does_and_no_secret(connected, secret, api):
    count(connected, "no_signature", timezone.now(), Sender("198.51.100.7", 12))
    notification(connected)
    answer = api("viewer").get(f"integrations/{connected.pk}/webhook/")
    told = answer.json()
    assert told["subscribed"] is True
    assert set(told["secret"]) == {"created_at", "confirmed_at"}
    assert told["last_test_at"]
    assert told["last_delivery_at"]
    (one,) = told["refused"]
    assert (one["reason"], one["count"], one["last_address"], one["last_size"]) == (
        "no_signature", 1, "198.51.100.7", 12,
    )  # fmt: skip
    assert one["message"]
    assert one["hint"]
    assert secret.secret["value"] not in answer.content.decode()


def test_subscribing_comes_back_here_with_what_basware_said(root, people, subscribed, monkeypatch):
    answer = people["admin"].post(f"{root}webhook/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{root}webhook/"
    assert "Basware tested the subscription" in answer.content.decode()

    def refuse(integration, actor):
        raise SubscriptionRefused("Basware refused the scope.", "Ask your consultant for it.")

    monkeypatch.setattr(webhooks, "subscribe", refuse)
    assert "Ask your consultant for it." in people["admin"].post(f"{root}webhook/", follow=True).content.decode()


class TestLookingAgain:
    """One notification, anew, by an operator; audited."""

    def look(self, client, root, row):
        return client.post(f"{root}webhook/{row.pk}/look-again/", follow=True)

    def test_it_is_due_at_once_and_the_trail_names_who(self, root, people, connected):
        row = notification(connected, attempts=3, result="not there, or not waiting for transfer")
        assert "It is looked at again" in self.look(people["operator"], root, row).content.decode()
        row.refresh_from_db()
        assert (row.processed_at, row.result, row.attempts) == (None, "", 0)
        assert row.next_attempt_at <= timezone.now()
        event = AuditEvent.objects.get(action="webhook.looked_again")
        assert event.actor == "operator@nordic-paper.example.com"
        assert row.document_id in event.message
        assert event.integration_id == connected.pk

    def test_the_time_it_took_is_counted_from_then(self, root, people, connected, page):
        row = notification(connected, received_at=timezone.now() - timedelta(days=3))
        self.look(people["operator"], root, row)
        row.refresh_from_db()
        row.processed_at = row.looked_again_at + timedelta(milliseconds=250)
        row.result = "taken up"
        row.save()
        assert "250 ms" in page()

    def test_not_while_a_worker_holds_it(self, root, people, connected):
        held = {"lease_owner": "w", "lease_expires_at": timezone.now() + timedelta(minutes=1), "processed_at": None}
        row = notification(connected, **held)
        assert "A worker is looking at it right now." in self.look(people["operator"], root, row).content.decode()
        assert not AuditEvent.objects.exists()

    def test_a_notification_of_another_integration_is_404(self, root, people, organization):
        row = notification(factories.IntegrationFactory(organization=organization))
        assert self.look(people["operator"], root, row).status_code == 404

    def test_a_viewer_is_403_and_nothing_happens(self, root, people, connected):
        row = notification(connected)
        assert self.look(people["viewer"], root, row).status_code == 403
        row.refresh_from_db()
        assert row.processed_at


def test_looking_at_the_page_writes_nothing(page, connected, secret):
    row = notification(connected)
    page()
    row.refresh_from_db()
    assert row.processed_at
    assert not AuditEvent.objects.exists()


def test_the_record_says_how_it_was_found(people, organization, connected):
    record = factories.invoice(connected, found_by="webhook", offered_at=timezone.now() - timedelta(seconds=3))
    shown = people["viewer"].get(f"/o/{organization.slug}/records/{record.pk}/").content.decode()
    assert "Found by notification 3." in shown
    assert "s after approval." in shown
