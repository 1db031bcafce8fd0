"""What a flow knows of the company it works for: passed in, so that flows stay pure functions."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from syncengine.connectors.sap_b1.company import CompanyFacts
from syncengine.flows.settings import FlowSettings

Payload = dict[str, list[dict[str, Any]]]
"""What one record sends: the bodies of each part of the flow by the part's name."""


@dataclass(frozen=True)
class Known:
    """What an earlier run left of a record.

    sent       the payload last sent; empty when nothing ever was
    confirmed  the payload that the target last confirmed
    source     the prepared record (`Built.source`) that `sent` was made of
    approved   marks of held changes (`Held.mark`) that a person has approved
    """

    sent: Payload = field(default_factory=dict)
    confirmed: Payload = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()


UNKNOWN = Known()


@dataclass(frozen=True)
class Delays:
    """Seconds after an unknown outcome: when to look, and how long before a document not found may be posted again."""

    lookups: tuple[float, ...] = (5, 30)
    repost_after: float = 600


@dataclass(frozen=True)
class FlowContext:
    """Everything besides the source record that decides a payload.

    company  the Basware company code
    today    the calendar date in the company's time zone
    known    what earlier runs left, by record key; the engine fills it page by page
    taken    which record holds an identity that must be unique in the target (`MasterDataFlow.identity`);
             the engine fills it page by page, building a record adds its own
    """

    company: str
    today: date
    facts: CompanyFacts
    settings: FlowSettings = field(default_factory=FlowSettings)
    cost_center_dimension: int = 1
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    known: Mapping[str, Known] = field(default_factory=dict)
    taken: MutableMapping[str, str] = field(default_factory=dict)
    delays: Delays = field(default_factory=Delays)
    memory: MutableMapping[str, Any] = field(default_factory=dict)

    def before(self, key: str) -> Known:
        """What is known of `key` from earlier runs; empty when it is new."""
        return self.known.get(key, UNKNOWN)
