"""The built-in sandbox: asked for, opened, called by its integration alone, left for the real systems."""

from __future__ import annotations

import pytest

from syncengine.connectors.guard import check_url
from syncengine.connectors.outcomes import Rejected
from syncengine.engine import integrations, ping, sandboxes
from syncengine.engine.connecting import save_connection
from syncengine.engine.connections import connection_of, outbound_policy, systems
from syncengine.engine.runs import ActionRefused, request_runs
from syncengine.engine.sandbox_house import House
from syncengine.models import AuditEvent, FlowState, PostedDocument, Record, Sandbox
from syncengine.sandbox.basware import CLIENT_SECRET
from tenants.errors import Refused
from tenants.models import Connection
from tests import factories
from tests.factories import SAP

ANNA = "anna@nordic-paper.example.com"


@pytest.fixture(autouse=True)
def _offered(settings, tmp_path):
    settings.SANDBOX, settings.SANDBOX_DIR = True, tmp_path
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = [], False


@pytest.fixture
def house(transactional_db):
    house = House()
    yield house
    house.close()


@pytest.fixture
def integration(transactional_db):
    return factories.IntegrationFactory(organization=factories.OrganizationFactory())


@pytest.fixture
def inside(integration, house):
    """The integration, in its sandbox."""
    sandboxes.ask_for(integration, ANNA)
    house.look()
    return integration


def companies(integration):
    with systems(integration) as both:
        return both.sap.find("BusinessPartners", where="CardType eq 'cSupplier'", select=("CardCode",), top=1)


def test_asked_for_it_is_there_with_secrets_of_its_own_and_both_systems_answer(inside):
    assert all(check.ok for _, check in ping.ping(inside, actor=ANNA))
    assert companies(inside)
    secrets = [connection_of(inside, system).secrets for system in ("sap_b1", "basware")]
    assert secrets[1]["client_secret"] != CLIENT_SECRET
    assert "sandbox-sap-1" not in secrets[0].values()
    assert AuditEvent.objects.filter(action="connection.saved", actor=ANNA).count() == 2


def test_two_integrations_get_companies_and_secrets_of_their_own(inside, house):
    other = factories.IntegrationFactory(organization=inside.organization)
    sandboxes.ask_for(other, ANNA)
    house.look()
    urls = {connection_of(one, "sap_b1").settings["base_url"] for one in (inside, other)}
    passwords = {connection_of(one, "sap_b1").secrets["password"] for one in (inside, other)}
    assert len(urls) == len(passwords) == 2


def test_only_its_own_servers_are_let_through_and_only_for_it(inside):
    row = Sandbox.objects.get()
    stranger = factories.IntegrationFactory()
    for port in (row.sap_port, row.basware_port, row.storage_port):
        check_url(f"http://127.0.0.1:{port}/b1s/v2", outbound_policy(inside.pk))
        for policy in (outbound_policy(), outbound_policy(stranger.pk)):
            with pytest.raises(Rejected, match=r"may not call|not allowed"):
                check_url(f"http://127.0.0.1:{port}/b1s/v2", policy)
    with pytest.raises(Rejected):
        check_url(f"http://127.0.0.1:{row.sap_port + 7}/", outbound_policy(inside.pk))


def test_without_the_setting_nothing_is_let_through_and_nothing_is_offered(inside, settings):
    settings.SANDBOX = False
    assert outbound_policy(inside.pk).endpoints == frozenset()
    with pytest.raises(ActionRefused, match="does not offer"):
        sandboxes.ask_for(factories.IntegrationFactory(), ANNA)


def test_a_restart_finds_the_same_ports_secrets_and_documents(inside, house):
    before = {one.system: (one.settings, one.secrets) for one in Connection.objects.all()}
    house.close()
    house.look()
    assert {one.system: (one.settings, one.secrets) for one in Connection.objects.all()} == before
    assert companies(inside)


def test_a_port_that_is_taken_by_now_is_given_up_and_the_connection_follows(inside, house):
    house.close()
    other = factories.IntegrationFactory()
    taken = Sandbox.objects.get()
    sandboxes.ask_for(other, ANNA)
    Sandbox.objects.filter(integration=inside).delete()
    second = House()
    second.look()
    try:
        Sandbox.objects.filter(integration=other).update(sap_port=None)
        Sandbox.objects.create(
            integration=inside,
            requested_by=ANNA,
            sap_port=second._open[other.pk].sap.port,
            basware_port=taken.basware_port,
            storage_port=taken.storage_port,
        )
        second.look()
        assert companies(inside)
        assert Sandbox.objects.get(integration=inside).sap_port != second._open[other.pk].sap.port
    finally:
        second.close()


def test_asking_twice_is_asking_once(inside):
    assert sandboxes.ask_for(inside, ANNA).is_ready
    assert AuditEvent.objects.filter(action="sandbox.entered").count() == 1


def test_an_integration_of_real_systems_is_not_led_into_the_sandbox(integration):
    factories.connect(integration)
    with pytest.raises(ActionRefused, match="connected to real systems"):
        sandboxes.ask_for(integration, ANNA)


def test_there_are_no_more_sandboxes_than_a_machine_can_hold(integration, monkeypatch):
    monkeypatch.setattr(sandboxes, "MOST_SANDBOXES", 0)
    with pytest.raises(ActionRefused, match="in use"):
        sandboxes.ask_for(integration, ANNA)


def test_real_systems_are_not_entered_while_the_sandbox_lasts(inside):
    with pytest.raises(Refused) as refused:
        save_connection(inside, "sap_b1", SAP, ANNA)
    assert refused.value.errors[0].message.startswith("This integration works with the built-in sandbox.")
    assert companies(inside)


def test_leaving_removes_what_was_tried_out_and_keeps_what_was_decided(inside, house, monkeypatch):
    integrations.update(inside, {"flows": {"vendors": {"schedule": "0 2 * * *"}}}, ANNA)
    run = factories.RunFactory(integration=inside, status="succeeded")
    record = factories.RecordFactory(integration=inside, run=run, flow="invoices")
    posted = {"invoice_id": "i1", "doc_entry": 1, "doc_num": 1, "company": "c", "entity_set": "PurchaseInvoices"}
    PostedDocument.objects.create(integration=inside, record=record, **posted)
    events, webhook = AuditEvent.objects.count(), inside.webhook_id
    sandboxes.leave(inside, ANNA)
    house.look()
    inside.refresh_from_db()
    for model in (Sandbox, Connection, Record, PostedDocument):
        assert not model.objects.filter(integration=inside).exists()
    state = FlowState.objects.get(integration=inside, flow="vendors")
    assert (state.schedule, state.next_due_at) == (None, None)
    assert inside.webhook_id != webhook
    assert AuditEvent.objects.count() == events + 1
    save_connection(inside, "sap_b1", SAP, ANNA)


def test_nobody_leaves_in_the_middle_of_a_run(inside):
    request_runs(inside, "projects", "incremental", trigger="person", actor=ANNA)
    with pytest.raises(ActionRefused, match="under way"):
        sandboxes.leave(inside, ANNA)
    assert sandboxes.in_sandbox(inside)


def test_an_integration_outside_has_no_sandbox_to_leave(integration):
    with pytest.raises(ActionRefused, match="does not work with the sandbox"):
        sandboxes.leave(integration, ANNA)


def test_sandboxes_switched_off_meanwhile_say_so(integration, house, settings):
    sandboxes.ask_for(integration, ANNA)
    settings.SANDBOX = False
    house.look()
    assert Sandbox.objects.get().problem
