"""The seam to the network, over real sockets: what was sent, what came back, and what each failure means."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from syncengine.connectors.http import HttpTransport, Limits, OutboundPolicy, Request
from syncengine.connectors.outcomes import Outcome, OutcomeUnknown, Rejected, Unavailable
from syncengine.connectors.wire import IDLE_SECONDS
from tests.connectors.servers import Received, http_answer


def fine(_):
    return None


def read(server, path="/x", **options):
    return Request("GET", f"{server.url}{path}", **options)


def write(server, path="/x", **options):
    return Request("POST", f"{server.url}{path}", body=b"{}", writes=True, **options)


def fault_of(transport, request, judge=fine):
    with pytest.raises((Unavailable, OutcomeUnknown, Rejected)) as fault:
        transport.send(request, judge)
    return fault.value


# --- answers


def test_numbers_come_back_as_decimal(serve, make_transport):
    server = serve(http_answer(200, '{"DocTotal": 100.10}'))
    assert make_transport().send(read(server), fine).json() == {"DocTotal": Decimal("100.10")}


def test_repeated_header_lines_survive(serve, make_transport):
    cookies = [("Set-Cookie", "B1SESSION=7f;HttpOnly;;Secure"), ("set-cookie", "ROUTEID=.node3; path=/;Secure")]
    response = make_transport().send(read(serve(http_answer(200, b"{}", cookies))), fine)
    assert response.header_lines("SET-COOKIE") == ["B1SESSION=7f;HttpOnly;;Secure", "ROUTEID=.node3; path=/;Secure"]
    assert response.header("missing") is None


def test_no_cookie_is_kept_and_ours_is_sent_as_it_is(serve, make_transport):
    server = serve(http_answer(200, b"{}", [("Set-Cookie", "a=1; path=/")]))
    transport = make_transport()
    transport.send(read(server), fine)
    transport.send(read(server, headers={"Cookie": "B1SESSION=x; ROUTEID=.node1"}), fine)
    assert [received.header("Cookie") for received in server.received] == [None, "B1SESSION=x; ROUTEID=.node1"]


def test_a_redirect_is_an_answer_like_any_other(serve, make_transport):
    server = serve(http_answer(302, b"gone", Location="/elsewhere"))
    response = make_transport().send(read(server), fine)
    assert (response.status, response.header("location"), response.text) == (302, "/elsewhere", "gone")
    assert len(server.received) == 1


def test_only_our_headers_go_out_and_never_expect(serve, make_transport):
    server = serve(http_answer(200))
    make_transport().send(write(server, headers={"Content-Type": "application/json"}), fine)
    names = {name.lower() for name, _ in server.received[0].headers}
    assert names == {"host", "user-agent", "accept-encoding", "content-type", "content-length"}


def test_the_environment_is_not_read(serve, make_transport, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert make_transport().send(read(serve(http_answer(200))), fine).status == 200


def test_a_compressed_body_is_read(serve, make_transport):
    server = serve(http_answer(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))
    assert make_transport().send(read(server), fine).json() == {"a": 1}


def test_a_chunked_body_is_read(serve, make_transport):
    server = serve(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert make_transport().send(read(server), fine).text == "abcde"


def test_a_post_without_body_says_length_zero(serve, make_transport):
    server = serve(http_answer(204))
    assert make_transport().send(Request("POST", f"{server.url}/Logout"), fine).body == b""
    assert server.received[0].header("Content-Length") == "0"


def test_a_connection_is_used_again(serve, make_transport):
    server, transport = serve(http_answer(200, b"x")), make_transport()
    for _ in range(3):
        transport.send(read(server), fine)
    assert server.connections == 1


def test_a_connection_that_was_idle_too_long_is_not_trusted_again(serve, make_transport, monkeypatch):
    server, transport = serve(http_answer(200, b"x")), make_transport()
    transport.send(read(server), fine)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + IDLE_SECONDS + 1)
    transport.send(write(server), fine)
    assert server.connections == 2


def test_threads_have_connections_of_their_own(serve, make_transport):
    barrier = threading.Barrier(4, timeout=5)

    def together(_: Received) -> bytes:
        barrier.wait()
        return http_answer(200)

    server, transport = serve(together), make_transport()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: transport.send(read(server), fine).status, range(4)))
    assert answers == [200] * 4


# --- failures before anything was sent: unavailable, for a write too


@pytest.mark.parametrize("make_request", [read, write])
def test_a_refused_connection(serve, make_transport, make_request):
    server = serve(http_answer(200))
    server.close()
    fault = fault_of(make_transport(), make_request(server))
    assert isinstance(fault, Unavailable)
    assert fault.code == "connection_refused"
    assert str(server.port) in fault.message
    assert fault.hint


def test_a_name_that_is_not_found(make_transport):
    fault = fault_of(make_transport(), Request("POST", "https://nosuchname.invalid/b1s/v2/X", writes=True))
    assert isinstance(fault, Unavailable)
    assert fault.code == "name_not_found"


def test_a_server_that_does_not_accept_in_time(make_transport, monkeypatch):
    def never(*_):
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", never)
    fault = fault_of(make_transport(), Request("POST", "http://127.0.0.1:9/", writes=True))
    assert isinstance(fault, Unavailable)
    assert fault.code == "connect_timeout"


def test_an_unreachable_network(make_transport, monkeypatch):
    def unreachable(*_):
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    fault = fault_of(make_transport(), Request("POST", "http://127.0.0.1:9/", writes=True))
    assert (fault.code, "No route to host" in fault.message) == ("unreachable", True)


def test_the_next_address_is_tried_when_the_first_refuses(serve, make_transport, monkeypatch):
    server = serve(http_answer(200))
    found = [(socket.AF_INET, 1, 6, "", (address, server.port)) for address in ("127.0.0.9", "127.0.0.1")]
    monkeypatch.setattr("syncengine.connectors.guard.socket.getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", _connect_directly)
    assert make_transport().send(Request("GET", f"http://sap.localhost:{server.port}/"), fine).status == 200
    assert server.received[0].header("Host") == f"sap.localhost:{server.port}"


def _connect_directly(address, timeout):
    connection = socket.socket()
    connection.settimeout(timeout)
    connection.connect(address)
    return connection


def test_plain_http_behind_an_https_url(serve, make_transport):
    server = serve(http_answer(200))
    fault = fault_of(make_transport(), Request("POST", f"https://127.0.0.1:{server.port}/", writes=True))
    assert isinstance(fault, Unavailable)
    assert fault.code == "tls_failed"
    assert "unencrypted" in fault.hint


def test_a_server_that_hangs_up_in_the_handshake(make_transport):
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        listener.accept()[0].close()

    threading.Thread(target=hang_up, daemon=True).start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
    fault = fault_of(make_transport(), Request("POST", url, writes=True))
    assert isinstance(fault, Unavailable)
    assert fault.code == "tls_failed"
    listener.close()


def test_a_self_signed_certificate_is_refused_until_it_is_given(serve, make_transport, certificates):
    context, pem = certificates.make()
    server = serve(http_answer(200), tls=context)
    fault = fault_of(make_transport(), write(server))
    assert isinstance(fault, Unavailable)
    assert fault.code == "certificate_invalid"
    assert "self" in fault.message
    assert "PEM" in fault.hint
    assert make_transport(ca_certificate=f"\n{pem}\n").send(write(server), fine).status == 200


def test_a_certificate_for_another_name_is_refused_though_its_issuer_is_trusted(serve, make_transport, certificates):
    context, pem = certificates.make("sap.example.com")
    fault = fault_of(make_transport(ca_certificate=pem), write(serve(http_answer(200), tls=context)))
    assert fault.code == "certificate_invalid"
    assert "name" in fault.hint


def test_an_expired_certificate_is_refused(serve, make_transport, certificates):
    context, pem = certificates.make(days=-1)
    fault = fault_of(make_transport(ca_certificate=pem), read(serve(http_answer(200), tls=context)))
    assert fault.code == "certificate_invalid"
    assert "renew" in fault.hint


def test_the_certificate_is_checked_for_the_name_though_the_address_is_pinned(
    serve, make_transport, certificates, monkeypatch
):
    context, pem = certificates.make("sap.example.com")
    server = serve(http_answer(200), tls=context)
    names = []
    context.sni_callback = lambda _, name, __: names.append(name)
    found = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr("syncengine.connectors.guard.socket.getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", _connect_directly)
    transport = make_transport(ca_certificate=pem, policy=OutboundPolicy(("sap.example.com",)))
    assert transport.send(Request("GET", f"https://sap.example.com:{server.port}/"), fine).status == 200
    assert names == ["sap.example.com"]


@pytest.mark.parametrize("text", ["nonsense", "-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----"])
def test_a_ca_certificate_that_cannot_be_read_says_so(make_transport, text):
    fault = fault_of(make_transport(ca_certificate=text), Request("GET", "https://127.0.0.1:9/"))
    assert isinstance(fault, Rejected)
    assert fault.code == "ca_certificate_invalid"


def test_a_blocked_address_is_never_connected_to(serve, observed):
    server = serve(http_answer(200))
    transport = HttpTransport("sap_b1", policy=OutboundPolicy(), observer=observed.append)
    fault = fault_of(transport, Request("POST", f"https://127.0.0.1:{server.port}/", writes=True))
    assert isinstance(fault, Rejected)
    assert fault.code == "outbound_blocked"
    assert server.connections == 0
    assert observed[0].outcome is Outcome.REJECTED


def test_a_name_is_resolved_once_and_its_answer_connected_to(serve, make_transport, monkeypatch):
    """DNS rebinding: the second look-up would give another address."""
    server = serve(http_answer(200))
    answers = [[(socket.AF_INET, 1, 6, "", ("127.0.0.1", server.port))]]
    monkeypatch.setattr("syncengine.connectors.guard.socket.getaddrinfo", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(socket, "create_connection", _connect_directly)
    assert make_transport().send(Request("GET", f"http://rebind.example:{server.port}/"), fine).status == 200
    assert not answers


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: c"}, {"X-A": "a\nb"}])
def test_a_request_that_cannot_be_sent_is_rejected(serve, make_transport, headers):
    server = serve(http_answer(200))
    fault = fault_of(make_transport(), read(server, headers=headers))
    assert fault.code == "request_invalid"
    assert not server.received


# --- failures after it was sent: unknown for a write, unavailable for a read


@pytest.mark.parametrize(("make_request", "kind"), [(read, Unavailable), (write, OutcomeUnknown)])
class TestAfterSending:
    def test_the_other_side_hangs_up(self, serve, make_transport, make_request, kind):
        server = serve(lambda _: None)
        fault = fault_of(make_transport(), make_request(server))
        assert type(fault) is kind
        assert fault.code == "connection_lost"
        assert len(server.received) == 1

    def test_the_answer_breaks_off(self, serve, make_transport, make_request, kind):
        server = serve(lambda _: [b'HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n{"DocEntry'])
        fault = fault_of(make_transport(), make_request(server))
        assert (type(fault), fault.code) == (kind, "connection_lost")

    def test_a_chunked_answer_breaks_off(self, serve, make_transport, make_request, kind):
        server = serve(lambda _: [b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"])
        fault = fault_of(make_transport(), make_request(server))
        assert (type(fault), fault.code) == (kind, "connection_lost")

    def test_what_comes_is_not_http(self, serve, make_transport, make_request, kind):
        fault = fault_of(make_transport(), make_request(serve(lambda _: [b"SSH-2.0-OpenSSH\r\n"])))
        assert (type(fault), fault.code) == (kind, "connection_lost")

    def test_what_comes_is_badly_compressed(self, serve, make_transport, make_request, kind):
        server = serve(http_answer(200, b"not gzip", Content_Encoding="gzip"))
        fault = fault_of(make_transport(), make_request(server))
        assert (type(fault), fault.code) == (kind, "connection_lost")

    def test_no_answer_in_time(self, serve, make_transport, make_request, kind):
        release = threading.Event()

        def slow(_: Received) -> None:
            release.wait(5)

        server = serve(slow)
        fault = fault_of(make_transport(), make_request(server, read_timeout=0.05))
        release.set()
        assert (type(fault), fault.code) == (kind, "read_timeout")
        assert "0.05 seconds" in fault.message

    def test_an_answer_that_never_ends(self, serve, make_transport, make_request, kind):
        def endless(_: Received):
            yield b"HTTP/1.1 200 X\r\n\r\n"
            while True:
                yield b"x" * 10_000

        transport = make_transport(limits=Limits(max_body_bytes=100_000))
        fault = fault_of(transport, make_request(serve(endless)))
        assert (type(fault), fault.code) == (kind, "answer_too_large")

    def test_an_answer_that_is_small_only_while_compressed(self, serve, make_transport, make_request, kind):
        bomb = http_answer(200, gzip.compress(b"0" * 5_000_000), Content_Encoding="gzip")
        fault = fault_of(make_transport(limits=Limits(max_body_bytes=100_000)), make_request(serve(bomb)))
        assert (type(fault), fault.code) == (kind, "answer_too_large")

    def test_an_answer_that_drips(self, serve, make_transport, make_request, kind):
        def drip(_: Received):
            yield b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n"
            for _ in range(100):
                time.sleep(0.02)
                yield b"x"

        transport = make_transport(limits=Limits(read_timeout=1, body_timeout=0.1))
        fault = fault_of(transport, make_request(serve(drip)))
        assert (type(fault), fault.code) == (kind, "body_timeout")


def test_a_reset_on_a_reused_connection_leaves_a_write_unknown(serve, make_transport):
    answers = [http_answer(200, b"x"), None]
    server, transport = serve(lambda _: answers.pop(0)), make_transport()
    transport.send(read(server), fine)
    assert isinstance(fault_of(transport, write(server)), OutcomeUnknown)
    assert len(server.received) == 2  # never sent a second time
