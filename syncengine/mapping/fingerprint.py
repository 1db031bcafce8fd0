"""One short name for the content of a payload, so that unchanged records are not sent again."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

from syncengine.mapping.text import canonical_decimal, to_decimal

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): item if type(item) is str else _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if not isinstance(value, bool) and isinstance(value, (int, float, Decimal)):
        number = to_decimal(value)
        # A marked text: JSON has no exact numbers, and 1, 1.0 and 1.00 are the same amount but not the text "1".
        return {"number": str(value) if number is None else canonical_decimal(number)}
    return value


def fingerprint(payload: Any) -> str:
    """SHA-256 (hex) of the payload as canonical JSON; the order of keys and the spelling of numbers do not matter."""
    return hashlib.sha256(_encode(_canonical(payload)).encode()).hexdigest()
