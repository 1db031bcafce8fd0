"""Login, cookies, idle time, ping (contracts: SAP §2, §11 points 1, 2, 12)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from syncengine.sandbox.sap_b1.errors import ServiceLayerError
from syncengine.sandbox.sap_b1.sessions import Sessions
from tests.sandbox.sap_b1.conftest import LOGIN, Client, error_of

CREDENTIALS = {"company_db": "SBO_NORDIC", "username": "basware_if", "password": "sandbox-sap-1"}
SETTINGS = {"login_seconds": 0, "overlapping_logins_clash": False, "nodes": 2}


def test_login_answers_with_two_raw_cookies_and_the_session(sap):
    answer = Client(sap).log_in()
    first, second = answer.raw.headers.getlist("Set-Cookie")
    body = answer.json()
    assert first == f"B1SESSION={body['SessionId']};HttpOnly;;Secure;SameSite=None"
    assert second.startswith("ROUTEID=.node")
    assert second.endswith("; path=/;Secure;SameSite=None")
    assert (body["Version"], body["SessionTimeout"]) == ("1000280", 30)
    assert "OData-Version" not in answer.headers
    assert answer.headers["Content-Type"] == "application/json;odata.metadata=minimal;charset=utf-8"
    assert answer.headers["Server"].startswith("Apache/")


def test_routeid_and_secure_may_be_missing(sap):
    sap.company.change_settings(route_id=False, secure_cookies=False)
    (only,) = Client(sap).log_in().raw.headers.getlist("Set-Cookie")
    assert only.endswith(";HttpOnly;")


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"Password": "wrong"}, "-304"), ({"UserName": "nobody"}, "-304"), ({"CompanyDB": "OTHER"}, "-306")],
)
def test_only_the_code_tells_wrong_credentials_from_a_wrong_company(sap, changed, code):
    assert error_of(Client(sap).log_in(**changed)) == (401, code, "Fail to NONE-SSO login from SLD.")


@pytest.mark.parametrize("path", ["login", "LOGIN", "Projects", "NoSuchSet", "Logout"])
def test_without_a_session_everything_but_login_is_301(sap, path):
    answer = Client(sap).post(path, LOGIN)
    assert error_of(answer) == (401, "301", "Invalid session or session already timeout.")


def test_a_mis_cased_login_is_301_even_with_a_session(client):
    assert error_of(client.post("login", LOGIN))[:2] == (401, "301")


def test_an_unknown_set_is_no_service(client):
    assert error_of(client.get("businesspartners")) == (400, "-1002", "Service Not Found")
    assert error_of(client.get("Nonsense(1)/Deeper/Still"))[1] == "-1002"


def test_logout_ends_the_session(client):
    assert client.post("Logout").status_code == 204
    assert error_of(client.get("Projects"))[:2] == (401, "301")


def test_one_session_serves_both_versions(client, sap):
    other = Client(sap, "v1")
    other.session = client.session
    assert "odata.metadata" in other.read("Projects?$top=1")


def test_the_time_out_counts_from_the_last_use():
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    cookie = f"B1SESSION={sessions.log_in(LOGIN, CREDENTIALS, SETTINGS).key}"
    for minute in (20, 40, 60):
        now[0] = minute * 60
        sessions.require(cookie, 30)
    now[0] = 91 * 60
    with pytest.raises(ServiceLayerError) as lost:
        sessions.require(cookie, 30)
    assert (lost.value.status, lost.value.code) == (401, 301)
    assert len(sessions) == 0


def test_logins_go_round_the_nodes():
    sessions = Sessions()
    nodes = [sessions.log_in(LOGIN, CREDENTIALS, SETTINGS).node for _ in range(3)]
    assert nodes == ["node1", "node2", "node1"]


def test_overlapping_logins_may_clash(sap):
    sap.company.change_settings(login_seconds=0.3, overlapping_logins_clash=True)
    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in [pool.submit(Client(sap).log_in) for _ in range(2)]]
    refused = next(answer for answer in answers if not answer.ok)
    assert error_of(refused) == (500, "299", "SAML Login Failed")
    assert sum(answer.ok for answer in answers) == 1


@pytest.mark.parametrize(
    ("path", "sender"),
    [("/ping/", "load balancer"), ("/ping/load-balancer", "load balancer"), ("/ping/node/1", "node 1")],
)
def test_ping_needs_no_session(sap, path, sender):
    body = requests.get(sap.url + path, timeout=5).json()
    assert (body["message"], body["sender"]) == ("pong", sender)
    assert float(body["timestamp"]) > 0


def test_outside_the_service_root_there_is_a_web_page(sap):
    answer = requests.get(f"{sap.url}/ServiceLayer/b1s/v3/Login", timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (404, "text/html")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("session_lost", (401, "301")),
        ("minus_5002", (400, "-5002")),
        ("minus_304", (401, "-304")),
    ],
)
def test_a_session_may_be_lost_in_mid_run(client, sap, kind, answer):
    sap.faults.add({"kind": kind})
    assert error_of(client.get("Projects"))[:2] == answer
    assert error_of(client.get("Projects"))[:2] == (401, "301")
    assert client.log_in().ok
    assert client.rows("Projects?$top=1")


def test_faults_of_sessions_spare_the_login(sap):
    sap.faults.add({"kind": "session_lost"})
    assert Client(sap).log_in().ok
    assert len(sap.faults.active()) == 1


def test_a_broken_node_fails_until_the_next_login(client, sap):
    sap.faults.add({"kind": "broken_node", "node": client.node.strip("."), "count": 0})
    assert error_of(client.get("Projects"))[:2] == (500, "407")
    client.log_in()
    assert client.rows("Projects?$top=1")


def test_a_customers_own_rule_comes_as_minus_1116_on_posts_only(client, sap, service_invoice):
    sap.faults.add({"kind": "customer_rule", "message": "(42) Not on Fridays", "count": 0})
    assert client.rows("Projects?$top=1")
    assert error_of(client.post("PurchaseInvoices", service_invoice)) == (400, "-1116", "(42) Not on Fridays")


def test_any_error_can_be_ordered(client, sap):
    sap.faults.add({"kind": "error", "code": -4013, "message": "Posting period locked", "status": 400})
    assert error_of(client.get("Projects")) == (400, "-4013", "Posting period locked")


def test_a_commit_whose_answer_is_lost_is_there(client, sap, service_invoice):
    sap.faults.add({"kind": "drop_after", "method": "POST", "path": "PurchaseInvoices"})
    with pytest.raises(requests.ConnectionError):
        client.post("PurchaseInvoices", service_invoice)
    assert len(client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'")) == 1
