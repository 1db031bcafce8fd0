"""Integrations: their shape, what may be set, pauses, If-Match."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from syncengine.flows import registry
from syncengine.flows.settings import FlowSettings
from syncengine.models import AuditEvent, FlowState, PostedDocument
from tenants.models import Connection, Integration
from tests import factories


@pytest.fixture
def caller(api):
    return api("admin")


def errors(response) -> dict[str, str]:
    assert response.status_code == 400, response.content
    return {error["field"]: error["message"] for error in response.json()["errors"]}


def test_a_new_integration_is_enabled_with_every_flow_by_hand(organization, caller):
    answer = caller.post("integrations/", {"name": "Finland"})
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == {"id", "name", "enabled", "flows", "settings", "paused", "health", "webhook_url"}
    assert made["enabled"] is True
    assert made["paused"] is None
    assert made["health"] == "unconfigured"
    assert list(made["flows"]) == list(registry.flows())
    for name, flow in made["flows"].items():
        assert flow["enabled"] is True
        assert flow["schedule"] is flow["full_schedule"] is flow["last_run"] is flow["watermark"] is None
        assert flow["resend_field"] == registry.get(name).resend_field
    assert made["settings"] == FlowSettings().model_dump(mode="json")


def test_the_webhook_url_is_built_from_the_site_and_cannot_be_guessed(settings, integration, caller):
    settings.SITE_URL = "https://portal.example.com"
    url = caller.get(f"integrations/{integration.pk}/").json()["webhook_url"]
    assert url == f"https://portal.example.com/webhooks/basware/{integration.webhook_id}/"
    assert len(integration.webhook_id) >= 32


def test_a_patch_changes_what_it_names_and_nothing_else(integration, caller):
    patch = {
        "name": "Suomi",
        "settings": {"matching": "order", "payment_lookback_days": 60},
        "flows": {"vendors": {"schedule": "*/15 * * * *", "full_schedule": "0 3 * * *", "resend_field": None}},
    }
    changed = caller.patch(f"integrations/{integration.pk}/", patch).json()
    assert changed["name"] == "Suomi"
    assert changed["settings"] == {**FlowSettings().model_dump(mode="json"), **patch["settings"]}
    assert changed["flows"]["vendors"]["schedule"] == "*/15 * * * *"
    assert changed["flows"]["vendors"]["resend_field"] is None
    assert changed["flows"]["gl_accounts"]["resend_field"] == "text5"
    again = caller.patch(f"integrations/{integration.pk}/", {"settings": {"matching": None}}).json()
    assert again["settings"]["matching"] == "receipt"
    assert again["settings"]["payment_lookback_days"] == 60


def test_the_whole_answer_may_be_sent_back(connected, caller):
    shown = caller.get(f"integrations/{connected.pk}/").json()
    assert caller.patch(f"integrations/{connected.pk}/", shown).json() == shown


def test_every_bad_field_of_a_patch_is_named_and_nothing_is_changed(integration, caller):
    patch = {
        "name": "Suomi",
        "settings": {"matching": "guess", "colour": "red", "time_zone": "Mars/Olympus"},
        "flows": {
            "vendors": {"schedule": "every day", "resend_field": "name", "speed": 3, "enabled": "perhaps"},
            "gl_accounts": {"full_schedule": "0 0 30 2 *"},
            "invoices": {"resend_field": "text5"},
            "spaceships": {},
        },
    }
    found = errors(caller.patch(f"integrations/{integration.pk}/", patch))
    assert set(found) == {
        "settings.matching",
        "settings.colour",
        "settings.time_zone",
        "flows.vendors.schedule",
        "flows.vendors.resend_field",
        "flows.vendors.speed",
        "flows.vendors.enabled",
        "flows.gl_accounts.full_schedule",
        "flows.invoices.resend_field",
        "flows.spaceships",
    }
    assert Integration.objects.get().name == "Finland"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 121}, {"name": None}, {"name": ["a"]}])
def test_an_integration_needs_a_name(body, caller):
    assert "name" in errors(caller.post("integrations/", body))


def test_a_name_is_taken_once_in_an_organization(integration, caller, outsider_api):
    assert "name" in errors(caller.post("integrations/", {"name": "Finland"}))
    assert outsider_api.post("integrations/", {"name": "Finland"}).status_code == 201


@pytest.mark.parametrize("patch", [{"settings": []}, {"flows": []}, {"flows": {"vendors": None}}, {"enabled": None}])
def test_a_wrong_type_is_400(patch, integration, caller):
    assert errors(caller.patch(f"integrations/{integration.pk}/", patch))


def test_enabling_ends_a_pause_and_closes_the_circuit(connected, caller):
    Integration.objects.update(paused_since=timezone.now(), paused_reason="The password was refused.")
    Connection.objects.update(failures_in_a_row=9, retry_after=timezone.now() + timedelta(hours=1))
    before = caller.get(f"integrations/{connected.pk}/").json()
    assert before["paused"]["reason"] == "The password was refused."
    assert before["health"] == "failing"
    after = caller.patch(f"integrations/{connected.pk}/", {"enabled": True}).json()
    assert after["paused"] is None
    assert after["health"] == "ok"
    assert set(Connection.objects.values_list("failures_in_a_row", "retry_after")) == {(0, None)}


def test_what_was_changed_is_in_the_trail_with_who_did_it(integration, caller):
    caller.patch(f"integrations/{integration.pk}/", {"enabled": False, "flows": {"vendors": {"enabled": False}}})
    events = {event.action: event for event in AuditEvent.objects.filter(integration=integration)}
    assert events["integration.changed"].data == {"before": {"enabled": True}, "after": {"enabled": False}}
    assert events["flow.changed"].data["after"] == {"enabled": False}
    assert all(event.actor.startswith("api-key:lb_") for event in events.values())


def test_if_match_refuses_a_change_to_what_has_changed_meanwhile(integration, caller):
    path = f"integrations/{integration.pk}/"
    read = caller.get(path).headers["ETag"]
    first = caller.patch(path, {"name": "Suomi"}, If_Match=read)
    assert first.status_code == 200
    assert caller.patch(path, {"name": "Finnland"}, If_Match=read).status_code == 412
    assert caller.patch(path, {"name": "Finnland"}, If_Match=first.headers["ETag"]).status_code == 200
    assert caller.patch(path, {"name": "Finland"}, If_Match="*").status_code == 200


def test_an_integration_is_removed_with_its_records(integration, record, run, caller):
    assert caller.delete(f"integrations/{integration.pk}/").status_code == 204
    assert caller.get(f"integrations/{integration.pk}/").status_code == 404
    assert AuditEvent.objects.filter(action="integration.removed", message="Finland").exists()


def test_an_integration_that_posted_invoices_is_kept(integration, caller):
    record = factories.invoice(integration)
    PostedDocument.objects.create(
        integration=integration, record=record, company="c", entity_set="PurchaseInvoices", doc_entry=1, doc_num=1
    )
    response = caller.delete(f"integrations/{integration.pk}/")
    assert response.status_code == 409
    assert Integration.objects.exists()


def test_the_list_takes_as_many_queries_for_many_as_for_one(organization, caller, django_assert_max_num_queries):
    for number in range(12):
        made = factories.IntegrationFactory(organization=organization)
        factories.connect(made)
        run = factories.RunFactory(integration=made, status="partial")
        FlowState.objects.create(integration=made, flow="vendors", last_run=run, watermark={"since": "2026-05-04"})
        factories.FailedRecordFactory(integration=made, key=f"V{number}")
    caller.get("integrations/")
    with django_assert_max_num_queries(7):
        results = caller.get("integrations/").json()["results"]
    assert len(results) == 12
    assert results[0]["id"] > results[-1]["id"]
    assert results[0]["flows"]["vendors"]["last_run"] is not None
    assert {one["health"] for one in results} == {"degraded"}
