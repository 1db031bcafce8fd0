"""The storage behind redirects: pre-signed URLs on a port of their own (contracts: Basware §3.4).

It behaves as Amazon S3 does towards a careless client: a second credential is refused with 400, another Host or an
old URL with 403, all of it in XML.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from syncengine.sandbox.server import SandboxRequest, SandboxResponse, SandboxServer


@dataclass(frozen=True)
class StoredObject:
    content: bytes
    headers: Sequence[tuple[str, str]]
    signature: str
    expires: dt.datetime


class StorageServer(SandboxServer):
    """Holds what was offered until its URL expires."""

    def __init__(self, host: str, port: int, clock: Callable[[], dt.datetime]) -> None:
        super().__init__(host, port)
        self._clock = clock
        self._objects: dict[str, StoredObject] = {}

    def offer(self, name: str, content: bytes, headers: Sequence[tuple[str, str]], lifetime: float) -> str:
        """The URL under which the content can be fetched for ``lifetime`` seconds."""
        now = self._clock()
        self._objects = {path: kept for path, kept in list(self._objects.items()) if kept.expires > now}
        path, signature = f"/exports/{secrets.token_hex(8)}/{quote(name, safe='')}", secrets.token_hex(32)
        self._objects[path] = StoredObject(content, headers, signature, now + dt.timedelta(seconds=lifetime))
        return f"{self.url}{path}?X-Amz-Expires={int(lifetime)}&X-Amz-Signature={signature}"

    def expire_all(self) -> int:
        """Ends every URL given out so far."""
        ended = len(self._objects)
        self._objects = {}
        return ended

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        if request.header("authorization"):
            return _refusal(HTTPStatus.BAD_REQUEST, "InvalidArgument", "Only one auth mechanism allowed")
        if request.header("host") != f"{self.host}:{self.port}":
            return _refusal(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", "The host header was signed")
        if request.method != "GET":
            return _refusal(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", "The method was signed")
        kept = self._objects.get(request.path)
        if kept is None or kept.expires <= self._clock():
            return _refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "Request has expired")
        if request.params.get("X-Amz-Signature") != kept.signature:
            return _refusal(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", "The signature does not match")
        return SandboxResponse(HTTPStatus.OK, kept.content, kept.headers)

    def template(self, request: SandboxRequest) -> str:
        return "/exports/{key}"


def _refusal(status: int, code: str, message: str) -> SandboxResponse:
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return SandboxResponse(status, xml.encode(), [("Content-Type", "application/xml")])
