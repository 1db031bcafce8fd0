"""Logins to the letter, and everything that ends a session (contracts: SAP §2, §3.2, §11 points 1 and 2)."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from syncengine.sandbox.sap_b1.sessions import Session, Sessions, set_cookies
from tests.sandbox.sap_b1.conftest import LOGIN, Client, error_of

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LOST = (401, "301", "Invalid session or session already timeout.")


def raw_cookies(sap):
    return Client(sap).log_in().raw.headers.getlist("Set-Cookie")


def call_with(sap, cookie, path="Projects?$top=1"):
    headers = {} if cookie is None else {"Cookie": cookie}
    return requests.get(f"{sap.base_url}/{path}", headers=headers, timeout=5)


def test_the_two_cookies_are_written_as_a_real_server_writes_them(sap):
    first, second = raw_cookies(sap)
    assert re.fullmatch(rf"B1SESSION={GUID};HttpOnly;;Secure;SameSite=None", first)
    assert re.fullmatch(r"ROUTEID=\.node\d; path=/;Secure;SameSite=None", second)


@pytest.mark.parametrize(
    ("route", "secure", "expected"),
    [
        (True, True, ["B1SESSION=key;HttpOnly;;Secure;SameSite=None", "ROUTEID=.node3; path=/;Secure;SameSite=None"]),
        (True, False, ["B1SESSION=key;HttpOnly;", "ROUTEID=.node3; path=/"]),
        (False, True, ["B1SESSION=key;HttpOnly;;Secure;SameSite=None"]),
        (False, False, ["B1SESSION=key;HttpOnly;"]),
    ],
)
def test_route_and_secure_can_each_be_left_out(route, secure, expected):
    made = set_cookies(Session("key", "node3", 0.0), {"route_id": route, "secure_cookies": secure})
    assert made == [("Set-Cookie", text) for text in expected]


def test_an_ordinary_cookie_jar_loses_the_session(sap):
    """The reason why a client has to send the cookies by hand: they are Secure and the sandbox speaks plain http."""
    with requests.Session() as jar:
        assert jar.post(f"{sap.base_url}/Login", json=LOGIN, timeout=5).ok
        assert jar.get(f"{sap.base_url}/Projects", timeout=5).status_code == 401


def test_the_answer_of_a_login_is_as_in_the_contract(sap):
    body = Client(sap).log_in().json()
    assert set(body) == {"@odata.context", "SessionId", "Version", "SessionTimeout"}
    assert body["@odata.context"] == f"{sap.base_url}/$metadata#B1Sessions/$entity"
    assert re.fullmatch(GUID, body["SessionId"])
    assert (body["Version"], body["SessionTimeout"]) == ("1000280", 30)


def test_the_language_may_be_chosen(sap):
    assert Client(sap).log_in(Language=3).ok


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Password": "wrong"}, "-304"),
        ({"Password": "SANDBOX-SAP-1"}, "-304"),
        ({"Password": None}, "-304"),
        ({"UserName": "BASWARE_IF"}, "-304"),
        ({"UserName": ""}, "-304"),
        ({"CompanyDB": "SBO_OTHER"}, "-306"),
        ({"CompanyDB": "sbo_nordic"}, "-306"),
        ({"CompanyDB": None}, "-306"),
        ({"CompanyDB": "SBO_OTHER", "Password": "wrong"}, "-304"),
    ],
)
def test_refused_logins_differ_in_their_code_alone(sap, changed, code):
    answer = Client(sap).log_in(**changed)
    assert error_of(answer) == (401, code, "Fail to NONE-SSO login from SLD.")
    assert "Set-Cookie" not in answer.headers
    assert len(sap.sessions) == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"'])
def test_a_login_that_is_no_json_object_is_refused(sap, body):
    answer = requests.post(f"{sap.base_url}/Login", data=body, timeout=5)
    assert error_of(answer)[:2] == (400, "-1000")


@pytest.mark.parametrize("path", ["login", "LOGIN", "LogIn"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_paths_are_case_sensitive(sap, path, method):
    assert error_of(requests.request(method, f"{sap.base_url}/{path}", json=LOGIN, timeout=5)) == LOST


@pytest.mark.parametrize(
    "cookie",
    [None, "", "B1SESSION=", "B1SESSION=garbage", "b1session={key}", "ROUTEID=.node1", "XB1SESSION={key}", "{key}"],
)
def test_no_cookie_garbage_and_a_wrong_name_are_all_a_lost_session(sap, client, cookie):
    sent = cookie.replace("{key}", client.session) if cookie else cookie
    assert error_of(call_with(sap, sent)) == LOST


@pytest.mark.parametrize(
    "cookie",
    [
        "B1SESSION={key}",
        "B1SESSION={key}; ROUTEID=.node1",
        "ROUTEID=.node1; B1SESSION={key}",
        "a=b;B1SESSION={key};c=d",
    ],
)
def test_the_session_is_found_among_other_cookies(sap, client, cookie):
    assert call_with(sap, cookie.replace("{key}", client.session)).ok


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "Projects"),
        ("GET", "Nonsense"),
        ("POST", "PurchaseInvoices"),
        ("PATCH", "Projects('P001')"),
        ("DELETE", "Projects('P001')"),
        ("POST", "CompanyService_GetCompanyInfo"),
        ("GET", "Attachments2(1)/$value"),
        ("POST", "Logout"),
        ("GET", "$metadata"),
    ],
)
def test_everything_but_the_login_needs_a_session(sap, method, path):
    assert error_of(requests.request(method, f"{sap.base_url}/{path}", json={}, timeout=5)) == LOST


def test_a_logout_ends_its_own_session_only_and_answers_nothing(sap, client):
    other = Client(sap)
    other.log_in()
    answer = client.post("Logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(client.get("Projects")) == LOST
    assert error_of(client.post("Logout")) == LOST
    assert other.rows("Projects?$top=1")


def test_one_user_may_hold_several_sessions(sap):
    clients = [Client(sap) for _ in range(4)]
    for each in clients:
        each.log_in()
    assert len({each.session for each in clients}) == 4
    assert all(each.rows("Projects?$top=1") for each in clients)


def test_parallel_calls_on_one_session_work(client):
    with ThreadPoolExecutor(8) as pool:
        paths = [f"PurchaseOrders({801 + number})?$select=DocEntry" for number in range(16)]
        answers = list(pool.map(lambda path: call_with(client.sap, f"B1SESSION={client.session}", path), paths))
    assert [answer.json()["DocEntry"] for answer in answers] == list(range(801, 817))


def test_a_session_is_pinned_to_the_node_of_its_login(sap):
    nodes = [Client(sap) for _ in range(3)]
    for each in nodes:
        each.log_in()
    assert len({each.node for each in nodes}) == 3


def test_the_timeout_is_told_and_kept(sap):
    sap.company.change_settings(session_timeout=7)
    assert Client(sap).log_in().json()["SessionTimeout"] == 7


def test_an_idle_session_is_lost_over_http(sap):
    clock = [1000.0]
    sap.sessions._clock = lambda: clock[0]  # the clock alone is set: nobody waits 30 minutes
    try:
        client = Client(sap)
        client.log_in()
        for _ in range(5):  # alive after 50 minutes because it is used every ten
            clock[0] += 600
            assert client.get("Projects?$top=1").ok
        clock[0] += 30 * 60
        assert client.get("Projects?$top=1").ok, "30 minutes are not yet too long"
        clock[0] += 31 * 60
        assert error_of(client.get("Projects?$top=1")) == LOST
        assert error_of(client.get("Projects?$top=1")) == LOST
        assert client.log_in().ok
        assert client.get("Projects?$top=1").ok
    finally:
        sap.sessions._clock = time.monotonic


def test_a_refused_call_is_a_use_of_the_session_too():
    clock, settings = [0.0], {"login_seconds": 0, "overlapping_logins_clash": False, "nodes": 1}
    sessions = Sessions(lambda: clock[0])
    credentials = {"company_db": "SBO_NORDIC", "username": "basware_if", "password": "sandbox-sap-1"}
    cookie = f"B1SESSION={sessions.log_in(LOGIN, credentials, settings).key}"
    clock[0] = 29 * 60.0
    assert sessions.require(cookie, 30).used == clock[0]


def test_logins_one_after_another_never_clash(sap):
    sap.company.change_settings(overlapping_logins_clash=True)
    assert all(Client(sap).log_in().ok for _ in range(3))


def test_a_reset_ends_all_sessions(sap, client):
    sap.reset()
    assert error_of(client.get("Projects")) == LOST


def test_expect_100_continue_gets_an_empty_500(sap):
    with socket.create_connection((sap.host, sap.port), timeout=5) as raw:
        lines = ["POST /b1s/v2/Login HTTP/1.1", "Host: x", "Content-Length: 2", "Expect: 100-continue", "", ""]
        raw.sendall("\r\n".join(lines).encode())
        head, _, body = raw.recv(1000).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert body == b""


@pytest.mark.parametrize("path", ["/ping", "/ping/", "/ping/load-balancer"])
def test_the_load_balancer_answers_a_ping_with_the_time(sap, path):
    body = requests.get(sap.url + path, timeout=5).json()
    assert body["message"] == "pong"
    assert body["sender"] == "load balancer"
    assert re.fullmatch(r"\d{10}\.\d{3}", body["timestamp"])


def test_a_ping_below_the_service_root_is_none(sap, client):
    assert error_of(client.get("ping"))[1] == "-1002"
