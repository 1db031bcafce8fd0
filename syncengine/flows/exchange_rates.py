"""Exchange rates: what SAP's rate table says of each currency for the last days → /v1/exchangeRates. Optional.

Contracts: Basware §11 (amount in From × rate = amount in To; one record for each pair and day), SAP §8.4 (the rate of
a day is a service, not an entity). A rate stays what it was on its day: none is ever closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

from syncengine.connectors.outcomes import Rejected
from syncengine.flows.company import FlowContext
from syncengine.flows.master import Enrich, MasterDataFlow, Part, Source, rule
from syncengine.flows.reading import SapReader
from syncengine.flows.values import moment, number

DIGITS = 12
NO_RATE = "exchange rate"
"""In SAP's words for a day that nobody entered a rate for (contracts: SAP §8.4)."""


class ExchangeRates(MasterDataFlow):
    """One record for each foreign currency and day, towards the company's currency."""

    name = "exchange_rates"
    title = "Exchange rates"
    position = 60
    optional = True
    closes_absent = False
    entity_set = "Currencies"
    key_field = "Code"
    select = ("Code", "Name")
    prefix = "FX"
    parts = (Part("record", "exchangeRates"),)

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("currencyCodeFrom", "derived.currencyFrom", required=True),
            rule("currencyCodeTo", "derived.currencyTo", required=True),
            rule("rate", "derived.rate", required=True),
            rule("validFrom", "derived.validFrom", required=True),
            rule("companies", "derived.companies", required=True),
        ]

    def enricher(self, sap: SapReader, ctx: FlowContext) -> Enrich:
        days = [ctx.today - timedelta(days=back) for back in range(ctx.settings.exchange_rate_days)]
        return lambda currencies: [
            rated for row in currencies for day in reversed(days) for rated in _rated(sap, ctx, row, day)
        ]

    def by_keys(self, sap: SapReader, keys: Sequence[str], ctx: FlowContext) -> list[dict[str, Any]]:
        """The rates of these days as they are now."""
        wanted = [key.rpartition("/") for key in keys]
        rows = sap.by_keys(self.entity_set, self.key_field, list(dict.fromkeys(one[0] for one in wanted)), self.select)
        known = {row[self.key_field]: row for row in rows}
        return [
            rated
            for code, _, day in wanted
            if code in known
            for rated in _rated(sap, ctx, known[code], date.fromisoformat(day))
        ]

    def key(self, source: Source) -> str:
        return f"{source['Code']}/{source['RateDate'].replace('-', '')}"

    def label(self, source: Source) -> str:
        return f"{source['Code']}, {source['RateDate']}"

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return number(source.get("Rate")) > 0

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        return {
            "currencyFrom": ctx.facts.iso(source["Code"]),
            "currencyTo": ctx.facts.iso(ctx.facts.local_currency),
            "rate": _towards_company(number(source.get("Rate")), ctx),
            "validFrom": moment(source["RateDate"]),
            "companies": [{"companyCode": ctx.company, "active": True}],
        }


def _rated(sap: SapReader, ctx: FlowContext, currency: Source, day: date) -> Iterator[dict[str, Any]]:
    """The currency with its rate of that day, if it is foreign and has one."""
    code = currency["Code"]
    if code == ctx.facts.local_currency:
        return
    try:
        answer = sap.service("SBOBobService_GetCurrencyRate", {"Currency": code, "Date": f"{day:%Y%m%d}"})
    except Rejected as refused:
        if NO_RATE not in refused.message.lower():
            raise
        return
    rate = answer.get("value") if isinstance(answer, Mapping) else answer
    yield {"Code": code, "Name": currency.get("Name"), "RateDate": day.isoformat(), "Rate": rate}


def _towards_company(rate: Decimal, ctx: FlowContext) -> Decimal:
    """Company currency for one of the foreign; a company that quotes the other way round has it turned over."""
    said = ctx.settings.exchange_rate_quotation
    indirect = ctx.facts.indirect_rates if said == "company" else said == "indirect"
    if not indirect or not rate:
        return rate
    with localcontext() as exact:
        exact.prec = DIGITS
        return 1 / rate
