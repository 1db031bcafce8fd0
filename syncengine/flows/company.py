"""What a flow knows of the company it works for: passed in, so that flows stay pure functions."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from syncengine.flows.settings import FlowSettings

Payload = dict[str, list[dict[str, Any]]]
"""What one record sends: the bodies of each part of the flow by the part's name."""

TaxField = Literal["VatGroup", "TaxCode"]


@dataclass(frozen=True)
class CompanyFacts:
    """What SAP says about the company itself (contracts: SAP §8.2, §8.8).

    `currencies` is SAP's Currencies, Code → DocumentsCode; `decimals` is AdminInfo.TotalsAccuracy.
    """

    local_currency: str = "EUR"
    currencies: Mapping[str, str] = field(default_factory=dict)
    tax_field: TaxField = "VatGroup"
    decimals: int = 2
    branches: bool = False

    def iso(self, code: str) -> str:
        """The international code of SAP's currency `code`; "" for none and for the marker of all currencies."""
        if code in {"", "##"}:
            return ""
        return (self.currencies.get(code) or code).strip().upper()


@dataclass(frozen=True)
class Known:
    """What an earlier run left of a record.

    `sent` is the payload last built for sending, `confirmed` the one that the target last confirmed, `source` the record
    it was read from. `approved` holds the marks of held changes that a person has approved.
    """

    sent: Payload = field(default_factory=dict)
    confirmed: Payload = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()


UNKNOWN = Known()


@dataclass(frozen=True)
class FlowContext:
    """Everything besides the source record that decides a payload; the engine fills `known` and `taken` page by page.

    `company` is the Basware company code. `known` holds earlier knowledge by record key. `taken` says which record holds
    an identity that must be unique in the target (orders: see `identity`); the engine adds what it hands out.
    """

    company: str
    today: date
    settings: FlowSettings = field(default_factory=FlowSettings)
    facts: CompanyFacts = field(default_factory=CompanyFacts)
    cost_center_dimension: int = 1
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    known: Mapping[str, Known] = field(default_factory=dict)
    taken: MutableMapping[str, str] = field(default_factory=dict)

    def before(self, key: str) -> Known:
        """What is known of `key` from earlier runs; empty when it is new."""
        return self.known.get(key, UNKNOWN)
