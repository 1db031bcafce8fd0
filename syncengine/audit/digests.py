"""The mathematics of the trail, pure: what is hashed, in which form, under which key.

Every digest is keyed BLAKE2b (RFC 7693; a third of the time of HMAC-SHA256) in hex over a text that begins with what
it is about and the version of its form. Two rows that read the same have the same text, whatever database they were
read from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Protocol

COLUMNS = (
    "id", "organization_id", "integration_id", "record_id", "run_id", "actor", "action", "message", "data",
    "created_at",
)  # fmt: skip
GENESIS = "0" * 64
_EXACT = Context(prec=5000, Emax=MAX_EMAX, Emin=MIN_EMIN)


def keyed(key: bytes, text: str) -> str:
    return hashlib.blake2b(text.encode(), key=key, digest_size=32).hexdigest()


def event_digest(key: bytes, row: Sequence[Any]) -> str:
    """Of an event, given as the values of COLUMNS. Raises TypeError, ValueError or AttributeError if damaged."""
    pk, organization, integration, record, run, actor, action, message, data, created_at = row
    return keyed(
        key,
        f"event/1 {pk} {organization} {integration} {record} {run} {moment(created_at)} "
        f"{quoted(actor)} {quoted(action)} {quoted(message)} {canonical(data)}",
    )


def is_genuine(key: bytes, row: Sequence[Any], digest: str) -> bool:
    """Whether the digest is that of the row."""
    try:
        return event_digest(key, row) == digest
    except (TypeError, ValueError, AttributeError):  # a value that no writer of ours has put there
        return False


@lru_cache(maxsize=16)  # the events of one page share theirs
def moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(value: Any) -> str:
    """JSON with sorted keys, and each number in plain digits: PostgreSQL gives back 1e5 as 100000."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted(key)}:{canonical(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return _digits(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _digits(number: float) -> str:
    exact = Decimal(repr(number))
    return f"{exact.normalize(_EXACT):f}" if exact else "0"


def root_of(digests: Iterable[str]) -> str:
    """The hash of a block: of its events' digests in the order of their ids."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


class Sealed(Protocol):
    """What a head covers; `syncengine.models.AuditSeal` has it."""

    organization_id: int
    number: int
    previous: str
    members: str
    first_id: int
    through_id: int
    root: str
    sealed_at: datetime


def head_of(key: bytes, seal: Sealed) -> str:
    """The head of a seal, which covers the seal before it and so the whole chain."""
    return keyed(
        key,
        f"seal/1 {seal.organization_id} {seal.number} {seal.previous} {seal.members} {seal.first_id} "
        f"{seal.through_id} {seal.root} {moment(seal.sealed_at)}",
    )


def tombstone_of(key: bytes, head: str, purged_at: datetime) -> str:
    """What proves that the events of a seal were removed by us because of their age."""
    return keyed(key, f"tombstone/1 {head} {moment(purged_at)}")


def trail_of(key: bytes) -> str:
    """A name for all chains under this key, so that anchors of another database are not taken for ours."""
    return keyed(key, "trail/1")[:16]


def pack(ids: Sequence[int]) -> str:
    """Ascending ids as runs: "17-40,42"."""
    runs: list[tuple[int, int]] = []
    for number in ids:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def unpack(members: str) -> list[int]:
    """The ids of `pack`."""
    bounds = (run.partition("-") for run in members.split(","))
    return [number for first, _, last in bounds for number in range(int(first), int(last or first) + 1)]


def last_of(members: str) -> int:
    """The highest id of `pack`."""
    return int(members.rpartition(",")[2].rpartition("-")[2])
