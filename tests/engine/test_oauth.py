"""The log-in to SAP by OAuth through the engine: real flows, the ping, and nothing of the token in what is kept."""

from __future__ import annotations

import pytest

from syncengine.engine.connecting import save_connection
from syncengine.engine.ping import ping
from syncengine.models import Call, RunStatus
from syncengine.sandbox.sap_b1.identity import CLIENT_ID, CLIENT_SECRET
from tests.engine.world import PERSON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def by_token(world):
    sap = world.sandboxes.sap
    fields = {
        "auth": "oauth",
        "base_url": sap.base_url,
        "company_db": sap.credentials["company_db"],
        "token_url": sap.token_url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    save_connection(world.integration, "sap_b1", fields, PERSON)
    return world


def test_a_flow_runs_on_a_session_that_a_token_opened(by_token):
    assert by_token.run("payment_terms").status == RunStatus.SUCCEEDED
    assert by_token.sandboxes.sap.identity.issued == 1


def test_neither_token_nor_secret_is_in_the_trail(by_token):
    by_token.run("payment_terms")
    token = by_token.connection("sap_b1").session["bearer"]
    asked = Call.objects.filter(url__endswith="/oauth/token")
    assert asked.exists()
    kept = repr(list(Call.objects.values()))
    assert token not in kept
    assert CLIENT_SECRET not in kept


def test_a_refused_client_pauses_the_integration_and_ping_says_why(by_token):
    row = by_token.connection("sap_b1")
    row.secrets, row.session = {"client_secret": "wrong"}, None
    row.save()
    assert by_token.run("payment_terms").status == RunStatus.FAILED
    by_token.integration.refresh_from_db()
    assert by_token.integration.paused_since is not None
    (login,) = [check for system, check in ping(by_token.integration) if check.name == "login" and system == "sap_b1"]
    assert "refuses client sandbox-sap-client" in login.detail
