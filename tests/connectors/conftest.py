"""What the tests of all connectors share: servers on real sockets and a transport that may reach them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from syncengine.connectors.http import HttpTransport, Limits, ObservedCall, OutboundPolicy
from tests.connectors.servers import Answer, RawServer, Received

LOOPBACK = OutboundPolicy(allow=("127.0.0.0/8",), allow_http=True)

Serve = Callable[..., RawServer]
MakeTransport = Callable[..., HttpTransport]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers with a function, or always with the same bytes."""
    with ExitStack() as stack:

        def start(answer: Callable[[Received], Answer] | Answer, tls: ssl.SSLContext | None = None) -> RawServer:
            server = RawServer(answer if callable(answer) else lambda _: answer, tls)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def observed() -> list[ObservedCall]:
    return []


@pytest.fixture
def make_transport(observed: list[ObservedCall]) -> MakeTransport:
    """A transport that may reach loopback and shows its calls in `observed`."""

    def make(**options: Any) -> HttpTransport:
        options.setdefault("policy", LOOPBACK)
        options.setdefault("limits", Limits(connect_timeout=2, read_timeout=5, body_timeout=5))
        return HttpTransport("sap_b1", observer=observed.append, **options)

    return make


class Certificates:
    """A self-signed certificate for 127.0.0.1 as SAP installs them, and others that must not be trusted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, name: str = "127.0.0.1", *, days: int = 30) -> tuple[ssl.SSLContext, str]:
        """A server's context, and the certificate as PEM text."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        alternative = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        file = self._folder / f"{name}-{days}.pem"
        file.write_bytes(pem + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context, pem.decode()


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)
