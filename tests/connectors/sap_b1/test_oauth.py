"""The log-in by OAuth against the sandbox's authorization server, over real sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncengine.connectors.client_credentials import Grant
from syncengine.connectors.outcomes import Unauthenticated, Unavailable
from syncengine.connectors.sap_b1 import SapB1, SapSession, SapSettings, checks
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.identity import CLIENT_ID, CLIENT_SECRET
from syncengine.sandbox.sap_b1.server import SapSandbox
from syncengine.sandbox.store import Store


@pytest.fixture
def sandbox():
    server = SapSandbox(Store(), Dataset())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(sandbox, make_transport, clock, slept):
    grant = Grant(sandbox.token_url, CLIENT_ID, CLIENT_SECRET)
    settings = SapSettings(sandbox.base_url, sandbox.credentials["company_db"], "", "", oauth=grant)
    return SapB1(settings, make_transport(secrets=[CLIENT_SECRET]), clock=clock, sleep=slept.append)


def vendor(client):
    return client.by_key("BusinessPartners", "V10000", ["CardCode"])


def refused_login(client):
    with pytest.raises(Unauthenticated) as fault:
        client.login()
    assert fault.value.login_refused
    return fault.value


def logins(sandbox):
    return [call for call in sandbox.requests.log() if call["path"].endswith("/Login")]


@pytest.mark.parametrize("on_every_call", [False, True])
def test_a_token_logs_in_whether_the_cookie_is_enough_afterwards_or_not(client, sandbox, on_every_call):
    sandbox.identity.bearer_on_every_call = on_every_call
    assert vendor(client)["CardCode"] == "V10000"
    assert vendor(client)
    assert sandbox.identity.issued == 1


def test_user_and_password_are_not_sent(client, sandbox):
    client.login()
    (login,) = logins(sandbox)
    assert "UserName" not in login["body"]
    assert "Password" not in login["body"]


def test_a_lost_session_takes_one_new_token(client, sandbox):
    vendor(client)
    sandbox.sessions.end_all()
    assert vendor(client)
    assert sandbox.identity.issued == 2


def test_a_token_that_ran_out_is_replaced_by_one_new_one(client, sandbox):
    sandbox.identity.bearer_on_every_call = True
    vendor(client)
    sandbox.identity.tokens.clear()
    assert vendor(client)
    assert sandbox.identity.issued == 2


def test_a_token_that_is_never_good_enough_is_asked_for_once_more_and_no_oftener(client, sandbox):
    sandbox.identity.bearer_on_every_call = True
    vendor(client)
    sandbox.identity.lifetime = -1
    sandbox.identity.tokens.clear()
    with pytest.raises(Unauthenticated) as fault:
        vendor(client)
    assert fault.value.code == "token_not_taken"
    assert sandbox.identity.issued == 2


def test_an_installation_without_oauth_says_so_at_the_log_in(client, sandbox):
    client.login()
    sandbox.identity.tokens.clear()
    original = sandbox.identity.knows
    sandbox.identity.knows = lambda request: False
    fault = refused_login(client)
    sandbox.identity.knows = original
    assert fault.code == "token_not_taken"
    assert "10.0 FP 2305" in fault.hint


def test_a_company_that_does_not_exist_is_named(client):
    client.settings = replace(client.settings, company_db="SBO_NOWHERE")
    assert "SBO_NOWHERE" in refused_login(client).message


def test_a_wrong_client_secret_is_refused_without_a_log_in(client, sandbox):
    client.settings = replace(client.settings, oauth=replace(client.settings.oauth, client_secret="wrong"))
    assert refused_login(client).code == "oauth_refused"
    assert logins(sandbox) == []


def test_where_there_is_no_token_service_the_address_is_to_blame(client, sandbox):
    sandbox.identity.offered = False
    with pytest.raises(Unavailable) as fault:
        client.login()
    assert fault.value.code == "no_token"


@pytest.mark.parametrize(
    ("secret", "offered", "words"),
    [("wrong", True, "refuses client sandbox-sap-client"), (CLIENT_SECRET, False, "no token service")],
)
def test_ping_names_the_cause_at_the_log_in(client, sandbox, secret, offered, words):
    client.settings = replace(client.settings, oauth=replace(client.settings.oauth, client_secret=secret))
    sandbox.identity.offered = offered
    check = next(check for check in checks(client, reads=()) if check.name == "login")
    assert not check.ok
    assert words in check.detail
    assert check.request


def test_ping_tells_which_client_is_logged_in(client):
    check = next(check for check in checks(client, reads=()) if check.name == "login")
    assert check.ok
    assert "sandbox-sap-client" in check.detail


def test_no_token_is_kept_of_any_call(client, sandbox, observed):
    session = client.login()
    vendor(client)
    assert session.bearer
    assert session.bearer not in repr(observed)
    assert session.bearer not in repr(session)


def test_a_session_of_before_oauth_is_still_read_from_the_store(clock):
    kept = SapSession("7f", "", 30, clock()).to_dict()
    del kept["bearer"]
    assert SapSession.from_dict(kept).headers == {"Cookie": "B1SESSION=7f"}
