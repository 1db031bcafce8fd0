"""A configuration goes out and comes in whole, and nothing of it by halves."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.engine import configuration, integrations, mappings
from syncengine.flows import registry
from syncengine.models import AuditEvent
from tenants.errors import Refused
from tests import factories

pytestmark = pytest.mark.django_db
ACTOR = "admin@example.com"
FLOWS = sorted(registry.flows())

schedules = st.sampled_from([None, "*/15 * * * *", "0 2 * * 1-5", "30 6,18 1 * *"])
one_flow = st.fixed_dictionaries(
    {}, optional={"enabled": st.booleans(), "schedule": schedules, "full_schedule": schedules}
)
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
tables = st.dictionaries(st.sampled_from(["accounts", "units", "own_1"]), st.dictionaries(words, words, max_size=3))
choices = st.fixed_dictionaries(
    {},
    optional={
        "hold_bank_changes": st.booleans(),
        "matching": st.sampled_from(["receipt", "order"]),
        "credit_note_types": st.lists(st.sampled_from(["CN", "381", "Gutschrift"]), unique=True),
        "time_zone": st.sampled_from(["UTC", "Europe/Helsinki", "Europe/Berlin"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choices=choices, flows=st.dictionaries(st.sampled_from(FLOWS), one_flow, max_size=3), lookups=tables)
def test_what_is_exported_makes_another_integration_the_same(choices, flows, lookups, organization):
    one, other = (factories.IntegrationFactory(organization=organization) for _ in range(2))
    integrations.update(one, {"settings": choices, "flows": flows}, ACTOR)
    rules = mappings.current(one, "vendors").rules
    mappings.save(one, "vendors", rules, lookups, ACTOR)
    file = json.loads(json.dumps(configuration.export(one)))
    configuration.apply(other, file, ACTOR)
    again = configuration.export(other)
    assert {**again, "name": ""} == {**file, "name": ""}
    assert configuration.difference(other, file) == []
    assert configuration.apply(other, file, ACTOR) == []


def test_a_part_changes_what_it_names_and_one_event_tells_of_the_file(integration):
    file = {
        "version": 1,
        "name": "Test",
        "settings": {"hold_bank_changes": False},
        "flows": {"vendors": {"enabled": False}},
    }
    wanted = [
        configuration.Change("settings.hold_bank_changes", True, False),
        configuration.Change("flows.vendors.enabled", True, False),
    ]
    assert configuration.difference(integration, file) == wanted
    assert not AuditEvent.objects.filter(action="configuration.imported").exists()
    assert configuration.apply(integration, file, ACTOR) == wanted
    integration.refresh_from_db()
    assert integration.settings == {"hold_bank_changes": False}
    event = AuditEvent.objects.get(action="configuration.imported")
    assert (event.actor, event.message) == (ACTOR, "Test")
    assert event.data["changed"] == ["flows.vendors.enabled", "settings.hold_bank_changes"]


def test_null_is_the_default(integration):
    integrations.update(integration, {"settings": {"hold_bank_changes": False}}, ACTOR)
    configuration.apply(integration, {"version": 1, "settings": {"hold_bank_changes": None}}, ACTOR)
    integration.refresh_from_db()
    assert integrations.settings_of(integration).hold_bank_changes is True


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ([], {""}),
        ({}, {"version"}),
        ({"version": 2}, {"version"}),
        ({"version": 1, "secrets": {}}, {"secrets"}),
        ({"version": 1, "flows": []}, {"flows"}),
        ({"version": 1, "settings": {"nosuch": 1, "matching": "x"}}, {"settings.nosuch", "settings.matching"}),
        ({"version": 1, "flows": {"vendors": {"schedule": "often"}}}, {"flows.vendors.schedule"}),
        ({"version": 1, "flows": {"vendors": {"watermark": None}}}, {"flows.vendors.watermark"}),
        ({"version": 1, "flows": {"nosuch": {}}}, {"flows.nosuch"}),
        ({"version": 1, "mappings": {"nosuch": {}}}, {"mappings.nosuch"}),
        ({"version": 1, "mappings": {"vendors": {"rules": 5}}}, {"mappings.vendors.rules"}),
        (
            {"version": 1, "mappings": {"vendors": {"rules": [{"target": "name", "source": "(("}]}}},
            {"mappings.vendors.rules.0.source"},
        ),
        ({"version": 1, "mappings": {"vendors": {"lookups": {"a b": {}}}}}, {"mappings.vendors.lookups.a b"}),
    ],
)
def test_everything_that_cannot_be_used_is_named_and_nothing_is_changed(file, fields, integration):
    if isinstance(file, dict):
        file = {"name": "x", **file}
    for deed in (configuration.difference, lambda one, what: configuration.apply(one, what, ACTOR)):
        with pytest.raises(Refused) as refused:
            deed(integration, file)
        assert {error.field for error in refused.value.errors} == fields
    assert not AuditEvent.objects.exists()


def test_no_address_and_no_secret_is_in_it(connected):
    text = json.dumps(configuration.export(connected))
    for secret in (
        factories.SAP_PASSWORD,
        factories.BASWARE_SECRET,
        "sap.example.com",
        "basware_if",
        connected.webhook_id,
    ):
        assert secret not in text


def run(*arguments):
    out = io.StringIO()
    call_command("configuration", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_command_prints_compares_and_applies(integration, tmp_path):
    file = tmp_path / "finland.json"
    file.write_text(run(integration.pk))
    assert run(integration.pk, file) == ""
    kept = json.loads(file.read_text())
    kept["settings"]["matching"] = "order"
    file.write_text(json.dumps(kept))
    assert json.loads(run(integration.pk, file)) == {"path": "settings.matching", "before": "receipt", "after": "order"}
    run(integration.pk, file, "--apply")
    assert run(integration.pk, file) == ""


@pytest.mark.parametrize("text", ["", "{", '{"version": 7}'])
def test_the_command_says_what_is_wrong_with_a_file(text, integration, tmp_path):
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(CommandError):
        run(integration.pk, file)
    with pytest.raises(CommandError, match="no integration"):
        run(999999)
