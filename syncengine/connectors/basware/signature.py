"""The signature of a notification: HMAC-SHA256 over the raw body (contracts: Basware §16.4).

Basware nowhere shows how the header is spelled, so every spelling of the same 32 bytes is taken, and the one that
matched is told, for the setting to be narrowed once it is known.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

HEADER = "X-BWAPI-Signature-256"
PREFIX = "sha256="

_FORMS = (
    ("HEX", re.compile(r"[0-9A-F]{64}")),
    ("hex", re.compile(r"[0-9A-Fa-f]{64}")),
    ("base64", re.compile(r"[0-9A-Za-z+/]{43}=?")),
    ("base64url", re.compile(r"[0-9A-Za-z_-]{43}=?")),
)


@dataclass(frozen=True)
class Verification:
    """A signature that holds: how it was spelled (`hex`, `HEX`, `base64`, `base64url`, `sha256=` before it where it
    was prefixed) and which of the secrets made it."""

    form: str
    secret_index: int


def verify(raw_body: bytes, header: str | None, secrets: Sequence[str]) -> Verification | None:
    """The verification by the first secret that fits; None for a missing, unreadable or wrong signature.

    `raw_body` is the body as received: parsing and writing it again would change the bytes that were signed.
    """
    form, given = _decode((header or "").strip())
    if given is None:
        return None
    # Every secret is tried, so that the time does not tell which one is close.
    matches = [hmac.compare_digest(given, _digest(raw_body, secret)) for secret in secrets]
    return Verification(form, matches.index(True)) if any(matches) else None


def is_readable(header: str) -> bool:
    """Whether the header is spelled in one of the known forms, whoever signed."""
    return _decode(header.strip())[1] is not None


def _digest(raw_body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), raw_body, sha256).digest()


def _decode(text: str) -> tuple[str, bytes | None]:
    prefix = PREFIX if text.lower().startswith(PREFIX) else ""
    value = text[len(prefix) :]
    form = next((name for name, pattern in _FORMS if pattern.fullmatch(value)), "")
    return f"{prefix}{form}", _bytes_of(form, value)


def _bytes_of(form: str, value: str) -> bytes | None:
    if not form:
        return None
    if form in {"hex", "HEX"}:
        return bytes.fromhex(value)
    try:
        return base64.b64decode(value.rstrip("=") + "=", altchars=b"-_" if form == "base64url" else None, validate=True)
    except binascii.Error:
        return None
