"""What stands in the rows is told: records given up, decisions, held closings; and is over when it is mended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.engine.work import Deadline
from syncengine.models import FlowState, Notice, NoticeDelivery, Record, RecordStatus
from syncengine.notices.watching import is_due, watch, watch_due
from tests import factories

pytestmark = pytest.mark.django_db


def failed(integration, key, **more):
    given = {"flow": "vendors", "error_code": "rejected", "error_message": "Basware refused the record.", **more}
    return factories.FailedRecordFactory(integration=integration, key=key, **given)


def test_many_records_with_one_cause_are_one_notice_and_one_message(integration, operator):
    for number in range(30):
        failed(integration, f"V{number}")
    watch([integration])
    notice = Notice.objects.get()
    assert (notice.kind, notice.count, notice.subject_key) == ("records_failed", 30, "vendors:rejected")
    assert "30 × vendors" in notice.message
    assert notice.path == f"integrations/{integration.pk}/repairs/"
    assert NoticeDelivery.objects.count() == 1


def test_a_single_record_is_linked_itself(integration):
    record = failed(integration, "V1", title="Nordic Timber")
    watch([integration])
    notice = Notice.objects.get()
    assert notice.path == f"records/{record.pk}/"
    assert "Nordic Timber: Basware refused the record." in notice.message


def test_a_decision_is_told_as_one(integration):
    failed(integration, "I1", flow="invoices", error_code="needs_decision")
    watch([integration])
    assert Notice.objects.get().kind == "needs_decision"


def test_what_only_follows_from_another_failure_is_not_told(integration):
    failed(integration, "O1", flow="purchase_orders", error_code="dependency_failed")
    watch([integration])
    assert not Notice.objects.exists()


def test_mended_records_close_their_notice(integration):
    failed(integration, "V1")
    watch([integration])
    Record.objects.update(status=RecordStatus.DONE)
    watch([integration])
    assert Notice.objects.get().closed_at is not None


def test_held_closings_are_told_until_somebody_decides(integration):
    run = factories.RunFactory(integration=integration, flow="projects", closings_held=40, status="partial")
    FlowState.objects.create(integration=integration, flow="projects", last_run=run)
    watch([integration])
    notice = Notice.objects.get()
    assert (notice.kind, notice.path) == ("closings_held", f"runs/{run.pk}/")
    assert "40 records are gone" in notice.message
    type(run).objects.update(closings_held=0)
    watch([integration])
    assert Notice.objects.get().closed_at is not None


def test_workers_look_once_in_a_while_and_not_all_of_them(integration):
    failed(integration, "V1")
    assert is_due(timezone.now())
    assert watch_due(Deadline(1))
    assert not watch_due(Deadline(1))
    assert not is_due(timezone.now())
    assert Notice.objects.count() == 1


def test_a_silent_webhook_is_told_until_a_notification_comes(integration):
    now = timezone.now()
    secret = factories.WebhookSecretFactory(integration=integration)
    type(secret).objects.update(created_at=now - timedelta(days=7))
    for key in ("I1", "I2", "I3"):
        found = factories.invoice(integration, key=key, found_by="poll", offered_at=now - timedelta(hours=1))
        Record.objects.filter(pk=found.pk).update(created_at=now - timedelta(hours=1))
    watch([integration])
    notice = Notice.objects.get(kind="webhook_silent")
    assert notice.path == f"integrations/{integration.pk}/webhook/"
    assert "3 approved invoices" in notice.message
    factories.NotificationFactory(integration=integration, received_at=now)
    watch([integration])
    assert Notice.objects.get(kind="webhook_silent").closed_at is not None


def test_what_is_told_already_is_told_anew_only_when_it_happens_again(integration):
    failed(integration, "V1")
    watch([integration])
    long_ago = timezone.now() - timedelta(hours=2)
    Record.objects.update(updated_at=long_ago)
    Notice.objects.update(told_at=long_ago)
    watch([integration])
    assert Notice.objects.get().round == 1
    Record.objects.update(updated_at=timezone.now())
    watch([integration])
    assert Notice.objects.get().round == 2


def test_each_integration_gets_notices_of_its_own(integration):
    other = factories.IntegrationFactory(organization=integration.organization)
    failed(integration, "V1")
    failed(other, "V1")
    watch([integration, other])
    Record.objects.filter(integration=other).update(status=RecordStatus.DONE)
    watch([integration, other])
    assert Notice.objects.get(closed_at=None).integration_id == integration.pk


def test_looking_costs_the_same_however_many_integrations_and_failures_there_are(
    integration, django_assert_num_queries
):
    integrations = [integration, *factories.IntegrationFactory.create_batch(20)]
    for one in integrations:
        for number in range(3):
            failed(one, f"V{number}")
    watch(integrations)
    with django_assert_num_queries(6):
        watch(integrations)
