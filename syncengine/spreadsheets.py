"""Text that a spreadsheet takes as text: CSV exports hold what outsiders wrote."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_text(text: str) -> str:
    """The text, quoted away when a spreadsheet would take it for a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
