"""Name, port and certificate, one by one, through the guard; every fault has a sentence of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncengine.connectors import probe as probing
from syncengine.connectors.http import Limits, OutboundPolicy
from syncengine.connectors.network_checks import network_checks, not_reached
from syncengine.connectors.outcomes import ConnectorError
from syncengine.connectors.probe import Probe
from tests.connectors.conftest import LOOPBACK
from tests.connectors.servers import http_answer

LIMITS = Limits(connect_timeout=2)


@pytest.fixture
def secure(serve, certificates):
    """A TLS server whose certificate lives that many days, and a probe that trusts it."""

    def make(name="127.0.0.1", *, days=90, trusted=True, clock=None):
        context, pem = certificates.make(name, days=days)
        server = serve(http_answer(200), tls=context)
        more = {"clock": clock} if clock else {}
        return Probe(f"{server.url}/b1s/v2", LOOPBACK, LIMITS, pem if trusted else "", **more)

    return make


def lines(probe):
    return {check.name: check for check in network_checks(probe)}


def code_of(probe):
    with pytest.raises(ConnectorError) as fault:
        probe.certificate()
    return fault.value.code, fault.value.message


def test_a_good_server_shows_its_certificate_with_dates(secure):
    found = lines(secure())
    assert list(found) == ["dns", "tcp", "tls"]
    assert all(check.ok and not check.wants_a_look for check in found.values())
    until = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    assert until in found["tls"].detail
    assert "TLSv1.3" in found["tls"].detail
    assert found["tls"].fact.startswith(f"until {until}, SHA-256 ")


def test_a_certificate_that_ends_within_thirty_days_is_a_warning_with_its_date(secure):
    tls = lines(secure(days=12))["tls"]
    assert (tls.ok, tls.warning, tls.code) == (True, True, "certificate_expires")
    assert (datetime.now(UTC) + timedelta(days=12)).date().isoformat() in tls.hint


def test_an_expired_certificate_says_since_when(secure):
    code, message = code_of(secure(days=-3))
    assert code == "certificate_expired"
    assert (datetime.now(UTC) - timedelta(days=3)).date().isoformat() in message


def test_a_certificate_of_another_name_says_for_whom_it_was_issued(secure):
    code, message = code_of(secure("sap.example.com"))
    assert code == "certificate_name"
    assert "issued for sap.example.com" in message


def test_a_certificate_that_nobody_vouches_for_is_told_as_such(secure):
    code, message = code_of(secure(trusted=False))
    assert code == "certificate_untrusted"
    assert "signed by itself" in message


def test_a_server_that_speaks_plainly_at_a_tls_port_is_told_as_such(serve):
    server = serve(http_answer(400))
    code, message = code_of(Probe(f"https://127.0.0.1:{server.port}", LOOPBACK, LIMITS))
    assert code == "tls_failed"
    assert "No secure connection" in message


def test_a_certificate_of_the_future_blames_the_clocks(secure):
    early = datetime.now(UTC) - timedelta(days=90)
    code, message = code_of(secure(trusted=False, clock=lambda: early))
    assert code == "certificate_not_yet_valid"
    assert "valid only from" in message


def test_unencrypted_http_where_it_is_allowed_is_said_and_no_more(serve):
    server = serve(http_answer(200))
    tls = lines(Probe(server.url, LOOPBACK, LIMITS))["tls"]
    assert tls.ok
    assert "Not encrypted" in tls.detail


def test_a_closed_port_ends_it_at_tcp(serve):
    server = serve(http_answer(200))
    server.close()
    found = lines(Probe(server.url, LOOPBACK, LIMITS))
    assert list(found) == ["dns", "tcp"]
    assert (found["tcp"].ok, found["tcp"].code) == (False, "connection_refused")
    reach = not_reached(found["tcp"])
    assert (reach.name, reach.ok, reach.latency_ms) == ("reach", False, 0)
    assert found["tcp"].detail in reach.detail


@pytest.mark.parametrize(
    "url", ["https://10.0.0.5", "https://169.254.169.254", "http://8.8.8.8", "https://metadata.google.internal"]
)
def test_no_forbidden_address_is_ever_touched(url, monkeypatch):
    monkeypatch.setattr(probing, "open_socket", lambda *_: pytest.fail("a socket was opened"))
    (dns,) = network_checks(Probe(url, OutboundPolicy(), LIMITS))
    assert (dns.name, dns.ok, dns.code) == ("dns", False, "outbound_blocked")


def test_the_name_is_looked_up_once_and_only_the_checked_addresses_are_connected_to(serve, monkeypatch):
    server = serve(http_answer(200))
    asked, opened = [], []
    monkeypatch.setattr(probing, "checked_addresses", lambda host, *_, **__: asked.append(host) or ["127.0.0.1"])
    genuine = probing.open_socket
    monkeypatch.setattr(
        probing, "open_socket", lambda host, port, addresses, timeout: opened.append(list(addresses))
        or genuine(host, port, addresses, timeout)
    )  # fmt: skip
    lines(Probe(f"http://rebinding.example:{server.port}", LOOPBACK, LIMITS))
    assert asked == ["rebinding.example"]
    assert opened == [["127.0.0.1"]]
