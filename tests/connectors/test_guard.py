"""The outbound guard: every spelling of an address that must not be called, and what the operator may permit."""

from __future__ import annotations

import socket

import pytest

from syncengine.connectors.guard import OutboundPolicy, check_url, checked_addresses, host_matches, split_url
from syncengine.connectors.outcomes import Rejected, Unavailable

CLOSED = OutboundPolicy()
LOCAL = OutboundPolicy(allow=("127.0.0.0/8", "::1", "10.1.0.0/16", "sap.corp.example"), allow_http=True)
EVERYTHING = OutboundPolicy(allow=("0.0.0.0/0", "::/0"), allow_http=True)

PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.5",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.5]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::10.0.0.5]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[2001:20::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[ff02::1]",
    "[2a00:1450::5efe:10.0.0.5]",
    "[::8.8.8.8]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "sap.localhost",
]
ODD = [
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
]
NEVER = [
    "169.254.169.254",
    "169.254.1.1",
    "[fe80::1]",
    "[febf::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "[::ffff:169.254.169.254]",
    "[::169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "[2a00::5efe:169.254.169.254]",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "metadata.google.internal",
    "METADATA",
]


def refusal(url: str, policy: OutboundPolicy) -> str:
    with pytest.raises(Rejected) as refused:
        check_url(url, policy)
    assert refused.value.message
    return refused.value.code


@pytest.mark.parametrize("host", PRIVATE)
def test_private_local_and_reserved_addresses_are_refused(host):
    assert refusal(f"https://{host}:50000/b1s/v2", CLOSED) == "outbound_blocked"


@pytest.mark.parametrize("host", ODD)
def test_odd_spellings_of_an_address_are_refused(host):
    assert refusal(f"https://{host}/b1s/v2", CLOSED) == "outbound_blocked"


@pytest.mark.parametrize("host", ["134744072", "0x8.8.8.8", "8.8.2056", "010.8.8.8"])
def test_odd_spellings_are_refused_even_of_public_addresses(host):
    assert refusal(f"https://{host}/", CLOSED) == "outbound_blocked"


@pytest.mark.parametrize("host", NEVER)
@pytest.mark.parametrize("policy", [CLOSED, EVERYTHING])
def test_metadata_and_link_local_addresses_are_refused_whatever_the_policy_says(host, policy):
    assert refusal(f"https://{host}/latest", policy) == "outbound_blocked"


def test_naming_a_link_local_address_does_not_permit_it():
    policy = OutboundPolicy(allow=("169.254.169.254", "169.254.0.0/16"), allow_http=True)
    assert refusal("http://169.254.169.254/", policy) == "outbound_blocked"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sap.example.com",
        "ftp://sap.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///b1s/v2",
        "https://user:pw@sap.example.com",
        "https://sap.example.com\\@evil.example",
        "https://sap.example.com:0/",
        "https://sap.example.com:99999/",
        "https://sap.example.com:x/",
        "https://sap .example.com/",
        "https://sap.example.com/\nHost: x",
        "https://sap.example.com/#x",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://[::g]/",
        "https://999.1.1.1/",
        "https://1.2.3.4.5/",
        "https://sap..example.com/",
        "https://%31%32%37.0.0.1/",
        "https://" + "a" * 64 + ".com/",
        "https://ex ample/",
    ],
)
def test_urls_that_readers_understand_differently_are_invalid(url):
    assert refusal(url, EVERYTHING) == "url_invalid"


@pytest.mark.parametrize(
    "url",
    [
        "https://sap.example.com:50000/b1s/v2",
        "https://api.example.com/ServiceLayer/b1s/v2",
        "https://8.8.8.8/",
        "https://[2a00:1450:4001::1]/",
        "https://sap.example.com./",
        "https://höst.example/",
        "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=1",
    ],
)
def test_public_https_urls_pass(url):
    check_url(url, CLOSED)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:50000/",
        "http://127.0.0.1:50000/",
        "http://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.1.2.3/",
        "http://sap.corp.example/",
        "https://SAP.corp.example./",
        "http://may-be-10-1.example/",
        "https://2130706433/",
    ],
)
def test_the_operator_may_permit_hosts_and_networks(url):
    check_url(url, LOCAL)


@pytest.mark.parametrize("url", ["https://10.2.0.1/", "http://8.8.8.8/", "https://[::127.0.0.1]/", "http://[::2]/"])
def test_what_is_beside_the_permitted_networks_stays_refused(url):
    assert refusal(url, LOCAL) == "outbound_blocked"


@pytest.mark.parametrize("host", ["127.0.0.1", "sap.corp.example", "8.8.8.8", "sap.example.com"])
def test_plain_http_needs_the_switch_as_well(host):
    policy = OutboundPolicy(allow=LOCAL.allow, allow_http=False)
    assert refusal(f"http://{host}/", policy) == "outbound_blocked"


def test_plain_http_to_a_host_that_is_not_listed_is_refused():
    assert refusal("http://sap.example.com/", OutboundPolicy(allow=("other",), allow_http=True)) == "outbound_blocked"


def resolving(monkeypatch, *addresses):
    def fake(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", fake)


@pytest.mark.parametrize("address", ["10.0.0.5", "127.0.0.1", "::1", "fec0::1", "::127.0.0.1", "100.64.0.1"])
def test_a_public_name_that_leads_to_a_private_address_is_refused(monkeypatch, address):
    resolving(monkeypatch, address)
    with pytest.raises(Rejected) as refused:
        checked_addresses("sap.example.com", 443, CLOSED, secure=True)
    assert refused.value.code == "outbound_blocked"


def test_only_the_permitted_addresses_of_a_name_are_given(monkeypatch):
    resolving(monkeypatch, "8.8.8.8", "10.0.0.5", "8.8.8.8")
    assert checked_addresses("sap.example.com", 443, CLOSED, secure=True) == ["8.8.8.8"]


@pytest.mark.parametrize("policy", [CLOSED, EVERYTHING])
def test_a_name_that_also_leads_to_a_metadata_service_is_refused_wholly(monkeypatch, policy):
    resolving(monkeypatch, "8.8.8.8", "169.254.169.254")
    with pytest.raises(Rejected):
        checked_addresses("sap.example.com", 443, policy, secure=True)


def test_a_named_host_may_lead_anywhere_but_to_what_is_never_allowed(monkeypatch):
    resolving(monkeypatch, "192.168.7.7")
    assert checked_addresses("sap.corp.example", 443, LOCAL, secure=True) == ["192.168.7.7"]
    resolving(monkeypatch, "169.254.7.7")
    with pytest.raises(Rejected):
        checked_addresses("sap.corp.example", 443, LOCAL, secure=True)


def test_plain_http_reaches_only_the_listed_addresses_of_a_name(monkeypatch):
    resolving(monkeypatch, "8.8.8.8", "127.0.0.1")
    assert checked_addresses("mixed.example", 80, LOCAL, secure=False) == ["127.0.0.1"]
    resolving(monkeypatch, "8.8.8.8")
    with pytest.raises(Rejected):
        checked_addresses("mixed.example", 80, LOCAL, secure=False)


def test_localhost_works_where_only_its_ipv4_network_is_listed(monkeypatch):
    policy = OutboundPolicy(allow=("127.0.0.0/8",), allow_http=True)
    resolving(monkeypatch, "::1", "127.0.0.1")
    assert checked_addresses("localhost", 80, policy, secure=False) == ["127.0.0.1"]


def test_a_name_that_is_not_found_says_so():
    with pytest.raises(Unavailable) as fault:
        checked_addresses("nosuchname.invalid", 443, CLOSED, secure=True)
    assert fault.value.code == "name_not_found"
    assert "nosuchname.invalid" in fault.value.message
    assert fault.value.hint


def test_hosts_are_matched_by_name_and_by_domain():
    patterns = ("*.amazonaws.com", "p2p.basware.com", "")
    assert host_matches("Bucket.s3.amazonaws.com", patterns)
    assert host_matches("p2p.basware.com.", patterns)
    assert not host_matches("amazonaws.com", patterns)
    assert not host_matches("evilamazonaws.com", patterns)
    assert not host_matches("p2p.basware.com.evil.example", patterns)
    assert not host_matches("", patterns)


def test_a_url_is_taken_apart_with_its_default_port():
    assert (split_url("https://Sap.Example.com/x").host, split_url("https://sap/x").port) == ("sap.example.com", 443)
    assert (split_url("http://sap:81/x").port, split_url("http://sap/").port) == (81, 80)
