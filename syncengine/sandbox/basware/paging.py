"""Pages of a list: the token travels in headers only and is bound to the query (contracts: Basware §3.3)."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.basware.calls import Call, bad_parameter

CONTINUATION_HEADER = "x-amz-meta-continuationtoken"
SHORT_BY = 10


@dataclass(frozen=True)
class Page:
    """One page; ``token`` is None on the last."""

    items: list[Any]
    token: str | None

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(CONTINUATION_HEADER, self.token)] if self.token else []


def page_of(call: Call, items: Sequence[Any], default: int, largest: int, *, short: bool) -> Page:
    """The page of ``items`` that the call asks for.

    Positions count in the list as it is now: records that left the filter between two pages shift what follows, so a
    client that acknowledges while it still pages misses some. ``short`` pages hold a tenth less than asked for.
    """
    size, start = _size(call, default, largest), _start(call)
    rest = len(items) - start
    if rest > size and short:
        size = max(1, size - max(1, size // SHORT_BY))
    end = start + size
    return Page(list(items[start:end]), _token(call, end) if rest > size else None)


def _size(call: Call, default: int, largest: int) -> int:
    text = call.params.get("pageSize") or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise bad_parameter(f"pageSize is a number from 1 to {largest}.")
    return int(text)


def _start(call: Call) -> int:
    token = call.request.header(CONTINUATION_HEADER)
    if not token:
        return 0
    try:
        query, start = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        raise bad_parameter("The continuation token is not one of ours.") from None
    if query != _fingerprint(call):
        raise bad_parameter("The continuation token belongs to another query.")
    return int(start)


def _token(call: Call, position: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([_fingerprint(call), position]).encode()).decode()


def _fingerprint(call: Call) -> str:
    query = json.dumps([call.request.path, sorted(call.params.items())])
    return hashlib.sha256(query.encode()).hexdigest()[:16]
