"""Every seeded set-up fault has a cause of its own: a check, a sentence, what to do, and the text to send."""

from __future__ import annotations

import pytest

from syncengine.engine.ping import ping
from syncengine.sandbox.seeds import SEEDS
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

# What the ping has to find: the first check that wants a look, and words of its sentence.
CAUSES = {
    "sap-name-unknown": ("dns", "The name sap.invalid cannot be found"),
    "sap-port-closed": ("tcp", "the connection was refused"),
    "sap-certificate-expired": ("tls", "expired on"),
    "sap-certificate-ends": ("tls", "11 more days"),
    "sap-certificate-name": ("tls", "was issued for sap.example.com"),
    "sap-certificate-unknown": ("tls", "signed by Sandbox CA, which is not trusted"),
    "sap-plain-port": ("tls", "No secure connection"),
    "sap-proxy-down": ("reach", "there is no Service Layer behind it"),
    "sap-path-case": ("path", "is not known to the server (HTTP 404)"),
    "sap-password": ("login", "refused user basware_if"),
    "sap-company": ("login", "does not know company database SBO_NOWHERE"),
    "sap-licence": ("login", "Switch company error"),
    "sap-read-vendors": ("read:BusinessPartners", "may not read BusinessPartners"),
    "sap-read-orders": ("read:PurchaseOrders", "may not read PurchaseOrders"),
    "sap-add-invoices": ("write:PurchaseInvoices", "may not add PurchaseInvoices"),
    "sap-add-credits": ("write:PurchaseCreditNotes", "may not add PurchaseCreditNotes"),
    "sap-field": ("field", "no user-defined field U_NoSuchField"),
    "sap-tax-field": ("tax", "The connection says TaxCode"),
    "sap-branches": ("branches", "sees no active one"),
    "sap-approval": ("approval", "wait in SAP as drafts"),
    "basware-name-unknown": ("dns", "The name api.xx.invalid cannot be found"),
    "basware-secret": ("login", "refuses the client id or the client secret"),
    "basware-no-scope": ("login", "refuses the scopes asked for"),
    "basware-scope": ("scopes", "did not grant: vendors.write"),
    "basware-web-page": ("login", "answered with a web page"),
    "basware-token-refused": ("version", "does not accept them"),
    "basware-down": ("version", "Basware answered 500"),
    "basware-documents": ("read:accountingDocuments", "does not allow this client"),
    "basware-storage": ("read:accountingDocuments", "document storage answered 403"),
    "basware-throttled": ("read:requestStatus", "asked for patience"),
    "basware-subscription": ("webhook:subscription", "holds no subscription for our address"),
}


@pytest.fixture
def look(world):
    """Plants a fault, pings its system, and gives the checks that want a look."""
    seeds = world.sandboxes.seeds

    def found(name):
        system = SEEDS[name].system
        row = world.connection(system)
        fields = seeds.plant(name)
        secrets = {key: fields.pop(key) for key in ("password", "client_secret") if key in fields}
        before = (row.settings, row.secrets)
        row.settings, row.secrets, row.session = {**row.settings, **fields}, {**row.secrets, **secrets}, None
        row.save()
        checks = [check for of, check in ping(world.integration) if of == system]
        seeds.clear()
        row.settings, row.secrets = before
        row.save()
        return [check for check in checks if check.wants_a_look]

    return found


def test_the_sandboxes_can_be_given_every_fault_that_is_expected_here():
    assert SEEDS.keys() == CAUSES.keys()
    assert len(CAUSES) >= 20


def test_every_seeded_fault_has_a_cause_of_its_own_and_what_to_do(world, look):
    factories.WebhookSecretFactory(integration=world.integration, confirmed_at=factories.NOON)
    causes, silent = {}, []
    for name, (check, words) in CAUSES.items():
        first = look(name)[0]
        assert first.name == check, (name, first)
        assert words in first.detail, (name, first)
        assert first.hint or first.request, (name, first)
        causes[name] = (SEEDS[name].system, first.name, first.detail)
        if not first.request:
            silent.append(name)
    assert len(set(causes.values())) == len(CAUSES)
    assert silent == []


def test_after_all_faults_are_cleared_nothing_wants_a_look(world):
    seeds = world.sandboxes.seeds
    seeds.plant("sap-approval")
    seeds.plant("basware-scope")
    seeds.clear()
    assert not [check for _, check in ping(world.integration) if check.wants_a_look]
