"""Checks over the network: mail, our own address, and the systems that integrations are connected to."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.utils import timezone

from portal.doctor.checks import Check, Finding, State, fail, ok, warn
from portal.doctor.database import skew
from portal.doctor.here import is_local
from portal.version import VERSION
from syncengine.connectors.http import HttpTransport, Limits, OutboundPolicy, Request, Response
from syncengine.connectors.outcomes import ConnectorError
from syncengine.connectors.probe import Probe
from syncengine.engine.connections import limits, outbound_policy
from tenants.models import Connection

MAIL_SECONDS = 8
MOST_HOSTS = 10
WIDEST = 2**16  # addresses of one network in OUTBOUND_ALLOW
CERTIFICATE_DAYS = timedelta(days=14)


def mail() -> Iterator[Finding]:
    backend = settings.EMAIL_BACKEND
    if "smtp" not in backend:
        yield warn("email", "Mails are not sent but written to the log.",
                   "Set EMAIL_URL, e.g. smtp+tls://user:password@mail.example.com:587.")  # fmt: skip
        return
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with get_connection(timeout=MAIL_SECONDS):
            pass
    except OSError as error:  # smtplib's errors are of this kind; what they repeat may hold the password
        yield fail("email", f"{server} takes no mail of ours: {type(error).__name__}.",
                   "Check host, port, user and password in EMAIL_URL, and smtp+tls:// or smtp+ssl://.")  # fmt: skip
    else:
        yield ok("email", f"{server} accepts our log-in.")


def site() -> Iterator[Finding]:
    """Our own address, as others write it: Basware's notifications and everybody's browser come there."""
    parts = urlsplit(settings.SITE_URL)
    host = parts.hostname or ""
    if is_local(host):
        yield warn("site_url", f"SITE_URL is {settings.SITE_URL}: only this machine can open it.",
                   "Set SITE_URL to the address that others use, or Basware's notifications never arrive.")  # fmt: skip
        return
    policy = OutboundPolicy(allow=(host,), allow_http=True)
    try:
        answer = _get(f"{settings.SITE_URL}/healthz/", HttpTransport("site", policy=policy, limits=limits()))
    except ConnectorError as error:
        yield fail("site_url", f"{settings.SITE_URL} cannot be reached from here. {error.message}",
                   f"Check its DNS entry, the proxy and its certificate. {error.hint}".strip())  # fmt: skip
        return
    yield _is_us(answer)
    yield from _from_outside(host)
    if parts.scheme == "https":
        yield _certificate(host, parts.port or 443, policy)


def _is_us(answer: Response) -> Finding:
    try:
        version = json.loads(answer.body)["version"]
    except (ValueError, KeyError, TypeError):
        return fail("site_url", f"What answers at {settings.SITE_URL} is not this portal (status {answer.status}).",
                    "See where the proxy sends it; a redirect to itself means TRUSTED_PROXIES is missing.")  # fmt: skip
    if version != VERSION:
        return warn("site_url", f"{settings.SITE_URL} runs version {version}, here is {VERSION}.",
                    "Finish the upgrade: restart the web.")  # fmt: skip
    return ok("site_url", f"{settings.SITE_URL} answers with this version.")


def _from_outside(host: str) -> Iterator[Finding]:
    """All that can be said of it from inside: whether the name leads to addresses that others can reach."""
    found = {ipaddress.ip_address(one[4][0]) for one in socket.getaddrinfo(host, None)}
    private = sorted(str(one) for one in found if not one.is_global)
    if private:
        yield warn("site_url", f"{host} is {private[0]} seen from here, which nobody outside can reach.",
                   "If the name leads elsewhere outside (split DNS), open it from there once.")  # fmt: skip


def _certificate(host: str, port: int, policy: OutboundPolicy) -> Finding:
    found = Probe(f"https://{host}:{port}", policy, Limits()).certificate()
    left = found.valid_until - timezone.now()
    text = f"The certificate of {host} is valid until {found.valid_until:%Y-%m-%d}."
    return ok("certificate", text) if left > CERTIFICATE_DAYS else warn("certificate", text, "Renew it.")


def outbound() -> Iterator[Finding]:
    """Whether the rules are as narrow as they can be, and let every connection through."""
    wide = [one for one in settings.OUTBOUND_ALLOW if "/" in one and _size(one) > WIDEST]
    if wide:
        yield warn("outbound", f"OUTBOUND_ALLOW lets {wide[0]} be reached: {_size(wide[0])} addresses.",
                   "Name the hosts instead: whoever may enter a connection may try all of these.")  # fmt: skip
    if settings.OUTBOUND_ALLOW_HTTP:
        yield warn("outbound", "OUTBOUND_ALLOW_HTTP permits http://: passwords to these hosts travel in the clear.",
                   "Leave it out once the systems speak https.")  # fmt: skip
    if not wide and not settings.OUTBOUND_ALLOW_HTTP:
        yield ok("outbound", "Private addresses are reached by name only." if settings.OUTBOUND_ALLOW
                 else "Only public addresses are reached.")  # fmt: skip


def _size(network: str) -> int:
    return ipaddress.ip_network(network, strict=False).num_addresses


def remote_systems() -> Iterator[Finding]:
    """One unauthenticated GET per host: whether the rules let it through, and what its clock says."""
    rows = Connection.objects.without_secrets().filter(integration__enabled=True).order_by("pk")
    by_host = {_origin(row): row for row in rows.select_related("integration")}
    for origin, row in list(by_host.items())[:MOST_HOSTS]:
        yield _remote(origin, row)
    if not by_host:
        yield ok("remote", "No integration is connected yet.")


def _origin(connection: Connection) -> str:
    parts = urlsplit(connection.settings.get("base_url", ""))
    return f"{parts.scheme}://{parts.netloc}"


def _remote(origin: str, connection: Connection) -> Finding:
    transport = HttpTransport(
        connection.system,
        policy=outbound_policy(connection.integration_id),
        limits=Limits(connect_timeout=settings.CONNECT_TIMEOUT, read_timeout=MAIL_SECONDS),
        ca_certificate=connection.settings.get("ca_certificate", ""),
    )
    try:
        answer = _get(f"{origin}/", transport)
    except ConnectorError as error:
        hint = error.hint or "Ping the connection in the portal: it shows each step."
        return fail("remote", f"{origin} of {connection.integration}: {error.message}", hint)
    try:
        theirs = parsedate_to_datetime(answer.header("date") or "")
    except ValueError:
        return ok("remote", f"{origin} answers, without saying what time it is.")
    found = skew("remote_clock", (timezone.now() - theirs).total_seconds(), origin)
    # A Date header is whole seconds old by nature, and a log-in or signature tolerates minutes.
    return ok("remote", f"{origin} answers, and its clock agrees.") if found.state is State.OK else found


def _get(url: str, transport: HttpTransport) -> Response:
    return transport.send(Request("GET", url, read_timeout=MAIL_SECONDS), lambda _: None)


CHECKS = (
    Check("email", mail),
    Check("site_url", site),
    Check("outbound", outbound),
    Check("remote", remote_systems),
)
