"""Cutting payloads into requests that Basware takes: by count and by encoded bytes (contracts: Basware §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from syncengine.connectors.jsonio import dump_bytes

# The limit is 6 MB a request whatever the count.
MAX_BYTES = 5_000_000
_COMMA = 1
_EMPTY = 1  # both brackets of the array, less the comma that the last payload goes without

Payload = Mapping[str, Any]


def encoded_size(payload: Payload) -> int:
    """How many bytes the payload takes in a request."""
    return len(dump_bytes(payload))


def cut_batches(
    payloads: Iterable[Payload],
    max_count: int,
    max_bytes: int = MAX_BYTES,
    *,
    size: Callable[[Payload], int] = encoded_size,
    together: Callable[[Payload], object] | None = None,
) -> Iterator[list[Payload]]:
    """Batches of at most `max_count` payloads and `max_bytes` encoded bytes, in order, none empty.

    Neighbours with the same `together` value stay in one batch unless they alone are more than one batch holds (the
    lines of an order, §15.2). A single payload over `max_bytes` goes alone, for Basware to judge.
    """
    batch: list[Payload] = []
    taken = _EMPTY
    for group, needed in _groups(payloads, max_count, max_bytes, size, together):
        if batch and (len(batch) + len(group) > max_count or taken + needed > max_bytes):
            yield batch
            batch, taken = [], _EMPTY
        batch.extend(group)
        taken += needed
    if batch:
        yield batch


def _groups(
    payloads: Iterable[Payload],
    max_count: int,
    max_bytes: int,
    size: Callable[[Payload], int],
    together: Callable[[Payload], object] | None,
) -> Iterator[tuple[list[Payload], int]]:
    """What should not be parted, with its bytes; what belongs together but is too much comes in full parts."""
    runs: Iterable[Iterable[Payload]] = (
        ([payload] for payload in payloads) if together is None else (run for _key, run in groupby(payloads, together))
    )
    for run in runs:
        group: list[Payload] = []
        needed = 0
        for payload in run:
            one = size(payload) + _COMMA
            if group and (len(group) == max_count or _EMPTY + needed + one > max_bytes):
                yield group, needed
                group, needed = [], 0
            group.append(payload)
            needed += one
        yield group, needed
