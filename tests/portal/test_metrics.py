"""/metrics for operators: who may read it, and that every number is what its name and unit say."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from portal import metrics
from portal.version import VERSION
from syncengine.connectors.http import ObservedCall
from syncengine.engine import inbox, pending, statistics, tallies
from syncengine.engine.execution import claim
from syncengine.engine.health import beat
from syncengine.engine.observing import CallLog
from syncengine.engine.runs import compute_status
from syncengine.models import NotificationResult
from tests import factories
from tests.factories import NOON


class Samples(dict[tuple[str, frozenset[str]], float]):
    """Numbers by name and label values, in any order: `found["ledgerbridge_runs_total", "vendors", "succeeded"]`."""

    def __getitem__(self, key: tuple[str, ...]) -> float:
        return super().__getitem__((key[0], frozenset(key[1:])))


@pytest.fixture
def scrape(client, db):
    """Every sample of ours."""

    def read() -> Samples:
        text = client.get("/metrics").content.decode()
        return Samples(
            ((sample.name, frozenset(sample.labels.values())), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith("ledgerbridge_")
        )

    return read


def observed(milliseconds: int, system: str = "sap_b1", status: int | None = 200) -> ObservedCall:
    return ObservedCall(
        system=system, method="GET", url="https://sap.example.com/b1s/v2/Items", status=status, outcome="ok",
        started_at=NOON, duration_ms=milliseconds, request_headers={}, request_body="", response_headers={},
        response_body="", error="",
    )  # fmt: skip


class TestWhoMayRead:
    """The bearer of METRICS_TOKEN, or this machine."""

    @pytest.mark.parametrize("address", ["198.51.100.7", "10.0.0.1", "", "::ffff:198.51.100.7"])
    def test_from_elsewhere_it_is_404(self, address, db, client):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404

    def test_through_a_proxy_on_this_machine_it_is_404(self, db, client):
        assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404

    def test_with_a_token_only_its_bearer_may(self, db, client, settings):
        settings.METRICS_TOKEN = "prometheus-token"
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
        good = client.get("/metrics", headers={"Authorization": "Bearer prometheus-token"}, REMOTE_ADDR="198.51.100.7")
        assert good.status_code == 200


class TestHowThingsAre:
    """Gauges, read from the database at each scrape."""

    def test_ages_are_in_seconds(self, integration, scrape):
        now = timezone.now()
        factories.RecordFactory(integration=integration, next_attempt_at=now - timedelta(seconds=90))
        late = now - timedelta(minutes=2)
        factories.NotificationFactory(integration=integration, received_at=late, next_attempt_at=now, processed_at=None)
        found = scrape()
        assert found["ledgerbridge_oldest_due_work_seconds",] == pytest.approx(90, abs=20)
        assert found["ledgerbridge_webhook_oldest_unprocessed_seconds",] == pytest.approx(120, abs=20)

    def test_nothing_to_do_is_zero(self, scrape):
        found = scrape()
        assert found["ledgerbridge_oldest_due_work_seconds",] == 0
        assert found["ledgerbridge_webhook_oldest_unprocessed_seconds",] == 0

    def test_workers_broker_and_database_are_told_of(self, scrape):
        beat("worker-1")
        found = scrape()
        assert found["ledgerbridge_workers_alive",] == found["ledgerbridge_broker_up",] == 1
        assert found["ledgerbridge_database_up",] == found["ledgerbridge_info", VERSION] == 1

    def test_without_a_database_it_says_so(self, scrape, monkeypatch):
        def away(now):
            raise DatabaseError("canary-password")

        monkeypatch.setattr(metrics.health, "workers_alive", away)
        found = scrape()
        assert found["ledgerbridge_info", VERSION] == 1
        assert found["ledgerbridge_database_up",] == 0
        assert len(found) == 2

    def test_open_runs_are_counted_by_status(self, integration, scrape):
        factories.RunFactory(integration=integration, flow="vendors")
        factories.RunFactory(integration=integration, flow="projects", status="settling")
        factories.RunFactory(integration=integration, flow="projects", status="succeeded")
        found = scrape()
        assert [found["ledgerbridge_runs_open", one] for one in ("queued", "running", "settling")] == [1, 0, 1]

    def test_integrations_are_counted_by_health(self, connected, scrape):
        factories.IntegrationFactory(organization=connected.organization)
        found = scrape()
        assert found["ledgerbridge_integrations", "ok"] == found["ledgerbridge_integrations", "unconfigured"] == 1
        assert found["ledgerbridge_integrations", "failing"] == 0

    def test_records_by_state_are_those_the_worker_counted_of_all_organizations(self, integration, elsewhere, scrape):
        other = factories.IntegrationFactory(organization=elsewhere)
        for one in (integration, other):
            factories.RecordFactory(integration=one, flow="vendors", status="done")
            factories.RecordFactory(integration=one, flow="invoices", status="failed")
        factories.RecordFactory(integration=other, flow="vendors", status="done")
        assert not [name for name, _ in scrape() if name == "ledgerbridge_records"]
        statistics.refresh(integration)
        statistics.refresh(other)
        found = scrape()
        assert found["ledgerbridge_records", "vendors", "done"] == 3
        assert found["ledgerbridge_records", "invoices", "failed"] == 2
        assert found["ledgerbridge_records_counted_age_seconds",] == pytest.approx(0, abs=20)


@pytest.mark.django_db(transaction=True)
class TestWhatHappened:
    """Counters and histograms, added to as the work is done."""

    def test_calls_are_timed_in_seconds_by_system_and_status(self, integration, scrape):
        log = CallLog(integration)
        for milliseconds in (40, 700, 200_000):
            log.observe(observed(milliseconds))
        log.observe(observed(5_000, "basware", None))
        log.flush()
        found = scrape()
        name = "ledgerbridge_call_duration_seconds"
        assert found[f"{name}_sum", "sap_b1", "200"] == pytest.approx(200.74)
        assert found[f"{name}_count", "sap_b1", "200"] == 3
        assert found[f"{name}_bucket", "sap_b1", "200", "0.05"] == 1
        assert found[f"{name}_bucket", "sap_b1", "200", "1"] == 2
        assert found[f"{name}_bucket", "sap_b1", "200", "180"] == 2
        assert found[f"{name}_bucket", "sap_b1", "200", "+Inf"] == 3
        assert found[f"{name}_count", "basware", "none"] == 1

    def test_what_several_processes_count_adds_up(self, integration, scrape):
        for _ in range(3):
            log = CallLog(integration)
            log.observe(observed(100))
            log.flush()
        assert scrape()["ledgerbridge_call_duration_seconds_count", "sap_b1", "200"] == 3

    def test_a_run_counts_when_it_ends_with_its_records_and_its_seconds(self, integration, scrape):
        run = factories.RunFactory(
            integration=integration, flow="vendors", all_sent=True, read=7, confirmed=5, status="running",
            started_at=timezone.now() - timedelta(seconds=30),
        )  # fmt: skip
        compute_status(run)
        found = scrape()
        assert found["ledgerbridge_runs_total", "vendors", "succeeded"] == 1
        assert found["ledgerbridge_run_records_total", "vendors", "read"] == 7
        assert found["ledgerbridge_run_records_total", "vendors", "confirmed"] == 5
        assert found["ledgerbridge_run_duration_seconds_sum", "vendors"] == pytest.approx(30, abs=15)

    def test_the_lag_of_a_notification_is_from_its_arrival_in_seconds(self, integration, scrape):
        came = timezone.now() - timedelta(seconds=4)
        inbox._close(factories.NotificationFactory(integration=integration, received_at=came), NotificationResult.KNOWN)
        found = scrape()
        assert found["ledgerbridge_webhook_lag_seconds_count",] == 1
        assert found["ledgerbridge_webhook_lag_seconds_sum",] == pytest.approx(4, abs=10)

    def test_work_that_is_taken_over_counts_and_work_that_was_given_back_does_not(self, integration, scrape):
        gone = {"lease_owner": "lost", "lease_expires_at": timezone.now() - timedelta(seconds=1)}
        lost = factories.RunFactory(integration=integration, status="running", **gone)
        given_back = factories.RunFactory(integration=integration, flow="projects", status="running")
        assert claim(lost.pk)
        assert claim(given_back.pk)
        record = factories.RecordFactory(integration=integration, status="in_progress", **gone)
        factories.RecordFactory(integration=integration, status="pending", next_attempt_at=NOON)
        assert len(pending._claim(record, "new-owner")) == 2
        found = scrape()
        assert found["ledgerbridge_lease_takeovers_total", "run"] == 1
        assert found["ledgerbridge_lease_takeovers_total", "record"] == 1


class TestItsCost:
    """A scrape asks a few questions, however much there is."""

    def test_the_number_of_questions_does_not_grow(self, organization, scrape):
        self.one_more(organization)
        few = self.questions(scrape)
        for _ in range(20):
            self.one_more(organization)
        assert self.questions(scrape) == few < 25

    def one_more(self, organization) -> None:
        one = factories.IntegrationFactory(organization=organization)
        factories.connect(one)
        factories.RecordFactory(integration=one, status="failed")
        statistics.refresh(one)

    def questions(self, scrape) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            scrape()
        return len(asked)


def test_every_metric_has_a_help_text_and_seconds_where_it_counts_time(client, db):
    text = client.get("/metrics").content.decode()
    ours = [one for one in text_string_to_metric_families(text) if one.name.startswith("ledgerbridge_")]
    assert {meter.name for meter in tallies.METERS} <= {one.name for one in ours}
    for family in ours:
        assert family.documentation
        assert ("age" not in family.name and family.type != "histogram") or family.name.endswith("_seconds")


def test_the_version_is_the_package_s():
    project = tomllib.loads((Path(django_settings.BASE_DIR) / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
