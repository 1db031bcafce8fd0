"""Making an integration, its settings, off and on."""

from __future__ import annotations

import pytest
from django.utils import timezone

from portal.forms.integrations import FlowSettingsForm
from syncengine.flows.settings import FlowSettings
from tenants.models import Integration

DEFAULTS = {name: value for name, value in FlowSettings() if value not in (False, [])}


def test_a_new_integration_leads_to_its_first_steps(organization, people):
    answer = people["admin"].post(f"/o/{organization.slug}/integrations/new/", {"name": "Sweden"})
    made = Integration.objects.of(organization).get()
    assert answer["Location"] == f"/o/{organization.slug}/integrations/{made.pk}/start/"


def test_a_name_that_is_taken_is_refused_at_its_field(organization, integration, people):
    answer = people["admin"].post(f"/o/{organization.slug}/integrations/new/", {"name": integration.name})
    assert "with this name already" in answer.context["form"].errors["name"][0]


def test_every_setting_has_a_field_with_its_description_in_some_group():
    form = FlowSettingsForm(in_force=FlowSettings())
    shown = [field.name for _, fields in form.groups for field in fields]
    assert sorted(shown) == sorted(FlowSettings.model_fields)
    assert all(form.fields[name].help_text for name in shown)


def test_settings_that_were_not_touched_are_not_stored(root, connected, people):
    people["admin"].post(f"{root}settings/", DEFAULTS)
    connected.refresh_from_db()
    assert connected.settings == {}


def test_changed_settings_are_stored_and_shown(root, connected, people):
    changed = {**DEFAULTS, "payment_lookback_days": "60", "credit_note_types": "CN, 381", "allow_zero_total": "on"}
    page = people["admin"].post(f"{root}settings/", changed, follow=True).content.decode()
    connected.refresh_from_db()
    assert connected.settings == {
        "payment_lookback_days": 60,
        "credit_note_types": ["CN", "381"],
        "allow_zero_total": True,
    }
    assert "CN, 381" in page


def test_flows_beyond_the_nine_are_ticked_by_their_titles(root, connected, people):
    chosen = {**DEFAULTS, "optional_flows": ["exchange_rates", "generic_lists"]}
    form = people["admin"].post(f"{root}settings/", chosen, follow=True).context["form"]
    connected.refresh_from_db()
    assert connected.settings == {"optional_flows": ["exchange_rates", "generic_lists"]}
    ticked = [choice.choice_label for choice in form["optional_flows"] if choice.data["selected"]]
    assert ticked == ["Exchange rates", "Generic lists"]
    people["admin"].post(f"{root}settings/", DEFAULTS)
    connected.refresh_from_db()
    assert connected.settings["optional_flows"] == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("time_zone", "Middle Earth", "no time zone"),
        ("payment_lookback_days", "0", "greater than or equal to 1"),
        ("payment_lookback_days", "many", "whole number"),
        ("source_system", "x" * 40, "at most 36"),
        ("matching", "nonsense", "valid choice"),
    ],
)
def test_a_wrong_setting_is_named_at_its_field(root, connected, people, field, value, sentence):
    answer = people["admin"].post(f"{root}settings/", {**DEFAULTS, field: value})
    assert sentence in answer.context["form"].errors[field][0]
    connected.refresh_from_db()
    assert connected.settings == {}


def test_switching_off_and_on_ends_a_pause(root, connected, people):
    connected.paused_since, connected.paused_reason = timezone.now(), "log-in refused"
    connected.save()
    people["admin"].post(f"{root}enable/", {"enabled": "false"})
    connected.refresh_from_db()
    assert (connected.enabled, connected.paused) == (False, True)
    people["admin"].post(f"{root}enable/", {"enabled": "true"})
    connected.refresh_from_db()
    assert (connected.enabled, connected.paused) == (True, False)
