"""An authorization server beside the Service Layer, as installations have that log in by OAuth (RFC 6749 §4.4).

The contract does not describe it. Assumed: `POST /oauth/token` gives a bearer token, `Login` takes it with no user and
password, and every call after it carries session cookie and token; `bearer_on_every_call` makes the second needed.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from syncengine.sandbox.server import SandboxRequest, SandboxResponse, json_response

TOKEN_PATH = "/oauth/token"  # noqa: S105  # a path
CLIENT_ID = "sandbox-sap-client"
CLIENT_SECRET = "sandbox-sap-oauth-1"  # noqa: S105  # published: it opens nothing but this sandbox


class Identity:
    """Gives out tokens and recognises them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.tokens: dict[str, float] = {}
        self.lifetime = 3600.0
        self.offered = True
        self.bearer_on_every_call = False
        self.issued = 0

    def issue(self, request: SandboxRequest) -> SandboxResponse:
        given = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.header("authorization") != f"Basic {given}":
            return json_response(401, {"error": "invalid_client"})
        if parse_qs(request.body.decode()).get("grant_type") != ["client_credentials"]:
            return json_response(400, {"error": "unsupported_grant_type"})
        token = secrets.token_urlsafe(24)
        self.tokens[token] = self._clock() + self.lifetime
        self.issued += 1
        return json_response(200, {"access_token": token, "token_type": "Bearer", "expires_in": int(self.lifetime)})

    def knows(self, request: SandboxRequest) -> bool:
        """Whether the call carries a token that holds."""
        token = request.header("authorization").removeprefix("Bearer ")
        return self.offered and self.tokens.get(token, 0.0) > self._clock()
