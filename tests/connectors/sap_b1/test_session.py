"""Login, cookies, and the life of a session (contracts: SAP §2, §3.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from syncengine.connectors.http import Response
from syncengine.connectors.outcomes import (
    Throttled,
    Unauthenticated,
    Unavailable,
)
from syncengine.connectors.sap_b1 import MemorySessionStore, SapSession, normalise
from syncengine.connectors.sap_b1.session import session_of
from tests.connectors.servers import html_answer, http_answer, json_answer

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
RECORD = {"CardCode": "V1"}
BOTH = "B1SESSION=7f; ROUTEID=.node3"


def vendor(client):
    return client.by_key("BusinessPartners", "V1", ["CardCode"])


@pytest.fixture(autouse=True)
def a_vendor(sap):
    sap.on("GET", "BusinessPartners('V1')", json_answer(RECORD))


def login_response(*cookies: str) -> Response:
    return Response(200, [("Set-Cookie", cookie) for cookie in cookies], b"{}", "https://sap/b1s/v2/Login")


# --- logging in


def test_login_sends_company_user_password_and_language(client, sap):
    client.login()
    expected = {"CompanyDB": "SBO_ACME_FI", "UserName": "basware_if", "Password": "s3cret-pass", "Language": 3}
    assert sap.logins == [expected]


def test_login_keeps_both_cookies_despite_the_double_semicolon(client, sap):
    session = client.login()
    assert session.cookie_header == "B1SESSION=7f0c7c3e-c4f1-11f0-8000-000000000001; ROUTEID=.node1"
    vendor(client)
    assert sap.calls[0].header("Cookie") == session.cookie_header


@pytest.mark.parametrize(
    ("lines", "cookie"),
    [
        (["B1SESSION=7f;HttpOnly;;Secure;SameSite=None", "ROUTEID=.node3; path=/;Secure"], BOTH),
        (["B1SESSION=7f;HttpOnly;", "CompanyDB=X;HttpOnly", "ROUTEID=.node3; path=/b1s"], BOTH),
        (["ROUTEID=.node3; path=/", "B1SESSION=7f"], BOTH),
        (["B1SESSION=7f;HttpOnly, ROUTEID=.node3; path=/"], BOTH),
        (["B1SESSION=7f;HttpOnly;;Secure"], "B1SESSION=7f"),
    ],
)
def test_cookies_are_taken_from_the_raw_lines_of_every_known_server(lines, cookie):
    session = session_of(login_response(*lines), {"SessionId": "other", "SessionTimeout": 30}, NOW)
    assert session.cookie_header == cookie


def test_the_session_id_of_the_body_serves_when_a_proxy_ate_the_cookies():
    assert session_of(login_response(), {"SessionId": "7f"}, NOW).cookie_header == "B1SESSION=7f"
    assert session_of(login_response(), {}, NOW) is None


def test_no_route_id_is_invented_on_a_single_node(client, sap):
    sap.route_id = False
    assert client.login().cookie_header == "B1SESSION=7f0c7c3e-c4f1-11f0-8000-000000000001"
    assert vendor(client) == RECORD


def test_a_login_answer_without_session_is_unavailable(client, sap):
    sap.login_scripts = [json_answer({"SessionTimeout": 30})]
    with pytest.raises(Unavailable) as fault:
        client.login()
    assert fault.value.code == "unexpected_answer"


@pytest.mark.parametrize(("code", "name"), [(-304, "login_refused"), (-306, "company_unknown")])
def test_a_refused_login_is_told_by_its_code_and_never_retried(client, sap, slept, code, name):
    sap.login_scripts = [sap.error(401, code, "Fail to NONE-SSO login from SLD.")] * 3
    with pytest.raises(Unauthenticated) as fault:
        vendor(client)
    assert fault.value.login_refused
    assert (fault.value.code, fault.value.status) == (name, 401)
    assert fault.value.hint
    assert len(sap.logins) == 1
    assert not slept
    assert not sap.calls


def test_the_sentences_of_user_and_company_name_them(client, sap):
    sap.login_scripts = [sap.error(401, code, "Fail to NONE-SSO login from SLD.") for code in (-304, -306)]
    messages = []
    for _ in range(2):
        with pytest.raises(Unauthenticated) as fault:
            client.login()
        messages.append(fault.value.message)
    assert "basware_if" in messages[0]
    assert "SBO_ACME_FI" in messages[1]


def test_a_login_clash_is_retried_after_one_to_five_seconds(client, sap, slept):
    sap.login_scripts = [sap.error(500, 299, "SAML Login Failed")] * 2
    assert vendor(client) == RECORD
    assert len(sap.logins) == 3
    assert all(1 <= pause <= 5 for pause in slept)
    assert len(slept) == 2


def test_a_login_clash_that_stays_is_unavailable(client, sap):
    sap.login_scripts = [sap.error(500, 299, "SAML Login Failed")] * 5
    with pytest.raises(Unavailable) as fault:
        vendor(client)
    assert fault.value.code == "login_clash"
    assert len(sap.logins) == 3


@pytest.mark.parametrize(("status", "code"), [(500, -5027), (401, -5002), (400, -1)])
def test_any_other_login_refusal_waits_a_minute(client, sap, status, code):
    sap.login_scripts = [sap.error(status, code, "Switch company error: -5027")]
    with pytest.raises(Throttled) as fault:
        client.login()
    assert (fault.value.after, fault.value.code, fault.value.status) == (60, "login_failed", status)
    assert "Switch company error" in fault.value.message


def test_session_text_at_login_means_a_path_in_the_wrong_case(client, sap):
    sap.login_scripts = [sap.session_lost]
    with pytest.raises(Unavailable) as fault:
        client.login()
    assert fault.value.code == "path_case"
    assert "case" in fault.value.hint
    assert len(sap.logins) == 1


@pytest.mark.parametrize("path", ["/B1S/v2", "/b1s/V2", "/b1s/V1"])
def test_a_base_url_in_the_wrong_case_is_told_from_one_that_is_wrong_altogether(make_client, path):
    root = make_client().settings.root.rsplit("/b1s", 1)[0]
    for suffix, code in ((path, "path_case"), ("/elsewhere/b1s/v2", "http_404")):
        with pytest.raises(Unavailable) as fault:
            make_client(base_url=root + suffix).login()
        assert fault.value.code == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (html_answer(200, "Welcome to the hotel"), "not_json"),
        (html_answer(404, "Not Found"), "http_404"),
        (html_answer(502, "Proxy Error"), "http_502"),
        (http_answer(500), "http_500"),
        (http_answer(200), "not_json"),
        (http_answer(401), "http_401"),
        (http_answer(301, Location="https://elsewhere/"), "http_301"),
        (json_answer([1]), "not_json"),
    ],
)
def test_a_login_that_something_else_answers_is_unavailable(client, sap, answer, code):
    sap.login_scripts = [answer]
    with pytest.raises(Unavailable) as fault:
        client.login()
    assert fault.value.code == code
    assert fault.value.hint


def test_the_password_is_in_nothing_that_is_kept(client, sap, observed):
    sap.login_scripts = [sap.error(401, -304, "user basware_if / s3cret-pass refused")]
    with pytest.raises(Unauthenticated) as fault:
        client.login()
    client.login()
    kept = f"{observed} {client.settings} {fault.value!r} {fault.value.message}"
    assert "s3cret-pass" not in kept
    assert "7f0c7c3e" not in kept


def test_a_session_shows_no_cookie_in_its_repr():
    assert "7f0c" not in repr(SapSession("7f0c", ".node7f0c", 30, NOW))


def test_a_session_survives_storage():
    session = SapSession("7f0c", ".node3", 30, NOW)
    assert SapSession.from_dict(session.to_dict()) == session


# --- sharing


def test_parallel_callers_log_in_once(client, sap):
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: vendor(client), range(8))) == [RECORD] * 8
    assert len(sap.logins) == 1


def test_workers_with_one_store_log_in_once(make_client, sap):
    store = MemorySessionStore()
    clients = [make_client(sessions=store) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(vendor, clients)) == [RECORD] * 6
    assert len(sap.logins) == 1


def test_a_session_lost_for_all_at_once_is_renewed_once(make_client, sap):
    """Nightly maintenance drops every session; the re-checked lock prevents a stampede (contracts: SAP §10)."""
    store = MemorySessionStore()
    clients = [make_client(sessions=store) for _ in range(6)]
    for client in clients:
        vendor(client)
    sap.expire_sessions()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(vendor, clients)) == [RECORD] * 6
    assert len(sap.logins) == 2


def test_a_session_that_a_colleague_has_renewed_is_taken_without_login(make_client, sap):
    store = MemorySessionStore()
    mine, colleague = make_client(sessions=store), make_client(sessions=store)
    vendor(mine)
    sap.expire_sessions()
    vendor(colleague)
    assert vendor(mine) == RECORD
    assert len(sap.logins) == 2


def test_an_idle_session_is_given_up_two_minutes_early(client, sap, clock):
    vendor(client)
    clock.forward(minutes=27, seconds=59)
    vendor(client)
    assert len(sap.logins) == 1
    clock.forward(minutes=28)
    vendor(client)
    assert len(sap.logins) == 2
    assert len(sap.calls) == 3


def test_a_session_in_use_lives_on(client, sap, clock):
    for _ in range(6):
        vendor(client)
        clock.forward(minutes=10)
    assert len(sap.logins) == 1


def test_a_short_timeout_is_honoured(client, sap, clock):
    sap.timeout_minutes = 2
    vendor(client)
    clock.forward(seconds=61)
    vendor(client)
    assert len(sap.logins) == 2


@pytest.mark.parametrize(
    ("said", "minutes"),
    [(45, 45), ("45", 45), (Decimal("45.0"), 45), (None, 30), ("", 30), (0, 30), (-1, 30), (True, 30), ("soon", 30)],
)
def test_the_timeout_is_in_minutes_however_it_is_written_and_thirty_when_untold(said, minutes):
    body = {"SessionId": "7f", "SessionTimeout": said}
    assert session_of(login_response(), body, NOW).timeout_minutes == minutes


def test_the_last_use_is_stored_once_a_minute(make_client, clock):
    store = MemorySessionStore()
    client = make_client(sessions=store)
    vendor(client)
    logged_in = store.load().last_used
    clock.forward(seconds=30)
    vendor(client)
    assert store.load().last_used == logged_in
    clock.forward(seconds=31)
    vendor(client)
    assert store.load().last_used == clock()


def test_a_worker_that_comes_later_uses_the_stored_session(make_client, sap, clock):
    store = MemorySessionStore()
    vendor(make_client(sessions=store))
    clock.forward(minutes=20)
    vendor(make_client(sessions=store))
    assert len(sap.logins) == 1
    clock.forward(minutes=29)
    vendor(make_client(sessions=store))
    assert len(sap.logins) == 2


def test_logout_ends_the_session_and_the_next_call_logs_in(client, sap):
    vendor(client)
    client.logout()
    assert not sap.live
    vendor(client)
    assert len(sap.logins) == 2


def test_logging_out_twice_or_of_a_lost_session_is_no_error(client, sap):
    client.logout()
    vendor(client)
    sap.expire_sessions()
    client.logout()
    client.logout()
    assert len(sap.calls_of("POST", "Logout")) == 1


def test_a_private_client_leaves_the_shared_session_alone(make_client, sap):
    store = MemorySessionStore()
    client = make_client(sessions=store)
    vendor(client)
    own = client.private()
    vendor(own)
    own.logout()
    assert len(sap.logins) == 2
    assert store.load() is not None
    vendor(client)
    assert len(sap.logins) == 2


def test_normalise_is_public_for_those_who_keep_raw_answers():
    assert normalise(login_response()).http_status == 200
