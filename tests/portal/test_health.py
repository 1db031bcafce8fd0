"""/healthz/ for load balancers, and an integration's own health."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError
from django.utils import timezone

from portal.version import VERSION
from syncengine.engine import health
from syncengine.engine.health import beat, oldest_due_age, workers_alive
from syncengine.models import FlowState, InboxNotification
from tenants.models import Connection
from tests import factories
from tests.factories import NOON


@pytest.fixture
def alive(db):
    beat("worker-1")


class TestHealthz:
    """GET /healthz/"""

    def test_all_is_ok_with_a_live_worker_and_nothing_overdue(self, alive, client):
        response = client.get("/healthz/")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "database": {"ok": True},
            "broker": {"ok": True},
            "workers": {"ok": True, "alive": 1},
            "oldest_due_work": {"ok": True, "age_seconds": None},
            "version": VERSION,
        }

    def test_absent_workers_are_degraded_and_still_200(self, db, client):
        response = client.get("/healthz/")
        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
        assert response.json()["workers"] == {"ok": False, "alive": 0}

    def test_overdue_work_is_degraded(self, alive, client, integration):
        late = timezone.now() - timedelta(minutes=5)
        factories.RecordFactory(integration=integration, status="pending", next_attempt_at=late)
        state = client.get("/healthz/").json()
        assert state["status"] == "degraded"
        assert 299 < state["oldest_due_work"]["age_seconds"] < 330

    def test_a_broker_that_is_away_is_degraded(self, alive, client, monkeypatch):
        def away():
            raise ConnectionError("canary-redis-password")

        monkeypatch.setattr(health, "get_broker", away)
        response = client.get("/healthz/")
        assert response.json()["broker"] == {"ok": False}
        assert "canary" not in response.content.decode()

    def test_without_the_database_it_is_503(self, client, monkeypatch):
        class Gone:
            def cursor(self):
                raise DatabaseError("canary-password")

        monkeypatch.setattr(health, "connection", Gone())
        response = client.get("/healthz/")
        assert response.status_code == 503
        assert response.json()["database"] == {"ok": False}
        assert "canary" not in response.content.decode()

    def test_only_reading_is_allowed(self, db, client):
        assert client.post("/healthz/").status_code == 405


class TestOldestDueWork:
    """What counts as due, and what does not."""

    def late(self, minutes: int = 10):
        return NOON - timedelta(minutes=minutes)

    def test_records_notifications_runs_and_schedules_count(self, integration):
        factories.RecordFactory(integration=integration, status="waiting", next_attempt_at=self.late(1))
        assert oldest_due_age(NOON) == 60
        InboxNotification.objects.create(
            integration=integration, task_id="t", task_type="x", document_id="d", body="{}",
            received_at=self.late(2), next_attempt_at=self.late(2),
        )  # fmt: skip
        assert oldest_due_age(NOON) == 120
        FlowState.objects.create(integration=integration, flow="vendors", next_due_at=self.late(3))
        assert oldest_due_age(NOON) == 180
        with time_machine.travel(self.late(4), tick=False):
            factories.RunFactory(integration=integration)
        assert oldest_due_age(NOON) == 240

    def test_what_is_done_leased_or_in_the_future_does_not(self, integration):
        factories.RecordFactory(integration=integration, status="done", next_attempt_at=self.late())
        factories.RecordFactory(integration=integration, status="waiting", next_attempt_at=NOON + timedelta(hours=1))
        factories.RecordFactory(integration=integration, status="waiting", next_attempt_at=None)
        with time_machine.travel(self.late(), tick=False):
            first = factories.RunFactory(
                integration=integration, status="running", lease_expires_at=NOON + timedelta(seconds=9)
            )
            factories.RunFactory(integration=integration, flow="purchase_orders", after=first)
        assert oldest_due_age(NOON) is None

    def test_a_paused_or_disabled_integration_is_not_overdue(self, integration):
        factories.RecordFactory(integration=integration, status="pending", next_attempt_at=self.late())
        integration.enabled = False
        integration.save()
        assert oldest_due_age(NOON) is None
        integration.enabled, integration.paused_since = True, NOON
        integration.save()
        assert oldest_due_age(NOON) is None


class TestWorkers:
    """A beat, or a lease that is kept alive."""

    def test_a_beat_lasts_half_a_minute(self, db):
        with time_machine.travel(NOON, tick=False):
            beat("one")
            beat("one")
            beat("two")
        assert workers_alive(NOON + timedelta(seconds=29)) == 2
        assert workers_alive(NOON + timedelta(seconds=31)) == 0

    def test_a_live_lease_counts_where_there_is_no_beat(self, integration):
        lease = {"lease_owner": "w-1", "lease_expires_at": NOON + timedelta(seconds=30)}
        factories.RunFactory(integration=integration, status="running", **lease)
        factories.RecordFactory(integration=integration, status="in_progress", **lease)
        assert workers_alive(NOON) == 1
        assert workers_alive(NOON + timedelta(minutes=1)) == 0


class TestIntegrationHealth:
    """ok, degraded, failing, unconfigured"""

    def last_run(self, integration, status, **state):
        run = factories.RunFactory(integration=integration, status=status)
        FlowState.objects.create(integration=integration, flow="vendors", last_run=run, **state)

    def test_with_one_connection_only_it_is_unconfigured(self, integration):
        factories.connection(integration, "sap_b1")
        assert health.health(integration) == "unconfigured"

    def test_with_both_and_no_trouble_it_is_ok(self, connected):
        self.last_run(connected, "succeeded")
        assert health.health(connected) == "ok"

    def test_a_failed_record_or_a_partial_run_is_degraded(self, connected):
        self.last_run(connected, "partial")
        assert health.health(connected) == "degraded"
        FlowState.objects.all().delete()
        factories.FailedRecordFactory(integration=connected)
        assert health.health(connected) == "degraded"

    def test_a_pause_a_failed_run_or_a_system_away_is_failing(self, connected):
        self.last_run(connected, "failed")
        assert health.health(connected) == "failing"
        FlowState.objects.update(enabled=False)
        assert health.health(connected) == "ok"
        Connection.objects.filter(system="basware").update(failures_in_a_row=1)
        assert health.health(connected) == "degraded"
        Connection.objects.filter(system="basware").update(failures_in_a_row=3)
        assert health.health(connected) == "failing"
        Connection.objects.update(failures_in_a_row=0)
        connected.paused_since = NOON
        assert health.health(connected) == "failing"

    def test_a_hundred_take_as_many_queries_as_one(self, organization, django_assert_num_queries):
        many = [factories.IntegrationFactory(organization=organization) for _ in range(20)]
        with django_assert_num_queries(4):
            assert set(health.healths(many).values()) == {"unconfigured"}
