"""Flows that an integration may switch on: on its pages and in the API only then, and set like the others."""

from __future__ import annotations

import pytest

from syncengine.engine import runs
from syncengine.flows import registry
from syncengine.models import FlowState
from tenants.errors import Refused

OPTIONAL = [name for name, flow in registry.known().items() if flow.optional]


@pytest.fixture
def wanting(connected):
    """The integration with all of them on."""
    connected.settings = {"optional_flows": OPTIONAL, "list_sources": ["ACC_LIST_3=Projects/Code/Name"]}
    connected.save()
    return connected


def test_nothing_shows_them_until_they_are_switched_on(root, connected, people):
    page = people["admin"].get(f"{root}flows/").content.decode()
    assert not [name for name in OPTIONAL if f"flows/{name}/" in page]
    assert people["admin"].get(f"{root}mappings/{OPTIONAL[0]}/").status_code == 404
    assert people["admin"].get(f"{root}flows/{OPTIONAL[0]}/").status_code == 404
    assert [run.flow for run in runs.request_runs(connected, "all", "dry_run", trigger="person", actor="me")] == list(
        registry.flows()
    )


@pytest.mark.parametrize("flow", OPTIONAL)
def test_one_that_is_off_is_not_run(connected, flow):
    with pytest.raises(Refused):
        runs.request_runs(connected, flow, "full", trigger="person", actor="me")


def test_they_are_switched_on_by_their_names_in_the_settings(root, connected, people):
    settings = people["admin"].get(f"{root}settings/").context["form"].initial
    sent = {name: value for name, value in settings.items() if value is not False}
    people["admin"].post(f"{root}settings/", {**sent, "optional_flows": ["exchange_rates", "invoice_images"]})
    connected.refresh_from_db()
    assert connected.settings == {"optional_flows": ["exchange_rates", "invoice_images"]}


@pytest.mark.parametrize("flow", OPTIONAL)
def test_its_pages_are_those_of_any_flow(root, wanting, people, flow):
    assert f"flows/{flow}/" in people["admin"].get(f"{root}flows/").content.decode()
    assert people["admin"].get(f"{root}mappings/{flow}/").status_code == 200
    saved = people["admin"].post(f"{root}flows/{flow}/", {"enabled": "on", "schedule": "0 5 * * *"})
    assert saved.status_code == 302
    assert FlowState.objects.get(integration=wanting, flow=flow).schedule == "0 5 * * *"
    (run,) = runs.request_runs(wanting, flow, "full", trigger="person", actor="me")
    assert people["admin"].get(f"/o/{wanting.organization.slug}/runs/{run.pk}/").status_code == 200
