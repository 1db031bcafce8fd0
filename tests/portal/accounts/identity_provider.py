"""A little OpenID Connect provider that does what the specification asks, and lies where a test wants it to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT = "ledgerbridge client"
SECRET = "canary-oidc-secret-83643/%"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _of_number(number: int) -> str:
    return encoded(number.to_bytes((number.bit_length() + 7) // 8, "big"))


@dataclass
class RsaKey:
    """An RSA key pair as JWKS shows it, and its signatures."""

    kid: str = "rsa-1"
    algorithm: str = "RS256"
    size: int = 2048

    def __post_init__(self) -> None:
        self.private = rsa.generate_private_key(65537, self.size)

    def public(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": _of_number(numbers.n), "e": _of_number(numbers.e)}

    def sign(self, data: bytes) -> bytes:
        digest = hashes.SHA256()
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return self.private.sign(data, pss if self.algorithm == "PS256" else padding.PKCS1v15(), digest)


@dataclass
class EcKey:
    """A P-256 key pair as JWKS shows it, and its signatures."""

    kid: str = "ec-1"
    algorithm: str = "ES256"

    def __post_init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())

    def public(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        return {"kty": "EC", "kid": self.kid, "crv": "P-256", "x": _of_number(numbers.x), "y": _of_number(numbers.y)}

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(key: Any, claims: dict[str, Any], **header: Any) -> str:
    """A signed JWT."""
    head = {"alg": key.algorithm, "kid": key.kid, **header}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


@dataclass
class Provider:
    """What it says of whom, and what it was asked. `lies` replaces claims; None takes one out."""

    issuer: str = ""
    email: str = "anna@example.com"
    subject: str = "subject-1"
    key: Any = field(default_factory=RsaKey)
    published: list[Any] | None = None
    lies: dict[str, Any] = field(default_factory=dict)
    describes: dict[str, Any] = field(default_factory=dict)
    denies: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **self.describes,
        }

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.public() for key in (self.published or [self.key])]}

    def authorize(self, url: str) -> str:
        """What a browser gets there: the address that it is sent back to."""
        wish = dict(parse_qsl(urlsplit(url).query))
        self.asked.append(wish)
        assert wish["response_type"] == "code"
        assert wish["code_challenge_method"] == "S256"
        if self.denies:
            return f"{wish['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': wish['state']})}"
        code = secrets.token_urlsafe(8)
        self.codes[code] = wish
        return f"{wish['redirect_uri']}?{urlencode({'code': code, 'state': wish['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint: client, code (once), redirect address and PKCE are checked."""
        wish = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        proofs = (
            self._knows(form, authorization),
            wish is not None and form.get("redirect_uri") == wish["redirect_uri"],
            wish is not None and encoded(hashlib.sha256(verifier.encode()).digest()) == wish["code_challenge"],
        )
        if wish is None or not all(proofs):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": token(self.key, self._claims(wish))}

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        if not authorization.startswith("Basic "):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote(client), unquote(secret)) == (CLIENT, SECRET)

    def _claims(self, wish: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "email": self.email,
            "email_verified": True,
            "nonce": wish["nonce"],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            **self.lies,
        }
        return {name: value for name, value in claims.items() if value is not None}


@contextmanager
def running() -> Iterator[Provider]:
    """The provider on a port of this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {"/.well-known/openid-configuration": provider.description, "/keys": provider.jwks}
            page = pages.get(self.path)
            self._answer(200 if page else 404, page() if page else {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.exchange(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()
