"""The network below HTTP, step by step: the name, the port, the certificate. Only checked addresses are touched.

Nothing of a customer is sent: a probe opens connections and closes them. The certificate of a server that is not
trusted is read on a connection of its own, on which nothing else is said.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtensionOID, NameOID

from syncengine.connectors.calls import Limits, utcnow
from syncengine.connectors.guard import OutboundPolicy, check_url, checked_addresses, split_url
from syncengine.connectors.outcomes import Unavailable
from syncengine.connectors.wire import WireFault, connection_faults, open_socket, tls_context


@dataclass(frozen=True)
class Certificate:
    """What a server's certificate says of itself."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    fingerprint: str
    protocol: str = ""


class Probe:
    """One server of one connection. Every method raises Unavailable, or Rejected when the guard forbids the address."""

    def __init__(
        self,
        url: str,
        policy: OutboundPolicy,
        limits: Limits,
        ca_certificate: str = "",
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.url = url
        self.clock = clock
        self._policy = policy
        self._timeout = limits.connect_timeout
        self._ca_certificate = ca_certificate
        self._addresses: list[str] = []

    @property
    def host(self) -> str:
        return split_url(self.url).host

    @property
    def port(self) -> int:
        return split_url(self.url).port

    @property
    def secure(self) -> bool:
        return split_url(self.url).secure

    def resolve(self) -> list[str]:
        """The addresses that may be connected to, looked up once for all that follows."""
        check_url(self.url, self._policy)
        self._addresses = checked_addresses(self.host, self.port, self._policy, secure=self.secure)
        return self._addresses

    def connect(self) -> str:
        """Connect and hang up. Gives the address that answered."""
        with _told(), self._socket() as connection:
            return str(connection.getpeername()[0])

    def certificate(self) -> Certificate:
        """The certificate, trusted for this host as every call trusts it."""
        try:
            with _told():
                return self._shake_hands(tls_context(self._ca_certificate))
        except Unavailable as fault:
            if fault.code != "certificate_invalid":
                raise
            raise self._why_not_trusted(fault) from None

    @contextmanager
    def _socket(self) -> Iterator[socket.socket]:
        connection = open_socket(self.host, self.port, self._addresses or self.resolve(), self._timeout)
        with connection:
            yield connection

    def _shake_hands(self, context: ssl.SSLContext) -> Certificate:
        with (
            connection_faults(self.host, self.port),
            self._socket() as plain,
            context.wrap_socket(plain, server_hostname=self.host) as secured,
        ):
            return _read(secured.getpeercert(binary_form=True) or b"", secured.version() or "")

    def _why_not_trusted(self, fault: Unavailable) -> Unavailable:
        """Expired, somebody else's or unknown: three things to ask for, so three sentences."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # to read what it says of itself; nothing is sent on this connection
        try:
            with _told():
                shown = self._shake_hands(context)
        except Unavailable:
            return fault
        return (
            _expired(self.host, shown, self.clock()) or _misnamed(self.host, shown, fault) or _unknown(self.host, shown)
        )


@contextmanager
def _told() -> Iterator[None]:
    """WireFault is below the seam; above it the same is Unavailable, since nothing was sent."""
    try:
        yield
    except WireFault as broken:
        raise Unavailable(broken.message, code=broken.code, hint=broken.hint) from None


def _read(der: bytes, protocol: str) -> Certificate:
    found = x509.load_der_x509_certificate(der)
    return Certificate(
        subject=_common_name(found.subject),
        issuer=_common_name(found.issuer),
        names=_names(found),
        valid_from=found.not_valid_before_utc,
        valid_until=found.not_valid_after_utc,
        fingerprint=found.fingerprint(SHA256()).hex(),
        protocol=protocol,
    )


def _common_name(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if values := name.get_attributes_for_oid(kind):
            return str(values[0].value)
    return name.rfc4514_string()


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    with suppress(x509.ExtensionNotFound, ValueError):
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        if isinstance(found, x509.SubjectAlternativeName):
            hosts = found.get_values_for_type(x509.DNSName)
            return (*hosts, *map(str, found.get_values_for_type(x509.IPAddress)))
    return (_common_name(certificate.subject),)


def _expired(host: str, shown: Certificate, now: datetime) -> Unavailable | None:
    if shown.valid_from <= now <= shown.valid_until:
        return None
    past = now > shown.valid_until
    return Unavailable(
        f"The certificate of {host} expired on {shown.valid_until:%Y-%m-%d}."
        if past
        else f"The certificate of {host} is valid only from {shown.valid_from:%Y-%m-%d}.",
        code="certificate_expired" if past else "certificate_not_yet_valid",
        hint="The server needs a renewed certificate; nothing can be mended here." if past else "Check both clocks.",
    )


def _misnamed(host: str, shown: Certificate, fault: Unavailable) -> Unavailable | None:
    if "mismatch" not in fault.message and "doesn't match" not in fault.message:
        return None
    names = ", ".join(shown.names[:3]) or shown.subject
    return Unavailable(
        f"The certificate of {host} was issued for {names}, not for {host}.",
        code="certificate_name",
        hint="Use the host name that the certificate was issued for, or have it issued for this one.",
    )


def _unknown(host: str, shown: Certificate) -> Unavailable:
    own = shown.issuer == shown.subject
    return Unavailable(
        f"The certificate of {host} is signed by {'itself' if own else shown.issuer}, which is not trusted.",
        code="certificate_untrusted",
        hint="Paste the server's own certificate, or that of its CA, as PEM text into the CA certificate of the "
        "connection.",
    )
