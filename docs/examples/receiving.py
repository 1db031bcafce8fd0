"""How a tool checks that a message is ours: nothing but the standard library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_SECONDS = 300


def is_ours(headers: Mapping[str, str], body: bytes, secret: str, now: float | None = None) -> bool:
    """`headers` with names in lower case, `body` as it came, `secret` as the portal showed it (`whsec_…`)."""
    moment = headers["webhook-timestamp"]
    if abs((time.time() if now is None else now) - int(moment)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{moment}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(wanted, one) for one in headers["webhook-signature"].split(" "))
