"""How a document came to us, in people's words."""

from __future__ import annotations

from datetime import datetime

from syncengine.models import FoundBy

_UNITS = ((60.0, 1.0, "s"), (3600.0, 60.0, "min"), (2 * 86400.0, 3600.0, "h"))
_DAY = 86400.0


def words_of_finding(found_by: str, offered_at: datetime | None, at: datetime) -> str:
    """`Found by notification 0.4 s after approval.`; "" when nobody wrote down how."""
    if found_by not in FoundBy.values:
        return ""
    words = f"Found by {FoundBy(found_by).label}"
    seconds = (at - offered_at).total_seconds() if offered_at else -1.0
    # Of two clocks the other may be ahead of ours; then there is nothing to tell.
    return f"{words} {_length(seconds)} after approval." if seconds >= 0 else f"{words}."


def _length(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    for limit, size, unit in _UNITS:
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / _DAY:.0f} days"
