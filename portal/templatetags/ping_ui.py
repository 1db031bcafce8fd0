"""How a check of the ping looks: its name in words, its colour, the bar of its time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from django import template

from portal.told import told
from syncengine.connectors.checks import Check

register = template.Library()

TITLES = {
    "dns": "Name",
    "tcp": "Port",
    "tls": "Certificate",
    "reach": "Answer",
    "path": "Path",
    "login": "Log-in",
    "scopes": "Scopes granted",
    "version": "Version",
    "company": "Company",
    "clock": "Clock",
    "tax": "Tax field",
    "branches": "Branches",
    "approval": "Approval procedures",
    "field": "Own field",
    "webhook:subscription": "Subscription",
    "webhook:test": "ConnectionTest",
    "webhook:delivery": "Last delivery",
    "deadline": "In time",
    "internal": "The check itself",
}
VERBS = {"read": "Read", "write": "Add"}
# A bar is full at ten seconds; the scale is logarithmic, so that 5 ms and 50 ms look different too.
FULL_MS = 10_000


@register.filter
def check_title(name: str) -> str:
    """`write:PurchaseInvoices` → `Add PurchaseInvoices`."""
    kind, _, what = name.partition(":")
    return told(TITLES.get(name) or (f"{VERBS[kind]} {what}" if kind in VERBS and what else name))


@register.filter
def check_tone(check: Check | Mapping[str, Any]) -> str:
    """`ok`, `warn` or `bad`, of a check as it comes or as it was stored."""
    ok, warning = (check.ok, check.warning) if isinstance(check, Check) else (check["ok"], check.get("warning"))
    return "bad" if not ok else "warn" if warning else "ok"


@register.filter
def bar_width(milliseconds: int) -> int:
    """0 to 100."""
    return min(100, round(math.log1p(max(milliseconds, 0)) / math.log1p(FULL_MS) * 100))


@register.filter
def drift_words(changes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The names of what is worse and of what is only different, in words; what got better is no drift."""
    found = list(changes)
    return {
        "worse": ", ".join(check_title(change["name"]) for change in found if change["worse"]),
        "different": ", ".join(check_title(change["name"]) for change in found if change["worse"] is None),
    }
