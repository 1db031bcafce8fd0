"""The HTTP server, its faults, and the control API."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from decimal import Decimal
from http.client import HTTPConnection

import pytest
import requests

from syncengine.sandbox.control import ControlError, ControlServer
from syncengine.sandbox.faults import Fault, FaultPlan
from syncengine.sandbox.server import (
    Answer,
    SandboxRequest,
    SandboxResponse,
    SandboxServer,
    encode,
    html_response,
    json_response,
)


class Echo(SandboxServer):
    """Answers what it got."""

    worked = 0

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        self.worked += 1
        if request.path == "/boom":
            raise RuntimeError("boom")
        if request.path == "/early":
            raise Answer(json_response(418, {}))
        if request.path == "/cookies":
            return SandboxResponse(200, b"", [("Set-Cookie", "a=1;HttpOnly;;Secure"), ("Set-Cookie", "b=2")])
        if request.path == "/nothing":
            return SandboxResponse(204)
        body = request.json() if request.body else None
        return json_response(200, {"method": request.method, "params": request.params, "body": body})

    def common_headers(self, request):
        return [("X-Sandbox", "echo")]

    def own_fault(self, fault, request):
        return json_response(409, {"fault": fault.message}) if fault.kind == "own" else None


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def get(http: requests.Session, server: SandboxServer, path: str = "/x") -> requests.Response:
    return http.get(server.url + path, timeout=5)


def test_a_request_comes_in_whole(echo, http):
    answer = http.post(f"{echo.url}/x?%24top=1&name=a%20b", json={"amount": 1.5}, timeout=5)
    assert answer.json() == {"method": "POST", "params": {"$top": "1", "name": "a b"}, "body": {"amount": 1.5}}
    assert answer.headers["X-Sandbox"] == "echo"
    assert "Date" in answer.headers


def test_fractions_come_in_as_decimals():
    request = SandboxRequest("POST", "/", body=b'{"amount": 100.10}')
    assert request.json()["amount"] == Decimal("100.10")


def test_decimals_go_out_in_their_shortest_spelling():
    assert (
        encode({"a": Decimal("100.10"), "b": Decimal(1000), "c": Decimal("0.1")}) == b'{"a":100.1,"b":1000.0,"c":0.1}'
    )


def test_connections_are_kept_alive(echo):
    connection = HTTPConnection(echo.host, echo.port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/x")
        first = connection.sock
        connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_headers_go_out_raw_and_repeated(echo, http):
    raw = get(http, echo, "/cookies").raw.headers.getlist("Set-Cookie")
    assert raw == ["a=1;HttpOnly;;Secure", "b=2"]


def test_no_content_has_no_length(echo, http):
    assert "Content-Length" not in get(http, echo, "/nothing").headers


def test_a_crash_is_an_empty_500_and_is_kept_in_the_log(echo, http):
    answer = get(http, echo, "/boom")
    assert (answer.status_code, answer.text) == (500, "")
    assert "boom" in echo.requests.log()[-1]["exception"]


def test_handle_may_answer_early(echo, http):
    assert get(http, echo, "/early").status_code == 418


def test_calls_are_counted_by_template_and_logged_without_secrets(echo, http):
    http.get(f"{echo.url}/v1/vendors/3f2a8c1d9e", headers={"Authorization": "Bearer secret"}, timeout=5)
    get(http, echo, "/b1s/v2/Orders('A%2FB')")
    assert echo.requests.counts() == {"GET /v1/vendors/{id}": 1, "GET /b1s/v2/Orders(id)": 1}
    first = echo.requests.log()[0]
    assert first["status"] == 200
    assert "secret" not in str(first)
    echo.requests.clear()
    assert echo.requests.counts() == {}


def test_stop_cuts_open_connections(http):
    server = Echo().start()
    get(http, server)
    server.stop()
    with pytest.raises(requests.ConnectionError):
        get(http, server)


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_status_fault_answers_empty_and_does_no_work(echo, http, status):
    echo.faults.add({"kind": "status", "status": status, "retry_after": 2})
    answer = get(http, echo)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (status, "", "2")
    assert echo.worked == 0


@pytest.mark.parametrize("status", [413, 502, 503])
def test_a_proxys_statuses_come_as_html(echo, http, status):
    echo.faults.add({"kind": "status", "status": status})
    answer = get(http, echo)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert str(status) in answer.text


def test_a_status_after_the_work_hides_what_was_done(echo, http):
    echo.faults.add({"kind": "status", "status": 500, "after": True, "body": "{}"})
    assert get(http, echo).text == "{}"
    assert echo.worked == 1


@pytest.mark.parametrize(("kind", "worked"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_gives_no_answer(echo, kind, worked):
    echo.faults.add({"kind": kind})
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{echo.url}/x", json={}, timeout=5)
    assert echo.worked == worked


def test_bad_json_keeps_status_and_type(echo, http):
    echo.faults.add({"kind": "bad_json"})
    answer = get(http, echo)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_truncated_body_ends_early(echo, http):
    echo.faults.add({"kind": "truncated"})
    with pytest.raises(requests.RequestException):
        get(http, echo)


def test_slow_bytes_and_latency_arrive_in_the_end(echo, http):
    echo.faults.add({"kind": "slow_bytes", "seconds": 0.001})
    echo.faults.add({"kind": "latency", "seconds": 0.001})
    echo.faults.add({"kind": "latency", "seconds": 0.001, "after": True})
    assert get(http, echo).json()["method"] == "GET"
    assert echo.requests.log()[-1]["faults"] == ["slow_bytes", "latency", "latency"]


def test_a_server_may_know_faults_of_its_own(echo, http):
    echo.faults.add({"kind": "own", "message": "mine"})
    assert get(http, echo).json() == {"fault": "mine"}


def test_a_fault_hits_its_method_path_and_count_only():
    plan = FaultPlan()
    plan.add(Fault("status", method="POST", path=r"^/a\b", count=2, skip=1))
    assert plan.take("GET", "/a") == []
    assert plan.take("POST", "/b") == []
    hits = [len(plan.take("POST", "/a?x=1")) for _ in range(4)]
    assert hits == [0, 1, 1, 0]


def test_a_fault_with_count_zero_stays_until_cleared():
    plan = FaultPlan()
    plan.add({"kind": "status", "count": 0})
    assert all(plan.take("GET", "/") for _ in range(5))
    plan.clear()
    assert plan.take("GET", "/") == []


def test_a_fault_may_be_bound_to_a_node():
    plan = FaultPlan()
    plan.add({"kind": "broken_node", "node": "node2", "count": 0})
    assert plan.take("GET", "/", "B1SESSION=x; ROUTEID=.node2")
    assert not plan.take("GET", "/", "B1SESSION=x; ROUTEID=.node1")


@pytest.mark.parametrize("given", [{}, {"kind": "status", "colour": 1}, {"kind": "status", "path": "("}])
def test_a_fault_that_makes_no_sense_is_refused(given):
    with pytest.raises(ValueError, match=r"fault|path"):
        Fault.of(given)


def test_html_response_of_an_unlisted_status():
    assert b"Not Found" in html_response(404).body


@pytest.fixture
def control(echo) -> Iterator[ControlServer]:
    resets = []
    with ControlServer() as server:
        server.register_system("echo", echo, lambda: resets.append(1))
        server.resets = resets  # type: ignore[attr-defined]  for the test to look at
        yield server


def test_the_control_api_switches_faults_on_and_off(control, echo, http):
    added = http.post(f"{control.url}/faults", json={"system": "echo", "kind": "status", "status": 503}, timeout=5)
    assert added.json()["kind"] == "status"
    assert get(http, control, "/faults").json()["echo"][0]["status"] == 503
    assert get(http, echo).status_code == 503
    http.post(f"{control.url}/faults", json={"system": "echo", "kind": "status"}, timeout=5)
    http.delete(f"{control.url}/faults?system=echo", timeout=5)
    assert get(http, echo).status_code == 200


def test_the_control_api_tells_the_requests(control, echo, http):
    get(http, echo)
    traffic = get(http, control, "/requests").json()["echo"]
    assert (traffic["total"], traffic["counts"]) == (1, {"GET /x": 1})
    assert traffic["log"][0]["path"] == "/x"
    assert get(http, control, "/requests?log=0").json()["echo"]["log"] == []
    http.delete(f"{control.url}/requests", timeout=5)
    assert get(http, control, "/requests").json()["echo"]["total"] == 0


def test_the_control_api_resets(control, echo, http):
    echo.faults.add({"kind": "status"})
    http.post(f"{control.url}/reset", timeout=5)
    assert echo.faults.active() == []
    assert control.resets == [1]


def test_the_control_api_takes_more_actions_and_says_what_it_refuses(control, http):
    def refuse(payload):
        """Always refuses.

        And more."""
        raise ControlError("not today")

    control.register("POST", "/refuse", refuse)
    assert get(http, control, "/").json()["POST /refuse"] == "Always refuses."
    refused = http.post(f"{control.url}/refuse", json={}, timeout=5)
    assert (refused.status_code, refused.json()) == (400, {"error": "not today"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("POST", "/faults", b"[]", 400),
        ("POST", "/faults", b"{", 400),
        ("POST", "/faults", b'{"system": "unknown", "kind": "status"}', 400),
    ],
)
def test_the_control_api_refuses_what_it_does_not_know(control, http, method, path, body, status):
    assert http.request(method, control.url + path, data=body, timeout=5).status_code == status


def test_expect_100_continue_is_refused_where_the_real_one_does(echo):
    echo.refuses_expect = True
    with socket.create_connection((echo.host, echo.port), timeout=5) as raw:
        raw.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 500 ")
