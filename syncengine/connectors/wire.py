"""Sockets, TLS and HTTP: the only module that imports the HTTP library.

A connection is made to an address that the guard has checked, while Host header, SNI and certificate check stay on
the name (requests-hardened has no allow-list and resolves only the first address). Everything that goes wrong
before the request left is a `WireFault` with `sent=False`; whatever goes wrong later counts as sent.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.exceptions import RequestException
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import ReadTimeoutError

from syncengine.connectors.calls import Limits, Request, Response
from syncengine.connectors.guard import OutboundPolicy, checked_addresses
from syncengine.connectors.outcomes import ConnectorError, Rejected

USER_AGENT = "Ledgerbridge"
CHUNK = 65_536
# Apache closes an idle connection after 5 s by default. One older than this is not trusted: a write sent down a
# closing connection would end as "outcome unknown" although nothing arrived.
IDLE_SECONDS = 4.0
# What connectors make themselves, quoted already: requests would take it apart and put together the same.
_PLAIN_URL = re.compile(r"https?://[a-z0-9.-]+(:\d+)?/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-F]{2})*")


class WireFault(Exception):
    """No usable answer. `sent` says whether any of the request may have reached the other side."""

    def __init__(self, message: str, *, code: str, hint: str, sent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.sent = sent


class Wire:
    """One HTTP exchange after another, a session per thread; nothing is followed, retried or remembered."""

    def __init__(self, policy: OutboundPolicy, limits: Limits, ca_certificate: str) -> None:
        self._policy = policy
        self._limits = limits
        self._ca_certificate = ca_certificate
        self._threads = threading.local()

    def exchange(self, request: Request) -> Response:
        """Raises WireFault, and Rejected when the guard, the CA certificate or the request itself is at fault."""
        session = self._session()
        prepared = _prepare(session, request)
        timeout = (self._limits.connect_timeout, request.read_timeout or self._limits.read_timeout)
        try:
            answer = session.send(prepared, stream=True, timeout=timeout, allow_redirects=False)
        except requests.ReadTimeout:
            raise _read_timeout(timeout[1]) from None
        except RequestException as error:
            raise _lost(error) from error
        try:
            body = self._read(answer.raw, timeout[1], request.most_bytes or self._limits.max_body_bytes)
        except BaseException:
            answer.raw.close()
            raise
        answer.raw.release_conn()
        return Response(answer.status_code, list(answer.raw.headers.items()), body, request.url)

    def _read(self, raw: Any, read_timeout: float, most: int) -> bytes:
        """The whole body, in single reads so that a server that drips bytes meets the deadline."""
        parts: list[bytes] = []
        size = 0
        deadline = time.monotonic() + self._limits.body_timeout
        try:
            while part := raw.read1(CHUNK, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > most:
                    raise _too_large(most)
                if time.monotonic() > deadline:
                    raise _body_timeout(self._limits.body_timeout)
        except ReadTimeoutError:
            raise _read_timeout(read_timeout) from None
        except (Urllib3Error, OSError) as error:
            raise _lost(error) from error
        return b"".join(parts)

    def _session(self) -> requests.Session:
        session = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = _BareSession()
            adapter = _PinnedAdapter(self._policy, self._ca_certificate)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
        return cast("requests.Session", session)


class _BareSession(requests.Session):
    """A session that reads no environment, keeps no cookie and never looks at a redirect."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"})
        self.cookies = _NoCookies()

    def get_redirect_target(self, _: requests.Response) -> None:
        """None always: otherwise requests reads the body of a 3xx by itself, without our limits."""
        return


class _NoCookies(RequestsCookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep none: connectors take cookies from the raw header lines and send them by hand."""


class _PinnedAdapter(HTTPAdapter):
    def __init__(self, policy: OutboundPolicy, ca_certificate: str) -> None:
        self._policy = policy
        self._ca_certificate = ca_certificate
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self.poolmanager = _PinnedManager(
            self._policy,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=tls_context(self._ca_certificate),
        )

    def build_connection_pool_key_attributes(self, request: Any, *_: Any) -> Any:
        host, _pool = super().build_connection_pool_key_attributes(request, True, None)
        return host, {}  # certificates are checked by the context, which the manager has

    def cert_verify(self, *_: Any) -> None:
        """Nothing to add: `tls_context` verifies, always."""


class _PinnedManager(PoolManager):
    def __init__(self, policy: OutboundPolicy, **pool_kwargs: Any) -> None:
        super().__init__(**pool_kwargs)
        self._policy = policy
        self.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> Any:
        pool: Any = super()._new_pool(scheme, host, port, request_context)
        pool.policy = self._policy
        return pool


class _PinnedPool(HTTPConnectionPool):
    policy: OutboundPolicy

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.policy = self.policy
        return connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        if time.monotonic() - connection.idle_since > IDLE_SECONDS:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)


class _PinnedConnection(HTTPConnection):
    policy: OutboundPolicy
    idle_since = float("inf")

    def connect(self) -> None:
        """Connect, or say why not. Nothing of the request has left before this returns."""
        with connection_faults(self.host, self.port):
            super().connect()

    def _new_conn(self) -> socket.socket:
        secure = self.default_port == HTTPSConnection.default_port
        addresses = checked_addresses(self._dns_host, self.port, self.policy, secure=secure)
        return open_socket(self.host, self.port, addresses, float(cast("float", self.timeout)))


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    """The same over TLS; HTTPSConnection wraps the socket of `_new_conn` and checks the certificate for the name."""


class _HttpPool(_PinnedPool):
    ConnectionCls = _PinnedConnection


class _HttpsPool(_PinnedPool, HTTPSConnectionPool):
    ConnectionCls = _PinnedTlsConnection


@lru_cache(maxsize=64)
def tls_context(ca_certificate: str) -> ssl.SSLContext:
    """Verification that is always on: public CAs, the machine's own, and the connection's PEM text if it has one.

    A self-signed server certificate is its own CA (contracts: SAP §1). Raises Rejected `ca_certificate_invalid`.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    if ca_certificate.strip():
        try:
            context.load_verify_locations(cadata=ca_certificate.strip() + "\n")
        except (ssl.SSLError, ValueError):
            raise Rejected(
                "The CA certificate of this connection cannot be read.",
                code="ca_certificate_invalid",
                hint="Paste it as PEM text, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
            ) from None
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate or leaf may be the anchor
    return context


def _prepare(session: requests.Session, request: Request) -> requests.PreparedRequest:
    """The request as it goes out. What HTTP cannot carry is not repeated in the refusal: it may be a token."""
    try:
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        if _PLAIN_URL.fullmatch(request.url):
            prepared.url = request.url
        else:
            prepared.prepare_url(request.url, None)
        prepared.prepare_headers({**session.headers, **request.headers})
        prepared.prepare_body(request.body, None)
        for name, value in prepared.headers.items():
            name.encode("ascii")
            value.encode("latin-1")
    except (RequestException, ValueError) as error:
        raise Rejected(
            f"This request cannot be sent: its address or one of its headers is malformed ({type(error).__name__}).",
            code="request_invalid",
        ) from None
    return prepared


def open_socket(host: str, port: int, addresses: Iterable[str], timeout: float) -> socket.socket:
    """A connection to the first of the checked addresses that takes it, `timeout` in all; the name is not looked up.

    Raises WireFault.
    """
    deadline = time.monotonic() + timeout
    reason: OSError = TimeoutError()
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return _open(address, port, left, timeout)
        except OSError as error:
            reason = error
    raise _not_connected(host, port, reason)


@contextmanager
def connection_faults(host: str, port: int) -> Iterator[None]:
    """What goes wrong while connecting, TLS included, as a WireFault that says why."""
    try:
        yield
    except (ConnectorError, WireFault):
        raise
    except ssl.SSLCertVerificationError as error:
        raise _bad_certificate(host, error) from None
    except TimeoutError:
        raise _connect_timeout(host, port) from None
    except (OSError, ValueError) as error:
        raise _tls_failed(host, port, error) from None


def _open(address: str, port: int, connect_timeout: float, timeout: float) -> socket.socket:
    connection = socket.create_connection((address, port), connect_timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(timeout)
    return connection


def _not_connected(host: str, port: int, error: OSError) -> WireFault:
    if isinstance(error, TimeoutError):
        return _connect_timeout(host, port)
    if isinstance(error, ConnectionRefusedError):
        return WireFault(
            f"Nothing answers at {host} port {port}: the connection was refused.",
            code="connection_refused",
            hint="Check host and port, that the service runs, and that no firewall stands between.",
            sent=False,
        )
    return WireFault(
        f"{host} port {port} cannot be reached: {error.strerror or error}.",
        code="unreachable",
        hint="Check the network between this portal and the server: route, VPN, firewall.",
        sent=False,
    )


def _connect_timeout(host: str, port: int) -> WireFault:
    return WireFault(
        f"{host} port {port} did not accept the connection in time.",
        code="connect_timeout",
        hint="Check host and port; a firewall that drops packets looks exactly like this.",
        sent=False,
    )


_CERTIFICATE_HINTS = {
    10: "The certificate has expired: renew it on the server.",
    62: "Use the host name that the certificate was issued for.",
    64: "Use the host name that the certificate was issued for.",
}


def _bad_certificate(host: str, error: ssl.SSLCertVerificationError) -> WireFault:
    paste = (
        "Paste the server's own certificate, or that of its CA, as PEM text into the CA certificate of the connection."
    )
    return WireFault(
        f"The certificate of {host} is not trusted: {error.verify_message or error.reason}.",
        code="certificate_invalid",
        hint=_CERTIFICATE_HINTS.get(error.verify_code, paste),
        sent=False,
    )


def _tls_failed(host: str, port: int, error: Exception) -> WireFault:
    reason = getattr(error, "reason", None) or type(error).__name__
    plain = reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
    return WireFault(
        f"No secure connection with {host} port {port}: {reason}.",
        code="tls_failed",
        hint=f"Port {port} seems to speak unencrypted HTTP: check the port."
        if plain
        else "Check that the port speaks https with TLS 1.2 or newer.",
        sent=False,
    )


def _read_timeout(seconds: float) -> WireFault:
    return WireFault(
        f"No answer within {seconds:g} seconds.",
        code="read_timeout",
        hint="The server is busy or a proxy swallowed the answer; it is tried again by itself.",
        sent=True,
    )


def _lost(error: Exception) -> WireFault:
    return WireFault(
        f"The connection broke before the whole answer came ({type(error).__name__}).",
        code="connection_lost",
        hint="Usually a restart of the server or a proxy in between; it is tried again by itself.",
        sent=True,
    )


def _too_large(limit: int) -> WireFault:
    return WireFault(
        f"The answer is larger than {limit} bytes.",
        code="answer_too_large",
        hint="This is not the kind of answer expected here; check the base URL.",
        sent=True,
    )


def _body_timeout(seconds: float) -> WireFault:
    return WireFault(
        f"The answer did not arrive completely within {seconds:g} seconds.",
        code="body_timeout",
        hint="The server or the line is very slow; it is tried again by itself.",
        sent=True,
    )
