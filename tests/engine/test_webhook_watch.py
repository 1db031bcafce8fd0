"""Is the webhook well: silence while runs find invoices, how each was found, and what is known of a subscription."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.engine.finding import words_of_finding
from syncengine.engine.health import health
from syncengine.engine.quarantine import Sender, count
from syncengine.engine.webhook_watch import silent_webhooks, state_of, troubles_of
from syncengine.models import Record
from tenants.models import WebhookSecret
from tests import factories
from tests.factories import NOON

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def made_at(row, at):
    """As if the row had been stored then."""
    type(row).objects.filter(pk=row.pk).update(created_at=at)
    return row


@pytest.fixture
def subscription(connected):
    return made_at(factories.WebhookSecretFactory(integration=connected), NOON - timedelta(days=7))


def found(integration, minutes_ago=60.0, found_by="poll", **fields):
    """An invoice that was approved and found so long ago."""
    at = NOON - timedelta(minutes=minutes_ago)
    record = factories.invoice(
        integration, found_by=found_by, offered_at=fields.pop("offered_at", at), status="done", **fields
    )
    return made_at(record, at)


def told(integration, minutes_ago, **fields):
    at = NOON - timedelta(minutes=minutes_ago)
    return factories.NotificationFactory(integration=integration, received_at=at, **fields)


def missed(integration, now=NOON):
    return silent_webhooks(now).get(integration.pk, 0)


class TestSilence:
    """Subscribed, and at least three invoices of the last day that runs found and no notification told of."""

    @pytest.fixture(autouse=True)
    def _subscribed(self, subscription):
        """Each test is about a subscription that was in force."""

    def test_three_that_only_runs_found_make_it_silent(self, connected):
        for _ in range(2):
            found(connected)
        assert missed(connected) == 0
        found(connected)
        assert missed(connected) == 3

    def test_it_is_degraded_then_and_well_again_once_a_notification_comes(self, connected):
        with time_machine.travel(NOON, tick=False):
            for _ in range(3):
                found(connected)
            assert health(connected) == "degraded"
            (trouble,) = troubles_of(connected, NOON)
            assert "3 approved invoices" in trouble.message
            assert "SITE_URL" in trouble.hint
            told(connected, 1)
            assert health(connected) == "ok"
            assert troubles_of(connected, NOON) == []

    def test_those_that_a_notification_named_are_not_missed_whoever_was_first(self, connected):
        for _ in range(3):
            record = found(connected)
            told(connected, 61, document_id=record.key)
        assert missed(connected) == 0

    def test_those_that_notifications_and_the_sweep_found_are_not_missed(self, connected):
        for way in ("webhook", "sweep", ""):
            for _ in range(3):
                found(connected, found_by=way)
        assert missed(connected) == 0

    def test_a_notification_has_ten_minutes(self, connected):
        for _ in range(3):
            found(connected, 9)
        assert missed(connected) == 0
        assert missed(connected, NOON + 2 * MINUTE) == 3

    def test_after_a_day_it_is_forgotten(self, connected):
        for _ in range(3):
            found(connected)
        assert missed(connected, NOON + 22 * HOUR) == 3
        assert missed(connected, NOON + 24 * HOUR) == 0

    def test_invoices_that_waited_before_the_subscription_prove_nothing(self, connected):
        for _ in range(5):
            found(connected, offered_at=NOON - timedelta(days=8))
        assert missed(connected) == 0

    def test_a_rotation_starts_anew(self, connected, subscription):
        for _ in range(3):
            found(connected)
        subscription.expires_at = NOON + 24 * HOUR
        subscription.save()
        made_at(factories.WebhookSecretFactory(integration=connected), NOON)
        assert missed(connected) == 0

    def test_without_a_subscription_nothing_is_expected(self, connected):
        for _ in range(3):
            found(connected)
        WebhookSecret.objects.all().delete()
        assert missed(connected) == 0

    def test_payments_have_no_notifications(self, connected):
        for _ in range(3):
            found(connected, flow="payments")
        assert missed(connected) == 0

    def test_others_deliveries_are_theirs(self, connected):
        other = factories.IntegrationFactory()
        for _ in range(3):
            found(connected)
        told(other, 1)
        assert silent_webhooks(NOON) == {connected.pk: 3}
        assert silent_webhooks(NOON, [other.pk]) == {}

    def test_it_is_one_question_however_many_there_are(self, connected, django_assert_num_queries):
        for _ in range(30):
            found(connected)
        with django_assert_num_queries(1):
            assert missed(connected) == 30

    @pytest.mark.parametrize("of_all", [False, True])
    def test_it_looks_at_what_was_offered_lately_by_an_index(self, of_all, connected):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL chooses by what its tables hold, and here they are empty")
        with CaptureQueriesContext(connection) as captured:
            silent_webhooks(NOON, None if of_all else [connected.pk])
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "USING INDEX record_offered" in plan

    def test_operators_see_it_in_the_metrics(self, connected, client):
        with time_machine.travel(NOON, tick=False):
            for _ in range(3):
                found(connected)
            assert "ledgerbridge_webhooks_silent 1.0" in client.get("/metrics").content.decode()
            told(connected, 1)
            assert "ledgerbridge_webhooks_silent 0.0" in client.get("/metrics").content.decode()


class TestState:
    """What the page and the API show."""

    def test_of_a_fresh_integration_there_is_nothing(self, integration):
        state = state_of(integration, NOON)
        assert (state.subscribed, state.silent, state.secret, state.old_valid_until) == (False, False, None, None)
        assert (state.last_test_at, state.last_delivery_at, state.refused, state.troubles) == (None, None, [], [])

    def test_an_old_secret_is_told_until_it_has_expired(self, integration, subscription):
        ends = NOON + timedelta(hours=5)
        factories.WebhookSecretFactory(integration=integration, expires_at=ends)
        assert state_of(integration, NOON).old_valid_until == ends
        assert state_of(integration, ends).old_valid_until is None

    def test_the_last_test_and_the_last_notification(self, integration, subscription):
        count(integration, "connection_test", NOON - HOUR, Sender())
        told(integration, 30)
        told(integration, 10)
        state = state_of(integration, NOON)
        assert (state.last_test_at, state.last_delivery_at) == (NOON - HOUR, NOON - 10 * MINUTE)

    def test_a_refusal_is_pressing_until_something_good_follows(self, integration, subscription):
        count(integration, "unknown_secret", NOON - HOUR, Sender())
        (trouble,) = troubles_of(integration, NOON)
        assert trouble.title == "Notifications are refused"
        assert trouble.message == "The signature fits none of our secrets."
        told(integration, 10)
        assert troubles_of(integration, NOON) == state_of(integration, NOON).troubles == []

    def test_strangers_without_a_signature_are_not_pressing(self, integration, subscription):
        for reason in ("no_signature", "too_large", "too_many"):
            count(integration, reason, NOON, Sender())
        assert troubles_of(integration, NOON) == []
        assert len(state_of(integration, NOON).refused) == 3

    def test_while_all_is_well_it_takes_two_questions(self, integration, subscription, django_assert_num_queries):
        with django_assert_num_queries(2):
            troubles_of(integration, NOON)

    def test_no_secret_is_read_for_it(self, integration, subscription):
        state = state_of(integration, NOON)
        assert "secret" in state.secret.get_deferred_fields()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "Found by notification 0.4 s after approval."),
        (42.4, "Found by notification 42 s after approval."),
        (600, "Found by notification 10 min after approval."),
        (7200, "Found by notification 2 h after approval."),
        (10 * 86400, "Found by notification 10 days after approval."),
        (-3, "Found by notification."),
    ],
)
def test_how_an_invoice_was_found_is_told_in_words(seconds, words):
    assert words_of_finding("webhook", NOON - timedelta(seconds=seconds), NOON) == words


def test_other_ways_have_their_own_words_and_none_has_none():
    assert words_of_finding("poll", None, NOON) == "Found by a run."
    assert words_of_finding("sweep", None, NOON) == "Found by the sweep."
    assert words_of_finding("", NOON, NOON) == ""
    assert Record(flow="vendors").found_by == ""
