"""Addresses of a document in the systems' own pages.

Neither contract names one (the Service Layer and Basware's API are for programs), and hosts, releases and pages differ
from customer to customer. So there is a link only where the integration's settings hold a pattern for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from syncengine.flows.base import System
from syncengine.flows.settings import FlowSettings

_PLACE = re.compile(r"\{(\w+)\}")
_WITH_DOCUMENTS = ("invoices",)


def links_of(settings: FlowSettings, flow: str, known: Mapping[str, Any]) -> Iterator[tuple[System, str]]:
    """Each system with its page of the document; `known` are the record's own key and the target's keys."""
    if flow not in _WITH_DOCUMENTS:
        return
    patterns: tuple[tuple[System, str], ...] = (
        ("sap_b1", settings.sap_document_link),
        ("basware", settings.basware_document_link),
    )
    values = {**known, "invoiceId": known.get("key")}
    for system, pattern in patterns:
        link = _filled(pattern, values)
        if link:
            yield system, link


def _filled(pattern: str, values: Mapping[str, Any]) -> str:
    """The pattern with its places filled, each quoted; "" while one of them is not known."""
    if urlsplit(pattern).scheme not in {"http", "https"}:
        return ""
    if any(values.get(name) in (None, "") for name in _PLACE.findall(pattern)):
        return ""
    return _PLACE.sub(lambda place: quote(str(values[place[1]]), safe=""), pattern)
