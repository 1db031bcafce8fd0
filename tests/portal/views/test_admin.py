"""Django admin for the site's staff: to look at, and to replay what failed."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from syncengine import admin as engine_admin
from syncengine.models import AuditEvent, Call, Record
from tenants.models import User
from tests import factories
from tests.factories import BASWARE_SECRET, SAP_PASSWORD

MODELS = [model for model, site in admin.site._registry.items() if isinstance(site, engine_admin.ReadOnlyAdmin)]


@pytest.fixture
def staff(db, client):
    person = User.objects.create_superuser("staff@example.com", factories.PASSWORD)
    factories.second_factor(person)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(model, page, *args):
    return reverse(f"admin:syncengine_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_staff_may_look_but_neither_add_nor_change_nor_delete(staff, model, connected):
    assert staff.get(address(model, "changelist")).status_code == 200
    assert staff.get(address(model, "add")).status_code == 403


def test_one_record_opens_without_its_notebook(staff, connected):
    record = factories.FailedRecordFactory(integration=connected, memo={"private": 1}, source={"CardCode": "V1"})
    page = staff.get(address(Record, "change", record.pk)).content.decode()
    assert "CardCode" in page
    assert "private" not in page
    assert staff.post(address(Record, "change", record.pk), {"status": "done"}).status_code == 403


def test_failed_records_are_replayed_and_the_others_left_alone(staff, connected):
    failed = factories.FailedRecordFactory(integration=connected)
    ignored = factories.RecordFactory(integration=connected, status="ignored")
    data = {"action": "replay_failed", "_selected_action": [failed.pk, ignored.pk]}
    page = staff.post(address(Record, "changelist"), data, follow=True).content.decode()
    assert "1 failed records are on their way again" in page
    assert Record.objects.get(pk=failed.pk).status == "pending"
    assert Record.objects.get(pk=ignored.pk).status == "ignored"
    assert AuditEvent.objects.get(action="record.replayed").actor == "staff@example.com"


def test_no_page_of_a_call_shows_headers_or_secrets(staff, connected):
    call = factories.CallFactory(integration=connected, request_headers={"Authorization": "canary-token"})
    page = staff.get(address(Call, "change", call.pk)).content.decode()
    assert "canary-token" not in page
    assert SAP_PASSWORD not in page
    assert BASWARE_SECRET not in page


def test_a_member_who_is_not_staff_is_sent_away(people):
    answer = people["owner"].get("/admin/syncengine/record/")
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
