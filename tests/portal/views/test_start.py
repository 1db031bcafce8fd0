"""The guided start as a page: what each role sees, what the buttons do, what the sandbox says of itself."""

from __future__ import annotations

import pytest

from syncengine.engine import previews
from syncengine.models import PostedDocument, Run, Sandbox, Setup
from tenants.models import Connection, Integration
from tests import factories
from tests.factories import BASWARE


@pytest.fixture(autouse=True)
def _offered(settings):
    settings.SANDBOX = True


@pytest.fixture
def fresh(organization):
    return factories.IntegrationFactory(organization=organization, name="Sweden")


@pytest.fixture
def steps(organization, fresh):
    return f"/o/{organization.slug}/integrations/{fresh.pk}/start/"


def page(client, path):
    return client.get(path).content.decode()


def test_the_first_page_offers_both_systems_and_the_sandbox(people, steps):
    text = page(people["admin"], steps)
    assert "0 of 7 steps are done." in text
    assert text.count("Use the built-in sandbox") == 2
    assert "Waits for: Connect SAP Business One." in text


def test_without_the_setting_there_is_no_sandbox_to_offer(people, steps, settings):
    settings.SANDBOX = False
    assert "sandbox" not in page(people["admin"], steps)


def test_a_viewer_is_told_who_can(people, steps):
    text = page(people["viewer"], steps)
    assert "can enter the credentials" in text
    assert "Use the built-in sandbox" not in text


def test_the_sandbox_is_asked_for_and_labelled_on_every_page(people, steps, fresh, organization):
    answer = people["admin"].post(f"{steps}sandbox/", headers={"HX-Request": "true"}).content.decode()
    assert "The sandbox is being started." in answer
    assert 'hx-trigger="every 1s"' in answer
    assert Sandbox.objects.get().requested_by == "admin@nordic-paper.example.com"
    root = f"/o/{organization.slug}/integrations/{fresh.pk}/"
    for path in ("", "flows/", "records/", "connections/", "settings/"):
        assert "nothing of this is real" in page(people["viewer"], root + path)
    assert "nothing of this is real" not in page(people["viewer"], f"/o/{organization.slug}/members/")


def test_one_button_makes_a_sandbox_for_a_look(people, organization):
    for name in ("Sandbox", "Sandbox 2"):
        answer = people["admin"].post(f"/o/{organization.slug}/look-around/")
        made = Integration.objects.get(name=name)
        assert answer["Location"] == f"/o/{organization.slug}/integrations/{made.pk}/start/"
    assert "Sandbox" in page(people["viewer"], f"/o/{organization.slug}/")


def test_a_sandbox_that_is_refused_leaves_no_integration_behind(people, organization, settings):
    settings.SANDBOX = False
    answer = people["admin"].post(f"/o/{organization.slug}/look-around/", follow=True)
    assert "does not offer" in answer.content.decode()
    assert not Integration.objects.exists()


def test_real_systems_are_not_mixed_with_the_sandbox(people, root, connected):
    text = people["admin"].post(f"{root}start/sandbox/", follow=True).content.decode()
    assert "connected to real systems" in text


def test_a_connection_entered_from_here_leads_back(people, steps, organization, fresh):
    form = steps.replace("start/", "connections/basware/")
    answer = people["admin"].post(f"{form}?then=start", BASWARE)
    assert answer["Location"] == steps


def test_ping_mapping_dry_run_schedule_live(people, root, connected, checks, monkeypatch):
    checks[:] = [pair for pair in checks if pair[1].ok] + [("basware", checks[0][1])]
    monkeypatch.setattr(previews, "preview", lambda integration, flow: {"problems": []})
    admin = people["admin"]
    admin.post(f"{root}start/ping/")
    assert "Both systems answer" in page(admin, f"{root}start/")
    assert "Fits" in admin.post(f"{root}start/mapping/", follow=True).content.decode()
    admin.post(f"{root}start/dry-run/")
    Run.objects.update(status="succeeded")
    assert "In office hours" in page(admin, f"{root}start/")
    assert "Choose one of the schedules." in admin.post(f"{root}start/schedule/", follow=True).content.decode()
    admin.post(f"{root}start/schedule/", {"preset": "by_hand"})
    text = admin.post(f"{root}start/live/", headers={"HX-Request": "true"}).content.decode()
    assert "The first runs are on their way" in text
    assert Setup.objects.count() == 1


def test_what_is_missing_is_said_and_not_done(people, root, connected):
    text = people["admin"].post(f"{root}start/live/", follow=True).content.decode()
    assert "A step before is still missing." in text
    assert not Run.objects.exists()


def test_problems_of_the_mapping_are_shown_with_their_way_out(people, root, connected, monkeypatch):
    Connection.objects.update(last_ping={"ok": True})
    hostile = {"message": "<b>name</b> is required", "hint": "Fill it in SAP."}
    monkeypatch.setattr(previews, "preview", lambda integration, flow: {"problems": [hostile]})
    text = people["admin"].post(f"{root}start/mapping/", follow=True).content.decode()
    assert "&lt;b&gt;name&lt;/b&gt; is required" in text
    assert "These are known: go on" in text
    assert "has looked at this" in people["admin"].post(f"{root}start/mapping/accept/", follow=True).content.decode()


def test_the_first_posted_invoice_is_named(people, root, connected):
    run = factories.RunFactory(integration=connected, status="succeeded")
    assert "No invoice has been posted yet." in page(people["viewer"], f"{root}start/")
    record = factories.RecordFactory(integration=connected, run=run, flow="invoices", title="4711 Arctic Oy")
    posted = {"invoice_id": "i1", "doc_entry": 1, "doc_num": 26000110, "company": "c", "entity_set": "PurchaseInvoices"}
    PostedDocument.objects.create(integration=connected, record=record, **posted)
    text = page(people["viewer"], f"{root}start/")
    assert "4711 Arctic Oy" in text
    assert "26000110" in text


def test_leaving_the_sandbox_asks_first(people, organization, steps, fresh):
    people["admin"].post(f"{steps}sandbox/")
    leave = f"{steps}leave-sandbox/"
    assert "What stays" in page(people["admin"], leave)
    assert people["admin"].post(leave).status_code == 409
    assert Sandbox.objects.exists()
    answer = people["admin"].post(leave, {"sure": "yes"}, follow=True).content.decode()
    assert "The sandbox is left" in answer
    assert not Sandbox.objects.exists()
