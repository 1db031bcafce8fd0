"""TLS before a sandbox: the certificate is good, expired, about to expire, or somebody else's, as a test wants it.

    front = TlsFront(sandbox.port, Certificate.signed(days=12))
    front.start(); front.url                # "https://127.0.0.1:41235"
    front.certificate.authority             # PEM of the CA to trust
    front.stop()

Bytes go through as they are; each connection has two threads.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PIECE = 65_536
BEGAN = timedelta(days=400)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate with its key, and the CA that signed it, as PEM."""

    chain: bytes
    authority: str

    @classmethod
    def signed(cls, name: str = "127.0.0.1", *, days: int = 90) -> Self:
        """Signed by a CA of its own, valid for so many days more (fewer than none: expired)."""
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority_name = _name("Sandbox CA")
        authority = _builder(authority_name, authority_name, authority_key, days=3650)
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        alternative = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        leaf = _builder(_name(name), authority_name, key, days=days)
        leaf = leaf.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(_pem(leaf, authority_key) + private, _pem(authority, authority_key).decode())


class TlsFront:
    """Listens on a free port of this machine and hands on to another one."""

    def __init__(self, port: int, certificate: Certificate) -> None:
        self.certificate = certificate
        self._behind = ("127.0.0.1", port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            Path(file.name).write_bytes(certificate.chain)
            self._context.load_cert_chain(file.name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> Self:
        self._acceptor = _thread(self._accept)
        return self

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(1)  # else it might accept at the number of this socket, when it is another's
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                _thread(partial(self._serve, self._listener.accept()[0]))

    def _serve(self, plain: socket.socket) -> None:
        with (
            suppress(OSError),
            plain,
            self._context.wrap_socket(plain, server_side=True) as caller,
            socket.create_connection(self._behind) as server,
        ):
            answers = _thread(partial(_pump, server, caller))
            _pump(caller, server)
            answers.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True, name="tls-front")
    thread.start()
    return thread


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEGAN)
        .not_valid_after(now + timedelta(days=days))
    )


def _pem(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
