"""Anchors: the head of every seal, written where the database's administrator need not be able to write.

AUDIT_ANCHOR is an append-only file of JSON lines, and each head is logged as well. Machines that share a database each
have the anchors of the seals they made; `verify_audit` compares with those of its own file.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from syncengine.audit.digests import moment, trail_of
from syncengine.audit.keys import audit_key
from syncengine.models import AuditSeal

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Anchor:
    """What a line of the file says of a seal."""

    number: int
    head: str
    through_id: int
    line: int


@dataclass
class Anchors:
    """The anchors of our trail by organization and number of the seal; lines of other databases are passed over."""

    by_organization: dict[int, dict[int, Anchor]] = field(default_factory=lambda: defaultdict(dict))
    unreadable: list[int] = field(default_factory=list)

    def of(self, organization_id: int) -> dict[int, Anchor]:
        return self.by_organization.get(organization_id, {})


def write(seal: AuditSeal) -> None:
    """Append the anchor of a committed seal. Raises OSError."""
    line = json.dumps(
        {
            "trail": trail_of(audit_key()),
            "organization": seal.organization_id,
            "seal": seal.number,
            "through": seal.through_id,
            "head": seal.head,
            "sealed_at": moment(seal.sealed_at),
        }
    )
    path = Path(settings.AUDIT_ANCHOR)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(file, f"{line}\n".encode())  # one call: lines of several processes do not mix
        os.fsync(file)
    finally:
        os.close(file)


def publish(seal: AuditSeal) -> None:
    """Log the head and write its anchor; a file that cannot be written is logged, for the seal is made already."""
    log.info("audit_sealed", organization=seal.organization_id, seal=seal.number, head=seal.head)
    try:
        write(seal)
    except OSError as error:
        log.error("audit_anchor_not_written", error=str(error), seal=seal.number, head=seal.head)


def read() -> Anchors:
    """Everything that the file says of this trail; no file, no anchors. Raises OSError."""
    found, trail = Anchors(), trail_of(audit_key())
    for number, line in _lines(Path(settings.AUDIT_ANCHOR)):
        try:
            _take(found, json.loads(line), trail, number)
        except (ValueError, KeyError, TypeError):
            found.unreadable.append(number)
    return found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from enumerate(file, start=1)
    except (FileNotFoundError, NotADirectoryError):
        return


def _take(found: Anchors, given: dict[str, Any], trail: str, line: int) -> None:
    if given["trail"] == trail:
        anchor = Anchor(int(given["seal"]), str(given["head"]), int(given["through"]), line)
        found.by_organization[int(given["organization"])].setdefault(anchor.number, anchor)
