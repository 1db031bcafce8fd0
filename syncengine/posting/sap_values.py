"""When a record of SAP's is usable on a day (contracts: SAP §8.1, §8.2), on top of the connector's spellings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes, parse_date
from syncengine.mapping.text import as_text

YES = "tYES"
NO = "tNO"
OPEN = "bost_Open"
NOT_CANCELLED = "csNo"
CANCELLED = "csYes"
MIRROR = "csCancellation"


def yes_no(value: Any) -> str:
    """SAP's spelling of a flag that may come as JSON boolean, as text, or in SAP's spelling already."""
    return YES if is_yes(value) or as_text(value).lower() == "true" else NO


def is_cancelled(document: Mapping[str, Any]) -> bool:
    """A cancelled document or the mirror that cancels one; a document that does not say is alive."""
    return document.get("CancelStatus") in {CANCELLED, MIRROR}


def within(on: date, first: Any, last: Any) -> bool:
    """Whether the day lies in a From/To window; an open end has no limit."""
    begins, ends = parse_date(first), parse_date(last)
    return (begins is None or begins <= on) and (ends is None or on <= ends)


def is_frozen(record: Mapping[str, Any], on: date, flag: str = "Frozen") -> bool:
    """Frozen with a window that covers the day; accounts call the flag FrozenFor."""
    return is_yes(record.get(flag)) and within(on, record.get("FrozenFrom"), record.get("FrozenTo"))


def is_out_of_validity(record: Mapping[str, Any], on: date, flag: str = "Valid") -> bool:
    """Validity switched on with a window that leaves the day out; `Valid` alone says nothing."""
    return is_yes(record.get(flag)) and not within(on, record.get("ValidFrom"), record.get("ValidTo"))
