"""What records that failed for the same thing have in common: the code, and the first thing that is named.

Two invoices with "G/L account 4010 of coding row 1 is frozen in SAP" and "… of coding row 3 …" have one cause; what
tells one record from another (its key, its numbers, the row) is left out of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncengine.models import Record

LENGTH = 200
SEPARATOR = ": "

_ROW = re.compile(r"\b(?:of |in )?(?:coding )?(?:row|line) \d+\b", re.IGNORECASE)
_LONG_ID = re.compile(r"\b(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,})\b", re.IGNORECASE)
_SHORTEST_OWN_WORD = 3


def cause_of(record: Record, code: str, message: str, problems: Sequence[Mapping[str, str]]) -> str:
    """`problems: G/L account 4010 is frozen in SAP.`; empty without a code."""
    if not code:
        return ""
    named = problems[0].get("message", "") if problems else message
    for own in sorted(_words_of_its_own(record), key=len, reverse=True):
        named = named.replace(own, "…")
    named = _LONG_ID.sub("…", _ROW.sub("", named))
    named = re.sub(r"\s+([.,;:])", r"\1", " ".join(named.split()))
    return f"{code}{SEPARATOR}{named}"[:LENGTH] if named else code[:LENGTH]


def words_of_cause(cause: str) -> str:
    """The cause without its code, for people."""
    code, _, named = cause.partition(SEPARATOR)
    named = named.lstrip(" :")  # the row that was named first is left out of a cause
    return f"{named[:1].upper()}{named[1:]}" if named else code.replace("_", " ").capitalize()


def _words_of_its_own(record: Record) -> set[str]:
    words = {record.key, record.title, record.reference}
    return {word for word in words if word and len(word) >= _SHORTEST_OWN_WORD}
