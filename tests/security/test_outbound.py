"""Customers type URLs that our server calls: no spelling of a private address is ever connected to."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from portal import oidc
from portal.notifications import save_slack
from portal.organizations import save_provider
from syncengine.connectors.basware.settings import BaswareSettings
from syncengine.connectors.basware.storage import Storage
from syncengine.connectors.calls import Limits, Request, Response, utcnow
from syncengine.connectors.client_credentials import Grant, fetch_token
from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import ConnectorError, Rejected, Unavailable
from syncengine.connectors.probe import Probe
from syncengine.engine.connecting import save_connection
from syncengine.models import Notice
from syncengine.notices import slack
from tenants.errors import Refused
from tenants.models import IdentityProvider
from tenants.scoping import access_of_member
from tests import factories
from tests.connectors.servers import RawServer
from tests.security.spellings import disguised, hosts_never, hosts_private

CLOSED = OutboundPolicy()
EVERYTHING = OutboundPolicy(allow=("0.0.0.0/0", "::/0"), allow_http=True)
QUICK = Limits(connect_timeout=0.2, read_timeout=0.5, body_timeout=0.5)
PUBLIC = "93.184.216.34"
INNER = (
    "127.0.0.1", "10.0.0.5", "192.168.1.1", "0.0.0.0", "100.64.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1",
    "fe80::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "224.0.0.1", "fc00::1",
)  # fmt: skip
REDIRECTS = (301, 302, 303, 307, 308)
_watching: list[list[str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Python tells of every connection before it is made: noted, and refused, whoever asks for it."""
    if event == "socket.connect" and _watching and arguments[0].family in {socket.AF_INET, socket.AF_INET6}:
        _watching[-1].append(str(arguments[1][0]))
        raise ConnectionRefusedError(111, "Connection refused")


sys.addaudithook(_watch)


@contextmanager
def connections() -> Iterator[list[str]]:
    """The addresses that are connected to inside; none of the connections is made."""
    made: list[str] = []
    _watching.append(made)
    try:
        yield made
    finally:
        _watching.remove(made)


@pytest.fixture
def listener() -> Iterator[RawServer]:
    """Somebody is at home on this machine, so that a connection would really come about."""
    server = RawServer(lambda received: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    yield server
    server.close()


def transport(policy: OutboundPolicy = CLOSED) -> HttpTransport:
    return HttpTransport("basware", policy=policy, limits=QUICK)


def attempt(url: str, policy: OutboundPolicy) -> str:
    """What comes of calling a URL: "" if it is refused and nothing was connected to."""
    with connections() as made:
        try:
            transport(policy).send(Request("GET", url), lambda response: None)
        except Rejected as refused:
            return "" if not made and refused.code in {"url_invalid", "outbound_blocked"} else f"{url}: {made}"
        except ConnectorError as other:
            return f"{url}: {other.code} {made}"
    return f"{url}: answered"


def test_the_watch_sees_a_connection(listener):
    """Otherwise all of this would prove nothing."""
    with connections() as made, pytest.raises(Unavailable):
        transport(EVERYTHING).send(Request("GET", listener.url), lambda response: None)
    assert made == ["127.0.0.1"]
    assert transport(EVERYTHING).send(Request("GET", listener.url), lambda response: None).status == 200


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_no_spelling_of_a_private_address_is_called(scheme, listener, prove):
    hosts = [*hosts_private(), *hosts_never()]
    failures = [found for host in hosts if (found := attempt(f"{scheme}://{host}:{listener.port}/", CLOSED))]
    assert listener.connections == 0
    prove("outbound: a private address in any spelling is refused", len(hosts), failures)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_metadata_and_link_local_are_refused_whatever_the_operator_allows(scheme, prove):
    policies = (CLOSED, EVERYTHING, OutboundPolicy(allow=("169.254.169.254", "metadata", "fe80::/10"), allow_http=True))
    tried = [(host, policy) for host in hosts_never() for policy in policies]
    failures = [found for host, policy in tried if (found := attempt(f"{scheme}://{host}/latest/", policy))]
    prove("outbound: metadata and link-local are refused always", len(tried), failures)


def test_no_disguise_of_the_host_helps(listener, prove):
    hosts = ("127.0.0.1", "localhost", "169.254.169.254", "[::1]", "[::ffff:169.254.169.254]", "2130706433")
    urls = [url for host in hosts for url in disguised(host, listener.port)]
    failures = [found for url in urls if (found := attempt(url, CLOSED))]
    assert listener.connections == 0
    prove("outbound: a URL in disguise is refused", len(urls), failures)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> list[str]:
    """A name server that says something else each time; the last answer stays. Returns who was asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> Any:
        if host in {PUBLIC, *INNER}:  # an address is no question to a name server
            return [(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        kinds = ((socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found)
        return [(kind, socket.SOCK_STREAM, 6, "", (one, port)) for kind, one in kinds]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_name_that_leads_inside_is_not_followed(scheme, monkeypatch, prove):
    names = ("127.0.0.1.nip.io", "localtest.me", "rebind.example.com", "xn--lcalhost-83a.example.com")
    failures = []
    for address in INNER:
        for name in names:
            resolving(monkeypatch, (address,))
            failures += [attempt(f"{scheme}://{name}/", CLOSED)]
    prove("outbound: a name that leads inside is refused", len(failures), [one for one in failures if one])


def test_a_name_that_changes_its_mind_is_asked_once_for_each_connection(monkeypatch, prove):
    """DNS rebinding: what was checked is what is connected to, and the next connection is checked anew."""
    failures = []
    for address in INNER:
        asked = resolving(monkeypatch, (PUBLIC,), (address,))
        with connections() as made, pytest.raises(ConnectorError):
            transport().send(Request("GET", "https://rebind.example.com/"), lambda response: None)
        if made != [PUBLIC] or len(asked) != 1:
            failures.append(f"{address}: connected to {made}, asked {len(asked)} times")
        if found := attempt("https://rebind.example.com/", CLOSED):
            failures.append(found)
        failures += _probed(monkeypatch, address)
    prove("outbound: DNS rebinding reaches nothing inside", len(INNER) * 3, failures)


def _probed(monkeypatch: pytest.MonkeyPatch, address: str) -> list[str]:
    """The steps of a ping resolve for themselves: they too go to what was checked only."""
    resolving(monkeypatch, (PUBLIC,), (address,))
    probe = Probe("https://rebind.example.com/", CLOSED, QUICK)
    with connections() as made:
        for step in ("resolve", "connect", "certificate"):
            try:
                getattr(probe, step)()
            except ConnectorError:
                continue
    return [f"probe: {made}"] if set(made) - {PUBLIC} else []


def test_a_name_with_one_address_inside_uses_the_other_only(monkeypatch, prove):
    failures = []
    for address in INNER:
        resolving(monkeypatch, (address, PUBLIC))
        with connections() as made, pytest.raises(ConnectorError):
            transport().send(Request("GET", "https://mixed.example.com/"), lambda response: None)
        failures += [f"{address}: {made}"] if set(made) - {PUBLIC} else []
    prove("outbound: of a mixed name only the public address is used", len(INNER), failures)


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_never_followed_by_itself(status, listener, prove):
    """To an address that may be called, even: each hop is a decision of its own."""
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {listener.url}/inner\r\nContent-Length: 0\r\n\r\n".encode()
    redirecting = RawServer(lambda received: answer)
    methods = ("GET", "POST", "PATCH", "DELETE")
    for method in methods:
        sent = transport(EVERYTHING).send(Request(method, redirecting.url, body=b"{}"), lambda response: None)
        assert sent.status == status
    redirecting.close()
    prove("outbound: no redirect is followed by itself", len(methods), [1] * listener.connections)


@pytest.mark.parametrize("status", REDIRECTS)
def test_baswares_storage_redirects_lead_to_no_private_address(status, listener, prove):
    settings = BaswareSettings("https://api.basware.com", "client", "secret", "1000")
    hosts = [*hosts_private(), *hosts_never()]
    urls = [f"https://{host}:{listener.port}/doc" for host in hosts]
    urls += [url for host in ("127.0.0.1", "169.254.169.254") for url in disguised(host, listener.port)]
    # What is joined to the address before stays at Basware, or is followed by a hop of its own.
    urls += ["https://x.amazonaws.com.evil.example/", "https://evilamazonaws.com/", "http://x.amazonaws.com/"]
    failures = [found for url in urls if (found := _redirected(settings, status, url))]
    assert listener.connections == 0
    prove("outbound: a storage redirect to a private address is refused", len(urls), failures)


def _redirected(settings: BaswareSettings, status: int, url: str) -> str:
    home = "https://api.basware.com/v1/accountingDocuments/1"
    redirect = Response(status, [("Location", url)], b"", home)
    with connections() as made:
        try:
            Storage(settings, transport(), utcnow).fetch(redirect, home)
        except Rejected:
            return f"{url}: {made}" if made else ""
        except Unavailable as away:
            # A relative one: the same host again, which is the customer's own choice.
            return "" if away.code == "name_not_found" else f"{url}: {away.code} {made}"
    return f"{url}: answered"


@pytest.mark.parametrize(
    ("system", "fields", "field"),
    [
        ("basware", factories.BASWARE, "base_url"),
        ("basware", factories.BASWARE, "token_url"),
        ("sap_b1", factories.SAP_OAUTH, "token_url"),
        ("sap_b1", {"erp": "rest", "company": "X", "api_key": "k"}, "base_url"),
    ],
)
def test_a_connection_with_such_an_address_is_not_saved(system, fields, field, integration, prove):
    urls = [f"https://{host}" for host in [*hosts_private(), *hosts_never()]]
    failures = [url for url in urls if not _refused_as_connection(integration, system, {**fields, field: url}, field)]
    prove(f"outbound: {system} {field} with a private address is refused", len(urls), failures)


@pytest.mark.parametrize("status", REDIRECTS)
def test_the_token_url_of_a_log_in_to_sap_leads_nowhere_else(status, listener, prove):
    hosts = [*hosts_private(), *hosts_never()]
    failures = [url for host in hosts if not _refused_token(url := f"https://{host}:{listener.port}/token")]
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {listener.url}/inner\r\nContent-Length: 0\r\n\r\n".encode()
    redirecting = RawServer(lambda received: answer)
    allowed = HttpTransport("sap_b1", policy=OutboundPolicy(allow=("127.0.0.1",), allow_http=True))
    with pytest.raises(Unavailable):
        fetch_token(Grant(f"{redirecting.url}/token", "client", "secret"), allowed)
    redirecting.close()
    assert listener.connections == 0
    prove("outbound: the token of a log-in to SAP is asked for at no private address", len(hosts), failures)


def _refused_token(url: str) -> bool:
    with connections() as made, pytest.raises(Rejected):
        fetch_token(Grant(url, "client", "secret"), transport())
    return not made


def _refused_as_connection(integration: Any, system: str, fields: dict[str, str], field: str) -> bool:
    try:
        save_connection(integration, system, fields, "admin@example.com")
    except Refused as refused:
        return field in {error.field for error in refused.errors}
    return False


def test_a_notification_url_with_such_an_address_is_neither_saved_nor_called(organization, admin, prove):
    access = access_of_member(admin, organization.slug)
    urls = [f"https://{host}/services/T0/B0/x" for host in [*hosts_private(), *hosts_never()]]
    notice = Notice(organization=organization, kind="run_failed", message="The run failed.")
    failures = []
    for url in urls:
        try:
            save_slack(access, url, [])
            failures.append(f"{url} was saved")
        except Refused:
            pass
        with connections() as made:
            try:
                slack.post(url, notice)
                failures.append(f"{url} was called")
            except Rejected:
                failures += [f"{url}: {made}"] if made else []
    prove("outbound: a notification URL with a private address is refused", 2 * len(urls), failures)


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_of_a_notification_url_leads_nowhere(status, listener, organization, settings, prove):
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.1"], True
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {listener.url}/inner\r\nContent-Length: 0\r\n\r\n".encode()
    redirecting = RawServer(lambda received: answer)
    notice = Notice(organization=organization, kind="run_failed", message="The run failed.")
    with pytest.raises(Rejected):
        slack.post(f"{redirecting.url}/services/T0/B0/secret", notice)
    redirecting.close()
    prove("outbound: no redirect is followed by itself", 1, [1] * listener.connections)


# Sign-in by OpenID Connect: the issuer is typed, and what it says of itself names three more addresses.


def description(url: str) -> dict[str, str]:
    """A provider that is well, but for the addresses that it names."""
    return {"issuer": "https://login.example.com", **dict.fromkeys(ENDPOINTS, url)}


ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
STARTED = oidc.start(1, "", afresh=False)


def provider_at(issuer: str) -> IdentityProvider:
    return IdentityProvider(issuer=issuer, client_id="client", client_secret={"value": "c4nary"})


@pytest.fixture
def reaching(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[str], Any]]:
    """For each address of a provider, what makes us go there."""
    real = {"metadata": oidc._metadata, "exchange": oidc._exchange}

    def go(url: str, deed: Callable[[IdentityProvider], Any], *, token: str = "") -> Any:
        monkeypatch.setattr(oidc, "_metadata", lambda provider: description(url))
        monkeypatch.setattr(oidc, "_exchange", (lambda *_: token) if token else real["exchange"])
        return deed(provider_at("https://login.example.com"))

    def discovery(url: str) -> Any:
        monkeypatch.setattr(oidc, "_metadata", real["metadata"])
        return oidc.authorization_url(provider_at(url), STARTED)

    return {
        "issuer": discovery,
        "authorization": lambda url: go(url, lambda one: oidc.authorization_url(one, STARTED)),
        "token": lambda url: go(url, lambda one: oidc.person_of(one, STARTED, "code")),
        "jwks": lambda url: go(url, lambda one: oidc.person_of(one, STARTED, "code"), token="a.b.c"),
    }


def reached(deed: Callable[[str], Any], url: str) -> str:
    """What is wrong with the answer to a provider's address; "" if it was refused and nothing was connected to."""
    with connections() as made:
        try:
            deed(url)
        except oidc.SignInFailed:
            return f"{url}: {made}" if made else ""
    return f"{url}: let through"


@pytest.mark.parametrize("which", ["issuer", "authorization", "token", "jwks"])
def test_no_address_of_an_identity_provider_leads_inside(which, reaching, listener, prove):
    hosts = [*hosts_private(), *hosts_never()]
    urls = [f"{scheme}://{host}:{listener.port}/x" for host in hosts for scheme in ("https", "http")]
    urls += [url for host in ("127.0.0.1", "169.254.169.254") for url in disguised(host, listener.port)]
    failures = [found for url in urls if (found := reached(reaching[which], url))]
    assert listener.connections == 0
    prove(f"outbound: OpenID Connect, {which} with a private address is refused", len(urls), failures)


@pytest.mark.parametrize("which", ["issuer", "token", "jwks"])
def test_a_name_of_an_identity_provider_that_changes_its_mind_reaches_nothing_inside(
    which, reaching, monkeypatch, prove
):
    failures = []
    for address in INNER:
        for answers in (((address,),), ((PUBLIC,), (address,)), ((address, PUBLIC),)):
            resolving(monkeypatch, *answers)
            with connections() as made, pytest.raises(oidc.SignInFailed):
                reaching[which]("https://rebind.example.com/x")
            failures += [f"{address}: {made}"] if set(made) - {PUBLIC} else []
    prove("outbound: OpenID Connect, DNS rebinding reaches nothing inside", 3 * len(INNER), failures)


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("which", ["issuer", "token", "jwks"])
def test_a_redirect_of_an_identity_provider_is_not_followed(which, status, reaching, listener, settings, prove):
    """With it would go the client's secret."""
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.1"], True
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {listener.url}/inner\r\nContent-Length: 0\r\n\r\n".encode()
    redirecting = RawServer(lambda received: answer)
    with pytest.raises(oidc.SignInFailed):
        reaching[which](redirecting.url)
    assert redirecting.received
    redirecting.close()
    prove("outbound: no redirect is followed by itself", 1, [1] * listener.connections)


def test_an_issuer_with_such_an_address_is_not_saved(organization, admin, prove):
    access = access_of_member(admin, organization.slug)
    urls = [f"https://{host}" for host in [*hosts_private(), *hosts_never()]]
    failures = []
    for url in urls:
        try:
            save_provider(access, {"issuer": url, "client_id": "x", "client_secret": "y", "required": False})
            failures.append(url)
        except Refused:
            pass
    prove("outbound: OpenID Connect, issuer with a private address is refused", len(urls), failures)
